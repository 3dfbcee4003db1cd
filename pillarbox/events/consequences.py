"""What an event means for the person: addresses suppressed, consents withdrawn. List membership stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from pillarbox.events.matching import Matched
from pillarbox.ground import clock
from pillarbox.model.records import Event
from pillarbox.model.states import Basis, EventKind, Kind, SuppressionReason
from pillarbox.store import consents, suppressions
from pillarbox.store.consents import Change
from pillarbox.store.listed import among
from pillarbox.store.schema import consents as consents_table
from pillarbox.store.schema import supporters

_REASON_OF = {
    str(EventKind.BOUNCED): SuppressionReason.BOUNCED,
    str(EventKind.COMPLAINED): SuppressionReason.COMPLAINED,
    str(EventKind.UNSUBSCRIBED): SuppressionReason.UNSUBSCRIBED,
}

# By plain texts: an enumeration's members are hashed by Python.
_ASKING = frozenset({*_REASON_OF, str(EventKind.DROPPED)})

# A drop repeats why the provider suppresses the address (SendGrid event reference, "Dropped", read 2026-11).
_DROP_WORDS = (
    ("unsubscribe", SuppressionReason.UNSUBSCRIBED),
    ("spam report", SuppressionReason.COMPLAINED),
    ("bounce", SuppressionReason.BOUNCED),
)

# The supporter's own wish: it ends their consent, too.
_WISHES = (SuppressionReason.UNSUBSCRIBED, SuppressionReason.COMPLAINED)


def suppression(event: Event) -> SuppressionReason | None:
    """Why the event's address may get no more mail; None when it may.

    A block is about us or the moment, not about the address; a drop counts only when its reason says so.
    """
    if event.kind is EventKind.DROPPED and event.suppresses:
        words = event.reason.lower()
        return next((reason for word, reason in _DROP_WORDS if word in words), SuppressionReason.INVALID)
    return _REASON_OF.get(str(event.kind))


def hold(connection: Connection, matched: Sequence[Matched]) -> set[int]:
    """Hold the supporters for whom these events mean something, before all else of theirs: as who leaves does.

    Those too whose address is kept with an event that no message of theirs stands for: who forgets them finds it by
    the address alone, so it is there before the search begins, or is not kept.

    Returns:
        Those who were forgotten meanwhile.
    """
    if connection.dialect.name == "sqlite":  # which has one writer
        return set()
    ids = {item.supporter_id for item in matched if item.supporter_id is not None and str(item.event.kind) in _ASKING}
    ids.update(person for item in matched for person in item.people)
    if not ids:
        return set()
    return {row.id for row in connection.execute(
        select(supporters.c.id, supporters.c.address).where(among(connection, supporters.c.id, ids))
        .order_by(supporters.c.id).with_for_update(key_share=True)) if row.address is None}


def act(connection: Connection, new: Sequence[Matched]) -> None:
    """Suppress addresses and end consents, as new events ask; in a fixed order, harmless when done twice."""
    asked: dict[tuple[str, SuppressionReason], Matched] = {}
    telling = [item for item in new if str(item.event.kind) in _ASKING and suppression(item.event) is not None]
    for item in sorted(telling, key=lambda item: item.event.at):
        reason = suppression(item.event)
        # A proof goes to staff, in a supporter's name: what becomes of it is neither's wish.
        proof = item.message is not None and item.message.kind == Kind.PROOF
        if reason is not None and item.address_hash and not proof:
            asked.setdefault((item.address_hash, reason), item)
    if not asked:
        return
    ordered = sorted(asked.items(), key=lambda pair: pair[0])
    suppressions.add_many(connection, [
        {"address_hash": address_hash, "address": item.address, "reason": reason, "source": item.event.provider,
         "since": item.event.at} for (address_hash, reason), item in ordered])
    _end_consent(connection, {item.supporter_id: f"{item.event.provider}: {reason}" for (_, reason), item in ordered
                              if reason in _WISHES and item.supporter_id is not None})


def _end_consent(connection: Connection, sources: Mapping[int, str]) -> None:
    """Withdraw what these supporters agreed to; ``sources`` says why, by supporter."""
    ids = sorted(sources)
    # Held, so that two posts at once withdraw once.
    connection.execute(select(consents_table.c.supporter_id).where(consents_table.c.supporter_id.in_(ids))
                       .order_by(consents_table.c.supporter_id, consents_table.c.channel).with_for_update())
    consents.apply(connection, [
        Change(supporter_id=supporter, channel=channel, before=basis, after=Basis.NONE, source=sources[supporter])
        for (supporter, channel), basis in sorted(consents.of(connection, ids).items()) if basis is not Basis.NONE
    ], clock.now())
