"""Random keys for links, and the project's secret key."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets


def new_key() -> str:
    """128 random bits as 26 lower-case letters and digits (RFC 4648 base32): safe in a URL and in any letter case."""
    return base64.b32encode(os.urandom(16)).decode().rstrip("=").lower()


def new_keys(count: int) -> list[str]:
    """``count`` keys from one read of the system's randomness."""
    pool = os.urandom(16 * count)
    return [base64.b32encode(pool[i : i + 16]).decode().rstrip("=").lower() for i in range(0, 16 * count, 16)]


def new_secret() -> str:
    """A secret key for a new project: 256 bits, URL-safe text."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: bytes) -> str:
    """What the database may know of the secret key: enough to see that it is the same one."""
    return hashlib.sha256(b"pillarbox fingerprint:" + secret).hexdigest()[:16]
