"""Leaving: the supporter's own click on the way out that every letter carries."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pillarbox.events.apply import take_in
from pillarbox.events.consequences import act
from pillarbox.events.matching import match
from pillarbox.ground import clock
from pillarbox.model.records import Event
from pillarbox.model.sections import PreferenceSettings
from pillarbox.model.states import EventKind
from pillarbox.people import holder as holders
from pillarbox.people import preferences, rights, undoing
from pillarbox.people.holder import Standing
from pillarbox.people.preferences import Choice
from pillarbox.store.connect import Store
from pillarbox.store.schema import OURSELVES

SOURCE = "unsubscribe page"


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """What became of a wish to leave."""

    standing: Standing
    """``LEFT`` when it is done and saved."""
    undo: str = ""
    """The pass that takes it back; empty when nothing was changed."""
    lists: tuple[Choice, ...] = ()
    """Where they could stay instead: the lists that they were on, of those opened to choice."""


def standing(store: Store, key: str) -> Standing:
    """How it stands with the holder of a key; changes nothing."""
    with store.reading() as connection:
        return holders.of(connection, key).standing


def leave(store: Store, key: str, *, secret: bytes, settings: PreferenceSettings | None = None,
          once: str = "") -> Left:
    """Unsubscribe the owner of a letter's key; as often as they like, also after coming back.

    Args:
        store: the database.
        key: of the letter.
        secret: the project's key.
        settings: which lists are open to choice; None: none is.
        once: what is random in one showing of the page, see ``undoing.offer``.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        holder = holders.of(connection, key)
        if holder.standing in (Standing.UNKNOWN, Standing.PROOF):
            return Left(standing=holder.standing)
        holders.hold(connection, holder.supporter_id)
        before = undoing.state(connection, holder)
        name = f"{OURSELVES}:unsubscribed:{holder.message_id}"
        event = Event(
            kind=EventKind.UNSUBSCRIBED, at=clock.now(), provider=OURSELVES, provider_event_id=name,
            fingerprint=hashlib.sha256(name.encode()).hexdigest()[:32], message_id=holder.message_id, attempt_id=None,
            provider_id="", address="", raw="")
        take_in(connection, [event], secret=secret)
        # A known event acts no more; a wish does each time it is uttered.
        act(connection, match(connection, [event], secret))
        if holder.address and holder.address_hash != holder.message_hash:  # a letter to where they were before
            rights.unsubscribe(connection, address_hash=holder.address_hash, address=holder.address, source=OURSELVES,
                               at=clock.now())
        undo = undoing.offer(connection, holder, before, source=SOURCE, once=once)
        choices = preferences.choices(connection, holder.supporter_id, settings or PreferenceSettings())
        return Left(standing=Standing.LEFT, undo=undo, lists=tuple(choice for choice in choices if choice.is_on))
