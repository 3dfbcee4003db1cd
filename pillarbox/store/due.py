"""What is due: mailings whose time has come, and whether anything of one that is being sent is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from pillarbox.ground import clock
from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.schema import attempts, marks, messages, occurrences, schedules
from pillarbox.store.schema import mailings as table
from pillarbox.store.upsert import insert_for


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


def on_its_way(connection: Connection, mailing_id: int) -> int:
    """How many messages of a mailing are in some sender's hands."""
    return int(connection.execute(select(func.count()).where(
        messages.c.mailing_id == mailing_id, messages.c.state == MessageState.SUBMITTING)).scalar_one())


def last_activity(connection: Connection, mailing_id: int) -> datetime | None:
    """When anything of a mailing was last begun or finished, or the mailing itself started; None: never."""
    began, finished = connection.execute(
        select(func.max(attempts.c.started_at), func.max(attempts.c.finished_at))
        .where(attempts.c.mailing_id == mailing_id)).one()
    return max((moment for moment in (began, finished, _marked(connection, _start(mailing_id))) if moment),
               default=None)


def note_start(connection: Connection, mailing_id: int) -> None:
    """A mailing is started, or taken up again, at this moment."""
    _mark(connection, _start(mailing_id), clock.now())


def closing_noted(connection: Connection, mailing_id: int) -> datetime | None:
    """When the hours ended for which a mailing that is being sent waits; None: it waits for none."""
    return _marked(connection, _closing(mailing_id))


def note_closing(connection: Connection, mailing_id: int, at: datetime) -> None:
    """A mailing that is being sent waits for its hours to come again."""
    _mark(connection, _closing(mailing_id), at)


def forget_closing(connection: Connection, mailing_id: int) -> None:
    """It waits no longer."""
    connection.execute(delete(marks).where(marks.c.name == _closing(mailing_id)))


def _closing(mailing_id: int) -> str:
    return f"closed:{mailing_id}"


def _start(mailing_id: int) -> str:
    return f"started:{mailing_id}"


def _mark(connection: Connection, name: str, at: datetime) -> None:
    statement = insert_for(connection, marks).values(name=name, at=at)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": statement.excluded.at}))


def _marked(connection: Connection, name: str) -> datetime | None:
    return connection.execute(select(marks.c.at).where(marks.c.name == name)).scalar_one_or_none()


def late_limit(connection: Connection, mailing_id: int) -> timedelta | None:
    """How late the schedule that made a mailing lets it go; None when no schedule made it."""
    hours = connection.execute(
        select(schedules.c.late_hours).join(occurrences, occurrences.c.schedule_id == schedules.c.id)
        .where(occurrences.c.mailing_id == mailing_id).limit(1)).scalar_one_or_none()
    return None if hours is None else timedelta(hours=hours)
