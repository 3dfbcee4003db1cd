"""Where a page of a long list ends: an opaque word that goes on from there, and that nobody can make but we.

It is bound to the list that it was made for, so that one of another mailing leads nowhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from pillarbox.ground.errors import Refused
from pillarbox.model.config import Settings

LONGEST = 200
_MARK_BYTES = 16


def seal(settings: Settings, of: str, *parts: int | str) -> str:
    """The word for a place in a list.

    Args:
        of: which list: ``messages 12 delivered``.
        parts: the place; no part holds a space.
    """
    place = " ".join(map(str, parts)).encode()
    return base64.urlsafe_b64encode(_mark(settings, of, place) + place).decode().rstrip("=")


def place(settings: Settings, of: str, word: str) -> list[str] | None:
    """The place that a word means; None for the beginning (an empty word).

    Raises:
        Refused: no word of ours for this list.
    """
    if not word:
        return None
    fault = Refused("This is no page of this list.", todo="Begin at its first page.")
    if len(word) > LONGEST:
        raise fault
    try:
        raw = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise fault from None
    mark, said = raw[:_MARK_BYTES], raw[_MARK_BYTES:]
    if not said or not hmac.compare_digest(mark, _mark(settings, of, said)) or seal(
            settings, of, *said.decode().split(" ")) != word:
        raise fault
    return said.decode().split(" ")


def _mark(settings: Settings, of: str, place: bytes) -> bytes:
    return hmac.new(settings.secret, b"cursor:" + of.encode() + b"\0" + place, hashlib.sha256).digest()[:_MARK_BYTES]
