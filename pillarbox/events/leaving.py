"""A supporter leaves through the link of a letter: the letter's key is all that it takes."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from pillarbox.events.apply import take_in
from pillarbox.events.consequences import act
from pillarbox.events.matching import match
from pillarbox.ground import clock
from pillarbox.model.records import Event
from pillarbox.model.states import EventKind, Kind, SuppressionReason
from pillarbox.store import letters, suppressions
from pillarbox.store.connect import Store

PROVIDER = "pillarbox"
"""Who reports the event: our own page."""


class Standing(StrEnum):
    """How it stands with the owner of a letter's key."""

    UNKNOWN = "unknown"
    """No letter has this key."""
    READER = "reader"
    """Letters may come."""
    LEFT = "left"
    """Unsubscribed, or forgotten."""
    PROOF = "proof"
    """The key of a proof: made to be looked at, it changes nothing."""


def standing(store: Store, key: str) -> Standing:
    """How it stands; changes nothing."""
    with store.reading() as connection:
        message = letters.message_by_key(connection, key)
        if message is None:
            return Standing.UNKNOWN
        if message.kind == Kind.PROOF:
            return Standing.PROOF
        left = SuppressionReason.UNSUBSCRIBED in suppressions.reasons(connection, message.address_hash)
        return Standing.LEFT if left or not message.address else Standing.READER


def leave(store: Store, key: str, *, secret: bytes) -> Standing:
    """Unsubscribe the owner of a letter's key; as often as they like, also after coming back.

    Returns:
        ``LEFT`` when it is done and saved.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        message = letters.message_by_key(connection, key)
        if message is None:
            return Standing.UNKNOWN
        if message.kind == Kind.PROOF:
            return Standing.PROOF
        name = f"{PROVIDER}:unsubscribed:{message.id}"
        event = Event(
            kind=EventKind.UNSUBSCRIBED, at=clock.now(), provider=PROVIDER, provider_event_id=name,
            fingerprint=hashlib.sha256(name.encode()).hexdigest()[:32], message_id=message.id, attempt_id=None,
            provider_id="", address="", raw="")
        take_in(connection, [event], secret=secret)
        # A known event acts no more; a wish does each time it is uttered.
        act(connection, match(connection, [event], secret))
        return Standing.LEFT
