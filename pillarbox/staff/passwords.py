"""Passwords: which are taken, how they are kept (argon2id), and how they are compared without telling who exists."""

from __future__ import annotations

import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pillarbox.ground.errors import Refused

SHORTEST, LONGEST = 12, 200
"""Letters. Three random words have more (NCSC, "Three random words", read 2026-11)."""
# argon2-cffi's defaults are RFC 9106's second recommendation: 64 MiB, 3 passes, 4 lanes. Two at a time in a process, so
# that a crowd at the login page costs time, not all the memory there is.
_HASHER = PasswordHasher()
_AT_ONCE = threading.BoundedSemaphore(2)
_WAIT_SECONDS = 10.0
_KNOWN = ("password", "passw0rd", "letmein", "qwertyuiop", "1234567890", "pillarbox", "changeme", "iloveyou")


def refuse_weak(password: str, *, name: str) -> None:
    """See that a password may be taken.

    Raises:
        Refused: too short, too long, or easily guessed.
    """
    plain = password.strip()
    if len(plain) < SHORTEST:
        raise Refused(f"A password has at least {SHORTEST} letters.", todo="Three random words make a good one.")
    if len(password) > LONGEST:
        raise Refused(f"A password has at most {LONGEST} letters.")
    low = plain.casefold()
    left = low
    for word in (*_KNOWN, *name.casefold().split(), " "):
        left = left.replace(word, "")
    if len(set(low)) < 5 or len(left) < SHORTEST // 2:
        raise Refused("This password is easily guessed.", todo="Three random words make a good one.")


def hashed(password: str) -> str:
    """What is kept of a password.

    Raises:
        Refused: too many others are at it at this moment.
    """
    with _Turn():
        return _HASHER.hash(_plain(password))


def agrees(kept: str | None, password: str) -> bool:
    """Whether it is the password; where there is none to compare with (None), it takes as long, and is not.

    Raises:
        Refused: too many others are at it at this moment.
    """
    with _Turn():
        try:
            _HASHER.verify(kept or _nobodys(), _plain(password))
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


def crowded() -> Refused:
    """That too many others are at it at this moment."""
    return Refused("Too many people are logging in at this moment.", todo="Try again in a minute.", retry=True)


def is_outdated(kept: str) -> bool:
    """Whether it was hashed more cheaply than today's are."""
    return _HASHER.check_needs_rehash(kept)


def warm() -> None:
    """Make what an unknown name is compared with, so that the first one does not take twice as long."""
    _nobodys()


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody's")


def _plain(password: str) -> str:
    """One form of the same letters, whatever keyboard wrote them (NIST SP 800-63B-4, 3.1.1.2), and never endless."""
    return unicodedata.normalize("NFKC", password[:LONGEST])


class _Turn:
    def __enter__(self) -> None:
        if not _AT_ONCE.acquire(timeout=_WAIT_SECONDS):
            raise crowded()

    def __exit__(self, *_fault: object) -> None:
        _AT_ONCE.release()
