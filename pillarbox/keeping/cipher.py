"""A file that only the holder of the key can read, and in which nobody can change a bit unseen.

AES-256-GCM over chunks, each under its own number and a mark on the last one, so that chunks can neither be left out,
changed in order nor cut off: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-
Encryption and its Nonce-Reuse Misuse-Resistance", 2015), laid out as age's payload is (age-encryption.org/v1, read
2026-11). Every file has a key of its own, so numbers may begin at 0 in each.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from pillarbox.ground.errors import Refused, SettingsError
from pillarbox.model.config import Settings

MAGIC = b"pillarbox backup "
VERSION = 1
CHUNK = 1 << 20
_TAG = 16
_HEADER_LIMIT = 16_384
# OWASP's Password Storage Cheat Sheet (read 2026-11): scrypt with N = 2^17, r = 8, p = 1; 128 MiB.
_SCRYPT = {"n": 1 << 17, "r": 8, "p": 1}
_SCRYPT_LIMIT = {"n": 1 << 20, "r": 32, "p": 16}


class DamagedError(Refused):
    """The file is not as it was written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What a file says before it is opened; bound to everything behind it."""

    about: Mapping[str, Any]
    """Nothing secret: whose it is, when it was made, which tables it holds."""
    passphrase: bool
    """Its key comes from [backup] key; else from the project's secret key."""
    raw: bytes
    """The whole header as it stands in the file."""
    key: bytes
    """The file's own key."""

    @property
    def bound(self) -> bytes:
        """What every chunk is bound to."""
        return hashlib.sha256(self.raw).digest()


def new_header(settings: Settings, about: Mapping[str, Any]) -> Header:
    """A header with a fresh key, from the settings' passphrase or else the project's secret key."""
    passphrase = settings.backup.key.get_secret_value()
    salt = os.urandom(16)
    fields: dict[str, Any] = {"about": about, "salt": base64.b64encode(salt).decode(), "chunk": CHUNK,
                              "key": "passphrase" if passphrase else "project"}
    if passphrase:
        fields["scrypt"] = _SCRYPT
    key, check = _keys(settings, fields)
    fields["check"] = check
    body = MAGIC + str(VERSION).encode() + b"\n" + orjson.dumps(fields) + b"\n"
    raw = body + hashlib.sha256(body).hexdigest().encode() + b"\n"
    return Header(about=about, passphrase=bool(passphrase), raw=raw, key=key)


def read_header(file: BinaryIO, settings: Settings, where: str) -> Header:
    """Read a file's header, and see that the key fits.

    Raises:
        DamagedError: the header is not as it was written.
        Refused: no backup, or one of a newer program.
        SettingsError: the key is another one.
    """
    first = file.readline(64)
    if not first.startswith(MAGIC):
        raise Refused("This is not a Pillarbox backup.", where=where, todo="Name a file that ends in .backup.")
    version = first[len(MAGIC):].strip()
    if version != str(VERSION).encode():
        if version.isdigit():
            raise Refused(f"This backup has the form {version.decode()}, and this program reads {VERSION}.",
                          where=where, todo="Install the newer Pillarbox that made it.")
        raise _damaged(where)
    second, third = file.readline(_HEADER_LIMIT), file.readline(80)
    if third.strip() != hashlib.sha256(first + second).hexdigest().encode():
        raise _damaged(where)
    try:
        fields = orjson.loads(second)
        passphrase = fields["key"] == "passphrase"
        if passphrase and any(fields["scrypt"][name] > most for name, most in _SCRYPT_LIMIT.items()):
            raise _damaged(where)
        about, wanted, chunk = fields["about"], fields["check"], fields["chunk"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise _damaged(where) from None
    if chunk != CHUNK:
        raise _damaged(where)
    if passphrase and not settings.backup.key.get_secret_value():
        raise SettingsError("This backup was made with a passphrase, and none is set.", where=where,
                            todo="Set PILLARBOX_BACKUP_KEY (or [backup] key) as it was then.")
    key, check = _keys(settings, fields)
    if check != wanted:
        if passphrase:
            raise SettingsError("This backup was made with another passphrase.", where=where,
                                todo="Set PILLARBOX_BACKUP_KEY (or [backup] key) as it was then.")
        raise SettingsError("This backup was made with another secret key; it may be another project's.", where=where,
                            todo="Put that project's pillarbox.key (or PILLARBOX_SECRET_KEY) back first.")
    return Header(about=about, passphrase=passphrase, raw=first + second + third, key=key)


def _keys(settings: Settings, fields: Mapping[str, Any]) -> tuple[bytes, str]:
    """The file's key, and a value that shows whether a key is the right one without telling it."""
    salt = base64.b64decode(fields["salt"])
    if fields["key"] == "passphrase":
        master = Scrypt(salt=salt, length=32, **fields["scrypt"]).derive(
            settings.backup.key.get_secret_value().encode())
    else:
        master = settings.secret
    found = HKDF(algorithm=SHA256(), length=48, salt=salt, info=b"pillarbox backup 1").derive(master)
    return found[:32], found[32:].hex()


def _damaged(where: str) -> DamagedError:
    return DamagedError("This backup is damaged: it is not as it was written. Nothing was changed.", where=where,
                        todo="Take an older one, or another copy of this one.")


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


class Sealer:
    """Writes what it is given, encrypted; ``finish`` must be called at the end."""

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self._file, self._cipher, self._bound = file, AESGCM(header.key), header.bound
        self._waiting, self._number = bytearray(), 0
        file.write(header.raw)

    def write(self, data: bytes) -> None:
        """Take some bytes, any number of them."""
        self._waiting += data
        while len(self._waiting) > CHUNK:  # one chunk always stays behind: it may be the last
            self._put(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def finish(self) -> None:
        """Write the last chunk, which says that it is the last."""
        self._put(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), chunk, self._bound))
        self._number += 1


def see_end(file: BinaryIO, header: Header, where: str) -> None:
    """See in a moment, however large the file, that it ends as it was written: nothing was cut off or put behind.

    Args:
        file: stands right behind its header.

    Raises:
        DamagedError: it does not.
    """
    start = file.tell()
    length = file.seek(0, os.SEEK_END) - start
    number = max(0, length - 1) // (CHUNK + _TAG)
    file.seek(start + number * (CHUNK + _TAG))
    try:
        AESGCM(header.key).decrypt(_nonce(number, last=True), file.read(), header.bound)
    except (InvalidTag, ValueError):
        raise _damaged(where) from None


def opened(file: BinaryIO, header: Header, where: str) -> Iterator[bytes]:
    """What was written behind the header, chunk by chunk; a chunk is given out only when every bit of it is right.

    Raises:
        DamagedError: something was changed, left out or cut off.
    """
    cipher, bound = AESGCM(header.key), header.bound
    chunk, number = file.read(CHUNK + _TAG), 0
    while True:
        after = file.read(CHUNK + _TAG)
        try:
            yield cipher.decrypt(_nonce(number, not after), chunk, bound)
        except InvalidTag:
            raise _damaged(where) from None
        if not after:
            return
        chunk, number = after, number + 1
