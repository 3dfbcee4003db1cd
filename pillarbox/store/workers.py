"""The workers table: a row a process that does what is due, and when it was last seen alive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from pillarbox.ground import clock
from pillarbox.ground.process import Worker
from pillarbox.store.schema import marks, workers
from pillarbox.store.upsert import insert_for

SEEN_WITHIN = timedelta(minutes=5)
"""A worker that was seen in this time is taken to be there."""
_FORGOTTEN_AFTER = timedelta(days=1)
_TICK = "tick"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A worker as the ledger knows it."""

    id: str
    """What ``ground.process.Worker`` writes."""
    kind: str
    """``worker``, ``once`` (from a timer) or ``cluster``."""
    host: str
    started_at: datetime
    seen_at: datetime


def beat(connection: Connection, worker: str, *, kind: str, host: str) -> None:
    """Note that a worker is alive; its first beat makes its row."""
    moment = clock.now()
    statement = insert_for(connection, workers).values(id=worker, kind=kind, host=host, started_at=moment,
                                                       seen_at=moment)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"seen_at": moment}))


def leave(connection: Connection, worker: str) -> None:
    """A worker ends: from now on nobody counts on it."""
    connection.execute(delete(workers).where(workers.c.id == worker))


def known(connection: Connection) -> list[Seen]:
    """Every worker that has a row, the one seen last first."""
    query = select(workers).order_by(workers.c.seen_at.desc(), workers.c.id)
    return [Seen(**row._mapping) for row in connection.execute(query)]


def present(connection: Connection) -> list[Seen]:
    """Workers that can be counted on: seen within five minutes, and not known to be dead.

    The clock may have jumped back: what was seen in the future does not count either. A run from a timer has ended by
    the time that anybody asks, and counts all the same: the next one comes.
    """
    moment = clock.now()
    return [one for one in known(connection) if abs(moment - one.seen_at) <= SEEN_WITHIN
            and (one.kind == "once" or not _dead(one))]


def sweep(connection: Connection) -> int:
    """Delete the rows of workers that died without a word, and of those not seen for a day; returns how many."""
    moment = clock.now()
    gone = [one.id for one in known(connection)
            if abs(moment - one.seen_at) > _FORGOTTEN_AFTER or (one.kind != "once" and _dead(one))]
    if gone:
        connection.execute(delete(workers).where(workers.c.id.in_(gone)))
    return len(gone)


def _dead(one: Seen) -> bool:
    worker = Worker.parse(one.id)
    return worker is not None and worker.surely_dead


def last_tick(connection: Connection) -> datetime | None:
    """When anybody last looked for what was due; None: never."""
    return connection.execute(select(marks.c.at).where(marks.c.name == _TICK)).scalar_one_or_none()


def ticked(connection: Connection) -> None:
    """Somebody looks for what is due now. After a clock that jumped back this moves back too."""
    statement = insert_for(connection, marks).values(name=_TICK, at=clock.now())
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": statement.excluded.at}))
