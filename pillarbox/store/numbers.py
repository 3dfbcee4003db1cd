"""Numbers of the ledger that are asked for again and again: each by an index, or of a small table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from pillarbox.model.states import MailingState, MessageState
from pillarbox.store.schema import attempts, mailings, marks, messages, notices, workers

OPEN = (MailingState.PLANNED, MailingState.SENDING, MailingState.HELD, MailingState.PAUSED)


def open_mailings(connection: Connection) -> list[Row[Any]]:
    """Mailings of which something may still leave, oldest first: id, name, practice, state, state_reason, planned,
    started_at, send_at, approved_by."""
    return list(connection.execute(
        select(mailings.c.id, mailings.c.name, mailings.c.practice, mailings.c.state, mailings.c.state_reason,
               mailings.c.planned, mailings.c.started_at, mailings.c.send_at, mailings.c.approved_by)
        .where(mailings.c.state.in_(OPEN)).order_by(mailings.c.id)))


def states(connection: Connection, mailing_id: int) -> dict[str, int]:
    """How many of a mailing's messages stand in each state."""
    query = (select(messages.c.state, func.count()).where(messages.c.mailing_id == mailing_id)
             .group_by(messages.c.state))
    return {str(state): int(count) for state, count in connection.execute(query)}


def in_doubt(connection: Connection) -> list[Row[Any]]:
    """Mailings with messages of which nobody knows whether they went: name, practice, messages.

    One look into the index for each mailing: there are hundreds of them, and millions of messages.
    """
    doubtful = (select(func.count()).where(messages.c.mailing_id == mailings.c.id,
                                           messages.c.state == MessageState.IN_DOUBT).scalar_subquery())
    counted = select(mailings.c.name, mailings.c.practice, doubtful.label("messages")).subquery()
    return list(connection.execute(select(counted).where(counted.c.messages > 0)))


def overdue_attempts(connection: Connection, moment: datetime) -> int:
    """Batches on their way whose lease ran out: their sender died, and nobody has looked since."""
    return int(connection.execute(select(func.count()).select_from(attempts).join(mailings).where(
        mailings.c.state.in_(OPEN), attempts.c.finished_at.is_(None),
        attempts.c.lease_until < moment)).scalar_one())


def workers_seen(connection: Connection, since: datetime) -> dict[str, int]:
    """Kind → how many processes were seen since then."""
    query = select(workers.c.kind, func.count()).where(workers.c.seen_at >= since).group_by(workers.c.kind)
    return {str(kind): int(count) for kind, count in connection.execute(query)}


def last_worker(connection: Connection) -> datetime | None:
    """When any worker was last seen."""
    found: datetime | None = connection.execute(
        select(func.max(workers.c.seen_at, type_=workers.c.seen_at.type))).scalar_one()
    return found


def oldest_untold(connection: Connection) -> tuple[int, datetime | None]:
    """How many notices nobody has been mailed, and when the oldest of them was."""
    row = connection.execute(select(func.count(), func.min(notices.c.at, type_=notices.c.at.type))
                             .where(notices.c.told_at.is_(None))).one()
    return int(row[0]), row[1]


def all_marks(connection: Connection) -> dict[str, datetime]:
    """Every mark."""
    return {str(name): at for name, at in connection.execute(select(marks.c.name, marks.c.at))}
