"""Take in what a payment provider posts: each event once, and at once what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from pillarbox.giving.settling import Ties, settle
from pillarbox.ground import clock, logs, metrics
from pillarbox.ground.address import keyed_hash
from pillarbox.model.states import SuppressionReason
from pillarbox.money.told import Told
from pillarbox.store import hook_events, suppressions
from pillarbox.store.connect import Store

log = logs.get("giving")


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What came of a post."""

    new: int = 0
    """Events heard for the first time."""
    repeated: int = 0
    donations: int = 0
    """Donations that were not known before."""
    to_ask: int = 0
    """Events of which the provider must still be asked for what they name."""


def take_in(store: Store, told: Sequence[Told], *, ties: Ties) -> Taken:
    """Take in events in one transaction; repeating it, or any part of it in any order, changes nothing more.

    Args:
        store: the database.
        told: of one provider.
        ties: how gifts find their letters.

    Raises:
        StoreError: the database is busy or away; nothing was taken in, and the same post may come again.
    """
    if not told:
        return Taken()
    with store.writing() as connection:
        hook_events.one_at_a_time(connection)
        new = [each for each in told if _is_new(connection, each, ties.secret)]
        ready = [each for each in new if not each.ask]
        donations = settle(connection, told[0].provider, ties=ties, keys={frozenset(each.keys) for each in ready},
                           named={each.pledge for each in ready if each.pledge}) if ready else 0
    taken = Taken(new=len(new), repeated=len(told) - len(new), donations=donations, to_ask=len(new) - len(ready))
    metrics.count(metrics.GIFTS, {"new": taken.donations})
    log.info("hooks.taken-in", provider=told[0].provider, new=taken.new, repeated=taken.repeated,
             donations=taken.donations, to_ask=taken.to_ask)
    return taken


def _is_new(connection: Connection, each: Told, secret: bytes) -> bool:
    now = clock.now()
    return hook_events.add_new(connection, {
        "provider": each.provider, "event_id": each.event_id, "type": each.type, "about": each.about,
        "resource": each.resource, "pledge": each.pledge, "at": each.at, "received_at": now, "facts": dict(each.facts),
        "ask_at": now if each.ask else None, **person(connection, each.name, each.address, secret)},
        each.keys) is not None


def person(connection: Connection, name: str, address: str, secret: bytes) -> dict[str, Any]:
    """What may be kept of a donor: of somebody who asked to be forgotten, nothing."""
    address_hash = keyed_hash(address, secret) if address else None
    if address_hash and SuppressionReason.ERASED in suppressions.reasons(connection, address_hash):
        return {"name": "", "address": None, "address_hash": None}
    return {"name": name, "address": address or None, "address_hash": address_hash}
