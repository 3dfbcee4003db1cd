"""Random keys for links, and the project's secret key."""

from __future__ import annotations

import binascii
import hashlib
import os
import secrets

_LETTERS = b"abcdefghijklmnopqrstuvwxyz234567"
# A random byte gives one letter; 32 divides 256, so that each letter is as likely as any other.
_LETTER_OF = bytes(_LETTERS[byte % 32] for byte in range(256))
_LENGTH = 30
# Letters that the keys of one call share. In the index of a large table they then stand side by side: five thousand
# written together touch a hundred of its pages, not five thousand. What remains is random: 130 bits.
_SHARED = 4


def new_key() -> str:
    """30 random lower-case letters and digits (RFC 4648 base32), 150 bits: safe in a URL and in any letter case."""
    return new_keys(1)[0]


def new_keys(count: int) -> list[str]:
    """``count`` keys that begin alike; each has 130 random bits of its own."""
    own = _LENGTH - _SHARED
    pool = os.urandom(_SHARED + own * count).translate(_LETTER_OF).decode()
    return [pool[:_SHARED] + pool[start : start + own] for start in range(_SHARED, len(pool), own)]


# What base64 writes, in letters of which a later one stands for more (by ASCII, as indexes compare).
_IN_ORDER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                            b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")


def dated_digest(second: int, *parts: str) -> str:
    """16 characters that are the same for the same texts of the same second, and sort by the second.

    What is told together then stands together in a large index, and the index stays small. Of one second 64 bits tell
    the texts apart.

    Args:
        second: whole seconds since 1970.
        parts: texts; where one ends and the next begins counts (U+001F stands between them).
    """
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=8).digest()
    dated = (second & 0xFFFFFFFF).to_bytes(4, "big") + digest
    return binascii.b2a_base64(dated, newline=False).translate(_IN_ORDER).decode()


def new_secret() -> str:
    """A secret key for a new project: 256 bits, URL-safe text."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: bytes) -> str:
    """What the database may know of the secret key: enough to see that it is the same one."""
    return hashlib.sha256(b"pillarbox fingerprint:" + secret).hexdigest()[:16]
