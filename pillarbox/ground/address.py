"""Email addresses: read, normalised, and hashed with the project's key."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

# Raised when the rules below change; kept beside every hash, so that old hashes can still be matched.
NORMALISER_VERSION = 1

# Names that never receive mail (RFC 2606 and RFC 6761, read 2026-11): fine in practice, refused when live.
RESERVED_TLDS = ("test", "example", "invalid", "localhost")
RESERVED_DOMAINS = ("example.com", "example.net", "example.org")


def normalise(text: str) -> str:
    """The one form of an address that Pillarbox compares and sends to.

    Unicode is normalised and the whole address is lower-cased: RFC 5321 lets a mailbox name differ by case, but no
    large provider does, and a supporter who left as ``Bob@`` must not come back as ``bob@``.

    Raises:
        ValueError: with a sentence that says what is wrong with the address.
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True,
                               allow_smtputf8=True, allow_quoted_local=False)
    except EmailNotValidError as fault:
        raise ValueError(str(fault)) from None
    if "\ufffd" in found.normalized:
        raise ValueError("The email address holds a character that was lost on its way here.")
    return found.normalized.lower()


def domain(address: str) -> str:
    """The part after the @, in lower case."""
    return address.rpartition("@")[2]


def has_ascii_mailbox(address: str) -> bool:
    """Whether the part before the @ is plain ASCII: no other is carried by SendGrid."""
    return address.rpartition("@")[0].isascii()


def is_reserved(address: str) -> bool:
    """Whether the address lies in a domain that can never receive mail."""
    return _is_reserved_domain(domain(address))


@lru_cache(maxsize=10_000)
def _is_reserved_domain(name: str) -> bool:
    return name.rpartition(".")[2] in RESERVED_TLDS or any(
        name == reserved or name.endswith("." + reserved) for reserved in RESERVED_DOMAINS)


def keyed_hash(address: str, key: bytes) -> str:
    """HMAC-SHA-256 of a normalised address: what remains of someone who was forgotten. 32 hex digits."""
    return hmac.new(key, b"address:" + address.encode(), hashlib.sha256).hexdigest()[:32]
