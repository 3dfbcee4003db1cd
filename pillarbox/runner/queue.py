"""The queue that wakes workers on several hosts: Procrastinate, in a PostgreSQL schema of its own.

It carries no promise. What is to be sent stands in the ledger; a job says only "look at mailing 7", so that jobs may be
lost, doubled or thrown away with the whole schema, and ``rebuild`` makes them again (docs/decisions/0012).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from pillarbox.ground.errors import StoreError
from pillarbox.store.connect import Store, alive

if TYPE_CHECKING:
    from procrastinate import App

SCHEMA = "pillarbox_queue"
CARRY, TICK = "pillarbox.carry", "pillarbox.tick"
# Any fixed number that nothing else in the database uses: "pqueue" in ASCII.
_LOCK = int.from_bytes(b"pqueue", "big")
# A job of a worker that is gone stays "doing" for ever. Nothing depends on it; it is cleared away.
_GONE_SECONDS = 60
_WAITING = text("SELECT 1 FROM pillarbox_queue.procrastinate_jobs WHERE queueing_lock = :lock AND status = 'todo'")
_OTHERS = text("SELECT 1 FROM pillarbox_queue.procrastinate_jobs WHERE queue_name = :queue AND status = 'todo' "
               "AND queueing_lock <> :lock LIMIT 1")
_STALLED = text("DELETE FROM pillarbox_queue.procrastinate_jobs WHERE status = 'doing' AND (worker_id IS NULL OR "
                "worker_id IN (SELECT id FROM pillarbox_queue.procrastinate_workers "
                "WHERE last_heartbeat < now() - make_interval(secs => :seconds)))")
_SEARCH = text("SELECT set_config('search_path', :path, true)")
_DROP = "DROP SCHEMA IF EXISTS pillarbox_queue CASCADE"
_CREATE = "CREATE SCHEMA pillarbox_queue; CREATE TABLE pillarbox_queue.made_by (name text NOT NULL)"



def usable(store: Store) -> bool:
    """Whether workers of this project can share their work through the queue: on PostgreSQL, with the extra."""
    return not store.is_sqlite and importlib.util.find_spec("procrastinate") is not None


def make(store: Store) -> None:
    """Make the queue's schema, or bring it to the installed Procrastinate's version; harmless when done already.

    Raises:
        StoreError: the database does not let us, or a newer Procrastinate made the queue.
    """
    if stands(store):
        return
    with store.writing() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = _version(connection)  # another process may have been first
        if found == _newest():
            return
        if found is not None and found > _newest():
            raise StoreError(f"The queue was made by a newer Procrastinate (it stands at {found}).",
                             todo="Install the same version of Pillarbox on every host.")
        if found is None or not _migrated(connection, found):
            _made_anew(connection)
        connection.execute(text("DELETE FROM pillarbox_queue.made_by"))
        connection.execute(text("INSERT INTO pillarbox_queue.made_by VALUES (:name)"), {"name": _newest()})


def stands(store: Store) -> bool:
    """Whether the queue is there, in the version that this program wants."""
    with store.reading() as connection:
        return _version(connection) == _newest()


def drop(store: Store) -> None:
    """Throw the queue away, with every job in it; the next worker makes it again."""
    with store.writing() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(text(_DROP))


def defer_carry(connection: Connection, mailing_id: int) -> bool:
    """Queue a job for a mailing, in a savepoint of the caller's transaction; returns whether none was waiting yet."""
    from procrastinate.exceptions import AlreadyEnqueued

    lock = _name(mailing_id)
    raw = connection.connection.driver_connection
    if connection.execute(_WAITING, {"lock": lock}).first() is not None:
        return False  # asked first, so that the database's log is not full of refused rows
    try:
        with _at_home(connection):
            _deferrer().configure_task(CARRY, queue=CARRY, queueing_lock=lock, connection=raw).defer(
                mailing_id=mailing_id)
    except AlreadyEnqueued:
        return False
    return True


def offer(store: Store, mailing_ids: Sequence[int]) -> int:
    """Queue a job for each of these mailings that has none waiting; returns how many were queued.

    Called with what a tick found sendable, it makes the whole queue anew from the ledger.

    Raises:
        StoreError: the database or the queue is away.
    """
    from procrastinate.exceptions import ConnectorException

    try:
        with store.writing() as connection:
            with _at_home(connection):  # its triggers look for its tables
                connection.execute(_STALLED, {"seconds": _GONE_SECONDS})
            return sum(defer_carry(connection, mailing_id) for mailing_id in sorted(mailing_ids))
    except ConnectorException:
        raise StoreError("The queue cannot be written.", retry=True) from None


def another_waits(store: Store, mailing_id: int) -> bool:
    """Whether a mailing other than this one waits for a worker."""
    with store.reading() as connection:
        return connection.execute(_OTHERS, {"lock": _name(mailing_id), "queue": CARRY}).first() is not None


def conninfo(store: Store) -> str:
    """Where the queue is, as the driver wants to hear it."""
    return store.writer.url.set(drivername="postgresql").render_as_string(hide_password=False)


def connection_options(store: Store) -> dict[str, Any]:
    """What the queue's own connections are opened with: our schema is the only one that they search."""
    return alive(store.writer.url, f"-c search_path={SCHEMA}")


def _name(mailing_id: int) -> str:
    return f"{CARRY}:{mailing_id}"


@contextmanager
def _at_home(connection: Connection) -> Iterator[None]:
    """A savepoint in which the queue's schema is the one that is searched; whatever ends it, ours is again."""
    with connection.begin_nested():
        before = connection.execute(text("SELECT current_setting('search_path')")).scalar_one()
        connection.execute(_SEARCH, {"path": SCHEMA})
        yield
        connection.execute(_SEARCH, {"path": before})


@cache
def _deferrer() -> App:
    """Knows no tasks and opens no connection: it writes jobs on connections that it is given."""
    from procrastinate import App, SyncPsycopgConnector

    return App(connector=SyncPsycopgConnector())


def _version(connection: Connection) -> str | None:
    """The newest of Procrastinate's migrations that the queue has; None when there is no queue of ours."""
    if connection.execute(text("SELECT to_regclass('pillarbox_queue.made_by')")).scalar() is None:
        return None
    found = connection.execute(text("SELECT name FROM pillarbox_queue.made_by")).scalar()
    return str(found) if found else None


@cache
def _migrations() -> dict[str, Path]:
    """Procrastinate's own migrations, oldest first; their names sort by version."""
    from procrastinate.schema import SchemaManager

    return {path.stem: path for path in sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))}


def _newest() -> str:
    return list(_migrations())[-1]


def _migrated(connection: Connection, found: str) -> bool:
    """Bring the queue on by Procrastinate's own scripts; False when one does not fit, and nothing is kept of them."""
    from psycopg import Error

    try:
        with _at_home(connection):
            for name, path in _migrations().items():
                if name > found:
                    _run(connection, path.read_text("utf-8"))
    except Error:
        return False
    return True


def _made_anew(connection: Connection) -> None:
    """The queue holds nothing that the ledger does not: an empty one is as good."""
    from procrastinate.schema import SchemaManager
    from psycopg import Error

    try:
        _run(connection, f"{_DROP}; {_CREATE}")
        with _at_home(connection):
            _run(connection, SchemaManager.get_schema())
    except Error as fault:
        raise StoreError(f"The queue's schema could not be made: {str(fault).splitlines()[0]}.",
                         todo="Let its owner run `pillarbox store upgrade`, or grant CREATE on the database.") from None


def _run(connection: Connection, script: str) -> None:
    raw: Any = connection.connection.driver_connection
    raw.execute(script)
