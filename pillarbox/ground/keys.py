"""Random keys for links, and the project's secret key."""

from __future__ import annotations

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


def new_secret() -> str:
    """A secret key for a new project: 256 bits, URL-safe text."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: bytes) -> str:
    """What the database may know of the secret key: enough to see that it is the same one."""
    return hashlib.sha256(b"pillarbox fingerprint:" + secret).hexdigest()[:16]
