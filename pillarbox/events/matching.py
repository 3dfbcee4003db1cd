"""Whose event is it? By our own id when the provider gave it back, else by its message id and the address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from pillarbox.ground.address import keyed_hash
from pillarbox.model.records import Event
from pillarbox.store import events as table
from pillarbox.store.events import Message


class Matched(NamedTuple):
    """An event, and what of ours it is about."""

    event: Event
    message: Message | None
    """The message, when we know which."""
    address_hash: str
    """The recipient's; empty when neither the event nor a message says, and when they were forgotten."""
    address: str | None
    """The address, only when it belongs to a supporter or message of ours."""
    supporter_id: int | None
    forgotten: bool
    """About a message to somebody who was forgotten: it counts, and nothing of theirs is kept with it."""
    foreign: bool
    """Names no message and no address of ours: other mail of the same account."""
    people: tuple[int, ...] = ()
    """Supporters whose address it holds, when no telling which message it is about."""


def match(connection: Connection, events: Sequence[Event], secret: bytes) -> list[Matched]:
    """Find each event's message and supporter; the same order as ``events``."""
    by_id = table.messages_by_id(connection, {e.message_id for e in events if e.message_id is not None})
    owners: list[Message | None] = []
    hashes: list[str] = []
    for event in events:
        owner = by_id.get(event.message_id) if event.message_id is not None else None
        if owner is not None and (not owner.address or event.address in ("", owner.address)):
            owners.append(owner)
            hashes.append(owner.address_hash if owner.address else "")
            continue
        address_hash = keyed_hash(event.address, secret) if event.address else ""
        # After a restore an id may have been given out anew: the address must agree.
        owners.append(owner if owner is not None and owner.address_hash == address_hash else None)
        hashes.append(address_hash)
    lost = {h for h, owner in zip(hashes, owners, strict=True) if owner is None and h}
    mailed = defaultdict(list)
    for row in table.messages_by_address(connection, lost):
        mailed[row.address_hash].append(row)
    known = table.known_addresses(connection, lost)
    found = []
    for event, owner, address_hash in zip(events, owners, hashes, strict=True):
        if owner is not None:
            address = owner.address or None
            found.append(Matched(event, owner, address_hash, address, owner.supporter_id, address is None, False))
            continue
        message = same_send(event.provider_id, mailed.get(address_hash, []))
        supporter, address = known.get(address_hash, (None, None))
        if message is not None:
            supporter, address = message.supporter_id, message.address
        elif address is None and address_hash in mailed:
            address = mailed[address_hash][0].address
        people: tuple[int, ...] = ()
        if message is None:
            people = (supporter,) if supporter is not None else tuple(
                {row.supporter_id for row in mailed.get(address_hash, [])})
        found.append(Matched(event=event, message=message, address_hash=address_hash, address=address or None,
                             supporter_id=supporter, forgotten=message is not None and not message.address,
                             foreign=message is None and supporter is None and address_hash not in mailed,
                             people=people))
    return found


def same_send(provider_id: str, candidates: Sequence[Message]) -> Message | None:
    """The one of an address's messages that left under this provider id."""
    if not provider_id:
        return None
    return next((row for row in candidates if row.provider_id == provider_id), None)
