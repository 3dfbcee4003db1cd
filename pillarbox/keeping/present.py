"""What the database that a restore would replace still knows: whether it is in use, what is newer in it, who left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from pillarbox.ground import clock
from pillarbox.ground.process import Worker
from pillarbox.keeping import journal, wishes
from pillarbox.keeping.journal import Launch
from pillarbox.keeping.wishes import Carried
from pillarbox.model.states import Basis, Channel, Kind, MailingState, SuppressionReason
from pillarbox.store import mailings as mailing_rows
from pillarbox.store import schema

WORKER_SEEN = timedelta(minutes=5)
"""A worker heard of within this time is at work (``send --at`` counts on the same)."""

# What a row of each table is to staff, and when it came.
_NEWS: tuple[tuple[str, Table, Any], ...] = (
    ("mailings planned", schema.mailings, schema.mailings.c.created_at),
    ("batches sent", schema.attempts, schema.attempts.c.started_at),
    ("lists or files imported", schema.imports, schema.imports.c.at),
    ("events heard", schema.events, schema.events.c.received_at),
    ("donations recorded", schema.donations, schema.donations.c.created_at),
    ("people who left", schema.suppressions, schema.suppressions.c.since),
    ("changes of consent", schema.consent_changes, schema.consent_changes.c.at),
    ("changes on supporters' own pages", schema.wish_changes, schema.wish_changes.c.at),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What can be carried over from it into an older state."""

    launches: tuple[Launch, ...] = ()
    """Every mailing whose gate was ever opened."""
    untouched: frozenset[str] = frozenset()
    """Source codes of planned mailings of which surely nothing ever left."""
    suppressions: tuple[Mapping[str, Any], ...] = ()
    withdrawn: tuple[tuple[str, Channel], ...] = ()
    """(address hash, channel) of those whose consent ended since."""
    erased: frozenset[str] = frozenset()
    """Address hashes of those who asked to be forgotten."""
    wishes: tuple[Carried, ...] = ()
    """What supporters asked for on their own pages since."""
    quotas: tuple[Mapping[str, Any], ...] = ()
    highest: Mapping[str, int] = field(default_factory=dict)


def news(connection: Connection, since: datetime) -> dict[str, int]:
    """What came after a moment, in staff's words, and how much of it; what did not come is left out."""
    found = {words: connection.execute(select(func.count()).select_from(table).where(when > since)).scalar_one()
             for words, table, when in _NEWS}
    return {words: count for words, count in found.items() if count}


def at_work(connection: Connection) -> list[str]:
    """Who works with the database at this moment: senders, planners, workers; a clause each."""
    moment = clock.now()
    found = []
    for row in connection.execute(
            select(schema.attempts.c.worker, schema.attempts.c.lease_until, schema.mailings.c.name)
            .join(schema.mailings).where(schema.attempts.c.finished_at.is_(None))):
        if row.lease_until > moment and not _surely_dead(row.worker):
            found.append(f"{row.name} is being sent")
    for mailing in mailing_rows.composing(connection):
        if not _surely_dead(mailing.state_reason) and Worker.parse(mailing.state_reason):
            found.append(f"{mailing.appeal} is being planned")
    for worker, host in connection.execute(select(schema.workers.c.id, schema.workers.c.host).where(
            schema.workers.c.seen_at > moment - WORKER_SEEN)):
        if not _surely_dead(worker):
            found.append("a worker runs" + (f" on {host}" if host else ""))
    return sorted(set(found))


def _surely_dead(worker: str) -> bool:
    parsed = Worker.parse(worker)
    return parsed is not None and parsed.surely_dead


def known(connection: Connection, project: str, since: datetime, highest: Mapping[str, int]) -> Known:
    """What it knows that an older state does not.

    Args:
        since: when that state was.
        highest: ids given out, of ``rows.highest_ids``.
    """
    started = [mailing for mailing in mailing_rows.all_of(connection)
               if mailing.started_at is not None and mailing.kind is not Kind.PROOF]
    tried = select(schema.attempts.c.mailing_id)
    untouched: ColumnElement[bool] = schema.mailings.c.id.not_in(tried)
    # A database that was itself restored or adopted does not know what left before that.
    gone_back = connection.execute(select(func.max(schema.audit.c.at, type_=schema.audit.c.at.type)).where(
        schema.audit.c.action.in_(("restore", "adopt")))).scalar_one()
    if gone_back is not None:
        untouched &= schema.mailings.c.created_at > gone_back
    codes = connection.execute(select(schema.mailings.c.source_code).where(
        schema.mailings.c.started_at.is_(None), untouched,
        schema.mailings.c.state.in_((MailingState.PLANNED, MailingState.PAUSED))))
    suppressions = connection.execute(select(
        schema.suppressions.c.address_hash, schema.suppressions.c.address, schema.suppressions.c.reason,
        schema.suppressions.c.source, schema.suppressions.c.since)).all()
    changes = connection.execute(
        select(schema.supporters.c.address_hash, schema.consent_changes.c.channel, schema.consent_changes.c.after)
        .join(schema.supporters).where(schema.consent_changes.c.at > since).order_by(schema.consent_changes.c.id))
    last = {(row.address_hash, Channel(row.channel)): Basis(row.after) for row in changes}
    quotas = connection.execute(select(schema.quotas)).all()
    erased = {row.address_hash for row in suppressions if row.reason == SuppressionReason.ERASED}
    # Somebody who was forgotten and later joined anew is there again.
    anew = connection.execute(select(schema.supporters.c.address_hash).join(
        schema.suppressions, schema.suppressions.c.address_hash == schema.supporters.c.address_hash)
        .where(schema.suppressions.c.reason == SuppressionReason.ERASED)).scalars()
    return Known(
        launches=tuple(journal.of(connection, mailing, project=project, at=mailing.started_at or mailing.created_at)
                       for mailing in started),
        untouched=frozenset(codes.scalars()),
        suppressions=tuple(dict(row._mapping) for row in suppressions),
        withdrawn=tuple(who for who, after in last.items() if after is Basis.NONE),
        erased=frozenset(erased - set(anew)), wishes=wishes.since(connection, since),
        quotas=tuple(dict(row._mapping) for row in quotas), highest=dict(highest))
