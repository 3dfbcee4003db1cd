"""Engines for SQLite and PostgreSQL: a reader and a writer, transactions that mean what they say."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from pillarbox.ground.errors import StoreError

BUSY_SECONDS = 60
_PATIENCE = "pillarbox_patience"
_LEAST_PATIENCE = 0.1
_JSON: dict[str, Any] = {"json_deserializer": orjson.loads,
                         "json_serializer": lambda value: orjson.dumps(value).decode()}
_DAMAGED = ("malformed", "not a database")
_CACHE_KIB = 64 * 1024
# Checkpoints at 32 MiB of log instead of 4: sending rewrites a few MiB a batch, and each checkpoint waits for the disk.
_CHECKPOINT_PAGES = 8_000

# A host that is lost says no goodbye. Both sides of a connection ask after each other, so that the locks of a lost
# worker are free within half a minute (PostgreSQL's own default is two hours), and a worker notices a lost database.
_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
_ALIVE_AT_THE_SERVER = " ".join(f"-c tcp_{name}={value}" for name, value in _ALIVE.items() if "alive" in name) + (
    " -c tcp_user_timeout=30s")


class ClashError(StoreError):
    """What was to be written contradicts what is there: another process was first, or a rule of the tables forbids it.

    Nothing of the transaction was kept.
    """


class DamagedFileError(StoreError):
    """What lies where the database should be is none, or a broken one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """An open database. Read with ``reading()``, write with ``writing()``; both are one transaction.

    What the database cannot do is raised as a ``StoreError``, a contradiction as a ``ClashError``; never with values.
    """

    reader: Engine
    writer: Engine
    gate: AbstractContextManager[Any] = field(default_factory=nullcontext)
    """SQLite has one writer at a time. Threads of one process queue here: its own waiting is by sleeping."""
    closed: StoreError | None = None
    """Why nothing may be written, when that is so: ``writing`` raises it."""
    patience: float | None = None
    """Seconds to wait for whoever holds the database; None: as long as a program may, see ``BUSY_SECONDS``."""

    @property
    def is_sqlite(self) -> bool:
        """Whether the file-based engine serves this project."""
        return self.writer.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view; nothing is written."""
        with self.said(), self.reader.connect() as connection:
            yield _patient(connection, self.patience)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One consistent view for as many statements as it takes; others write on meanwhile."""
        with self.said(), self.reader.connect() as connection:
            # SQLite's readers see the database as it was at their first look until they end (WAL).
            yield connection if self.is_sqlite else connection.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by any exception.

        Raises:
            StoreError: when this database is open for reading only.
        """
        if self.closed is not None:
            raise self.closed
        with (self.said(), self._turn() as left, self.writer.connect() as connection,
              _patient(connection, left).begin()):
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[float | None]:
        """This process's turn to write; yields how many seconds of patience are left for other processes."""
        lock: Any = self.gate
        if self.patience is None or not self.is_sqlite:
            with lock:
                yield self.patience
            return
        since = time.monotonic()
        if not lock.acquire(timeout=self.patience):
            raise StoreError("The database is busy with something else.", retry=True,
                             todo="Nothing was left half done; try again in a minute.")
        try:
            yield round(max(self.patience - (time.monotonic() - since), _LEAST_PATIENCE), 1)
        finally:
            lock.release()

    def hurried(self, seconds: float) -> Store:
        """The same database for those who sit and wait: what is not to be had in so many seconds is a ``StoreError``.

        It is meant for small deeds. One that has begun is not broken off.
        """
        return replace(self, patience=seconds)

    def only_reading(self, why: StoreError) -> Store:
        """The same database, in which nothing may be written; ``why`` is what an attempt is told."""
        return replace(self, closed=why)

    def close(self) -> None:
        """Close every connection."""
        self.reader.dispose()
        self.writer.dispose()

    @contextmanager
    def said(self) -> Iterator[None]:
        """Within the block the database's own faults are raised as sentences of ours."""
        try:
            yield
        except (DBAPIError, NoConnectionError) as fault:
            raise _sentence(fault) from fault


def connect(url: str, folder: Path) -> Store:
    """Open the database at ``url``; a relative SQLite path is taken from the project's ``folder``.

    Raises:
        StoreError: when the URL makes no sense, or the folder of its file cannot be made.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("The database URL cannot be read.", where="PILLARBOX_DATABASE_URL",
                         todo="It should look like sqlite:///var/pillarbox.db or postgresql://host/name.") from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, folder)
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        return _postgresql(parsed)
    raise StoreError(f"Databases of the kind {parsed.get_backend_name()!r} are not served.",
                     todo="Use SQLite or PostgreSQL.")


def _sentence(fault: DBAPIError | NoConnectionError) -> StoreError:
    """The fault as staff may read it.

    SQLAlchemy's message carries the statement's values, and the driver's may (a key that is there already, a value
    that does not fit): those are personal data. Of the driver's words only the first line is
    shown, and only where it cannot hold any.
    """
    if isinstance(fault, NoConnectionError):
        return StoreError("The database has no connection free for this.", retry=True,
                          todo="Nothing was left half done; try again.")
    words = str(fault.orig).strip().splitlines()[0] if fault.orig and str(fault.orig).strip() else "no answer"
    if any(damaged in words for damaged in _DAMAGED):
        return DamagedFileError(f"The database file is damaged: {words}.",
                                todo="Send nothing from it; `pillarbox store restore` puts the newest backup in its "
                                     "place.")
    if isinstance(fault, IntegrityError):  # the first line names rule and table; the values stand in the next
        return ClashError(f"The database refused a row: {words}.", retry=True,
                          todo="Another command may have been first. Nothing was left half done; look where things "
                               "stand, then try again.")
    if words.startswith("deadlock detected"):  # PostgreSQL's; SQLite has one writer
        return StoreError("Two that wrote at once waited for each other, and the database let the other one go first.",
                          retry=True, todo="Nothing was left half done; try again.")
    if isinstance(fault, OperationalError):
        return StoreError(f"The database could not do it: {words}.", retry=True,
                          todo="Nothing was left half done; see that the disk has room and the database runs, then try "
                               "again.")
    kind = type(fault.orig).__name__ if fault.orig else type(fault).__name__
    return StoreError(f"The database did not understand or take it ({kind}).",
                      todo="Nothing was left half done. If it comes again, please report it.")


def _postgresql(url: URL) -> Store:
    engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=10,
                           hide_parameters=True, connect_args=alive(url), **_JSON)
    event.listen(engine, "begin", _limit_lock_waits)
    return Store(reader=engine, writer=engine)


def _patient(connection: Connection, seconds: float | None) -> Connection:
    """The connection, told how long to wait for others when its transaction begins."""
    return connection if seconds is None else connection.execution_options(**{_PATIENCE: seconds})


def _limit_lock_waits(connection: Connection) -> None:
    """For who waits in person; until the transaction's end. Others wait as long as it takes."""
    if (seconds := connection.get_execution_options().get(_PATIENCE)) is not None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(seconds * 1000)}")


def alive(url: URL, *more: str) -> dict[str, Any]:
    """What a PostgreSQL connection is opened with beside its URL: each side notices when the other is gone.

    Args:
        url: whose own ``options`` stay, and come first.
        more: further server options.
    """
    given = url.query.get("options", "")
    asked = given if isinstance(given, str) else " ".join(given)
    return {**_ALIVE, "options": " ".join(part for part in (asked, _ALIVE_AT_THE_SERVER, *more) if part)}


def _sqlite(url: URL, folder: Path) -> Store:
    if not url.database or url.database == ":memory:":
        raise StoreError("A database in memory would forget what was sent.", todo="Name a file.")
    path = folder / url.database
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # everybody's address will lie in it
    except OSError as fault:
        raise StoreError(f"The database's folder cannot be made: {fault.strerror}.", where=str(path.parent),
                         todo="See that the disk has room and the folder may be written.") from None
    url = url.set(database=str(path))
    return Store(reader=_sqlite_engine(url, "BEGIN"), writer=_sqlite_engine(url, "BEGIN IMMEDIATE"),
                 gate=threading.RLock())


def _sqlite_engine(url: URL, begin: str) -> Engine:
    usual = BUSY_SECONDS
    engine = create_engine(url, connect_args={"timeout": usual, "check_same_thread": False}, hide_parameters=True,
                           **_JSON)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver starts no transactions behind our back
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON",
                       f"cache_size=-{_CACHE_KIB}", "temp_store=MEMORY",
                       f"wal_autocheckpoint={_CHECKPOINT_PAGES}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        wanted = connection.get_execution_options().get(_PATIENCE, usual)
        if connection.info.get(_PATIENCE, usual) != wanted:  # it stays with the connection, which others use next
            connection.exec_driver_sql(f"PRAGMA busy_timeout={round(wanted * 1000)}")
            connection.info[_PATIENCE] = wanted
        connection.exec_driver_sql(begin)

    return engine
