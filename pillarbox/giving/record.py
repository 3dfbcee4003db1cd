"""Write donations down: each once, tied to the mailing that raised it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from pillarbox.giving.attribute import Tied, attribute
from pillarbox.ground import clock, logs, metrics
from pillarbox.ground.address import keyed_hash
from pillarbox.model.records import Gift
from pillarbox.model.states import Attribution
from pillarbox.store import audit, hook_events
from pillarbox.store import donations as table
from pillarbox.store.connect import Store

log = logs.get("giving")

CHUNK = 1_000
"""Gifts looked at together: databases take only so many parameters in one statement."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What came of a file or form of donations."""

    added: int = 0
    repeated: int = 0
    """Known already by source and id: left as they were."""
    differing: int = 0
    """Of those repeated: the amount is another one, so that it may be another donation after all."""
    attributed: Mapping[Attribution, int] = field(default_factory=dict)
    """Of those added, how many by each evidence; every kind is named, also with 0."""


def record(store: Store, gifts: Sequence[Gift], *, secret: bytes, window_days: int, actor: str) -> Recorded:
    """Write gifts down in one transaction and tie them to mailings; a gift that is known already stays as it was.

    So does one that a payment provider's hook has told of: an export of that provider names it by the same id.

    Args:
        store: the database.
        gifts: what a source reports.
        secret: the project's key, for the hash of addresses.
        window_days: how long after a letter a gift from its address still counts as raised by it.
        actor: who did it, for the audit log.
    """
    with store.writing() as connection:
        recorded = write_down(connection, gifts, secret=secret, window_days=window_days, actor=actor)
    metrics.count(metrics.GIFTS, {"new": recorded.added, "repeated": recorded.repeated})
    log.info("donations.recorded", new=recorded.added, repeated=recorded.repeated,
             attributed=recorded.added - recorded.attributed.get(Attribution.NONE, 0))
    return recorded


def write_down(connection: Connection, gifts: Sequence[Gift], *, secret: bytes, window_days: int,
               actor: str) -> Recorded:
    """The same within the caller's transaction."""
    told = hook_events.known_payments(connection, {gift.external_id for gift in gifts})
    once = {(gift.source, gift.external_id): gift for gift in reversed(gifts) if gift.external_id not in told}
    # A fixed order: two imports of the same gifts wait for each other instead of locking each other out.
    ordered = [once[key] for key in sorted(once)]
    new: dict[tuple[str, str], Tied] = {}
    amounts: dict[tuple[str, str], tuple[int, str]] = {}
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        new |= _add(connection, chunk, secret, window_days)
        amounts |= table.amounts(connection, {gift.external_id for gift in chunk})
    differing = sum(amounts[gift.source, gift.external_id] != (gift.amount.minor, gift.amount.currency)
                    for gift in gifts if gift.external_id not in told)
    counts = Counter(tie.attribution for tie in new.values())
    recorded = Recorded(added=len(new), repeated=len(gifts) - len(new), differing=differing,
                        attributed={kind: counts[kind] for kind in Attribution})
    if new:
        audit.record(connection, actor=actor, action="donations-recorded", subject=f"{len(new)} donations",
                     detail={"added": recorded.added, "repeated": recorded.repeated,
                             "attributed": {kind.value: count for kind, count in recorded.attributed.items()}})
    return recorded


def _add(connection: Connection, gifts: Sequence[Gift], secret: bytes,
         window_days: int) -> dict[tuple[str, str], Tied]:
    """What the new ones among these gifts were tied to, by (source, external id)."""
    hashes = [keyed_hash(gift.address, secret) if gift.address else None for gift in gifts]
    tied = attribute(connection, gifts, hashes, window_days=window_days)
    new = table.add_new(connection, [_row(*each) for each in zip(gifts, hashes, tied, strict=True)])
    return {(gift.source, gift.external_id): tie for gift, tie in zip(gifts, tied, strict=True)
            if (gift.source, gift.external_id) in new}


def _row(gift: Gift, address_hash: str | None, tie: Tied) -> dict[str, Any]:
    return {
        "amount_minor": gift.amount.minor, "currency": gift.amount.currency, "received_at": gift.received,
        "source": gift.source, "external_id": gift.external_id, "method": gift.method, "name": gift.name,
        "address": gift.address or None, "address_hash": address_hash, "code": gift.code, "gift_aid": gift.gift_aid,
        "regular": gift.regular, "note": gift.note, "supporter_id": tie.supporter_id, "mailing_id": tie.mailing_id,
        "message_id": tie.message_id, "attribution": tie.attribution, "created_at": clock.now(),
    }
