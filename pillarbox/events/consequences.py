"""What an event means for the person: addresses suppressed, consent withdrawn. List membership stays."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from pillarbox.events.matching import Matched
from pillarbox.ground import clock
from pillarbox.model.records import Event
from pillarbox.model.states import Basis, Channel, EventKind, SuppressionReason
from pillarbox.store.events import insert_for
from pillarbox.store.schema import consent_changes, consents, suppressions

_REASON_OF = {
    EventKind.BOUNCED: SuppressionReason.BOUNCED,
    EventKind.COMPLAINED: SuppressionReason.COMPLAINED,
    EventKind.UNSUBSCRIBED: SuppressionReason.UNSUBSCRIBED,
}

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
    return _REASON_OF.get(event.kind)


def act(connection: Connection, new: Sequence[Matched]) -> None:
    """Suppress addresses and end consents, as new events ask; in a fixed order, harmless when done twice."""
    asked: dict[tuple[str, SuppressionReason], Matched] = {}
    for item in sorted(new, key=lambda item: item.event.at):
        reason = suppression(item.event)
        if reason is not None and item.address_hash:
            asked.setdefault((item.address_hash, reason), item)
    for (address_hash, reason), item in sorted(asked.items(), key=lambda pair: pair[0]):
        _suppress(connection, address_hash, item, reason)
        if reason in _WISHES and item.supporter_id is not None:
            _end_consent(connection, item.supporter_id, source=f"{item.event.provider}: {reason}")


def _suppress(connection: Connection, address_hash: str, item: Matched, reason: SuppressionReason) -> None:
    statement = insert_for(connection, suppressions).values(
        address_hash=address_hash, address=item.address, reason=reason, source=item.event.provider, since=item.event.at)
    # The earliest report is the one that counts, in whatever order they come.
    connection.execute(statement.on_conflict_do_update(
        index_elements=["address_hash", "reason"], set_={"since": statement.excluded.since},
        where=suppressions.c.since > statement.excluded.since))


def _end_consent(connection: Connection, supporter_id: int, *, source: str) -> None:
    key = (consents.c.supporter_id == supporter_id) & (consents.c.channel == Channel.EMAIL)
    before = connection.execute(select(consents.c.basis).where(key).with_for_update()).scalar()
    if before is None or before == Basis.NONE:
        return
    moment = clock.now()
    connection.execute(update(consents).where(key).values(basis=Basis.NONE, source=source, recorded_at=moment))
    connection.execute(insert(consent_changes).values(
        supporter_id=supporter_id, channel=Channel.EMAIL, before=before, after=Basis.NONE, source=source, at=moment))
