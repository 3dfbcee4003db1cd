"""What is due: mailings whose time has come, and whether anything of one that is being sent is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.schema import attempts, messages, occurrences, schedules
from pillarbox.store.schema import mailings as table


def of_states(connection: Connection, *states: MailingState) -> list[Mailing]:
    """Mailings in these states, in the order of their planning."""
    ids = connection.execute(select(table.c.id).where(table.c.state.in_(states)).order_by(table.c.id)).scalars().all()
    return [mailings.by_id(connection, mailing_id) for mailing_id in ids]


def waiting(connection: Connection, *, until: datetime | None = None) -> list[Mailing]:
    """Planned mailings that a worker shall start: all, or those whose time has come by ``until``."""
    return sorted((mailing for mailing in of_states(connection, MailingState.PLANNED)
                   if mailing.send_at and (until is None or mailing.send_at <= until)),
                  key=lambda mailing: (mailing.send_at, mailing.id))


def with_open_attempts(connection: Connection, states: Sequence[MailingState]) -> list[int]:
    """Ids of mailings in these states of which something is on its way, or was when its sender died."""
    query = (select(attempts.c.mailing_id).join(table, table.c.id == attempts.c.mailing_id)
             .where(attempts.c.finished_at.is_(None), table.c.state.in_(states)).distinct())
    return sorted(connection.execute(query).scalars())


def unsettled(connection: Connection, mailing_id: int) -> bool:
    """Whether any message of a mailing is planned or on its way."""
    return connection.execute(
        select(messages.c.id).where(messages.c.mailing_id == mailing_id,
                                    messages.c.state.in_((MessageState.PLANNED, MessageState.SUBMITTING)))
        .limit(1)).first() is not None


def unsettled_count(connection: Connection, mailing_id: int) -> int:
    """How many messages of a mailing are planned or on their way."""
    return int(connection.execute(
        select(func.count()).where(messages.c.mailing_id == mailing_id,
                                   messages.c.state.in_((MessageState.PLANNED, MessageState.SUBMITTING)))).scalar_one())


def last_activity(connection: Connection, mailing_id: int) -> datetime | None:
    """When anything of a mailing was last begun or finished; None: never."""
    began, finished = connection.execute(
        select(func.max(attempts.c.started_at), func.max(attempts.c.finished_at))
        .where(attempts.c.mailing_id == mailing_id)).one()
    return max((moment for moment in (began, finished) if moment), default=None)


def late_limit(connection: Connection, mailing_id: int) -> timedelta | None:
    """How late the schedule that made a mailing lets it go; None when no schedule made it."""
    hours = connection.execute(
        select(schedules.c.late_hours).join(occurrences, occurrences.c.schedule_id == schedules.c.id)
        .where(occurrences.c.mailing_id == mailing_id).limit(1)).scalar_one_or_none()
    return None if hours is None else timedelta(hours=hours)
