"""Bring a database to the tables that this program knows, or say plainly why it cannot be used.

Alembic is imported only when there is something to do: looking costs one small query.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.sql import column, table

from pillarbox.ground.errors import StoreError
from pillarbox.store.connect import Store

HISTORY = ("0001",)
"""Every migration's name, oldest first; a test holds it equal to the files in migrations/versions."""

_VERSION = table("alembic_version", column("version_num"))
_FOLDER = Path(__file__).parent / "migrations"
# Any fixed number that nothing else in the database uses: "pillar" in ASCII.
_LOCK = int.from_bytes(b"pillar", "big")
_HOLD_OFF = text("SELECT set_config('idle_in_transaction_session_timeout', :idle, true), "
                 "pg_advisory_xact_lock_shared(:lock)")
# A transaction that holds the upgrade off may sit idle for so long: a process that was put to sleep in it is cut off.
_IDLE = "60s"


class NewerDatabaseError(StoreError):
    """A newer program has changed the tables: this one must not touch them any more."""


def head() -> str:
    """The migration that this program needs."""
    return HISTORY[-1]


def current(store: Store) -> str | None:
    """The migration that a database stands at; None when it has no tables yet."""
    with store.reading() as connection:
        return _current(connection)


def check(store: Store) -> None:
    """See that the database fits this program; changes nothing.

    Raises:
        StoreError: when it is empty, older or newer.
    """
    found = current(store)
    if found == head():
        return
    refuse_newer(found)
    if found is None:
        raise StoreError("The database has no tables yet.", todo="Run `pillarbox store upgrade`: it makes them.")
    raise StoreError(f"The database is older than this program (it stands at {found}, {head()} is needed).",
                     todo="Keep a copy of the database, then run `pillarbox store upgrade`.")


def still_fits(connection: Connection) -> None:
    """In a transaction that leans on the tables: see that no newer program has changed them, nor can until it ends.

    Raises:
        NewerDatabaseError: one has.
    """
    if connection.dialect.name == "postgresql":  # SQLite's writers are alone anyway
        connection.execute(_HOLD_OFF, {"idle": _IDLE, "lock": _LOCK})
    refuse_newer(connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none())


def refuse_when_left_behind(store: Store) -> None:
    """For programs that run for long: see that no newer one has changed the tables meanwhile.

    Raises:
        NewerDatabaseError: one has.
    """
    refuse_newer(current(store))


def upgrade(store: Store) -> None:
    """Make or change the tables, all or nothing; harmless when there is nothing to do, or when two do it at once.

    Raises:
        StoreError: when the database is newer than this program, or holds tables that no migration made.
    """
    if current(store) == head():
        return
    with alone(store) as connection:
        found = _current(connection)  # another process may have been first
        if found == head():
            return
        refuse_newer(found)
        if found is None and inspect(connection).has_table("messages"):
            raise StoreError("The database has Pillarbox's tables, but does not say which version made them.",
                             todo="Restore a backup, or start with an empty database.")
        _migrate(connection)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()


def refuse_newer(found: str | None) -> None:
    """See that this program knows the migration that a database, or a copy of one, stands at.

    Raises:
        StoreError: a newer program made it.
    """
    if found is not None and found not in HISTORY:
        raise NewerDatabaseError(
            f"The database was made by a newer Pillarbox (it stands at {found}; this program knows up to {head()}).",
            todo="Install the newer version; nothing was changed.")


def make(connection: Connection, target: str) -> None:
    """Bring the tables to one migration, in the caller's transaction (see ``alone``)."""
    _migrate(connection, target)


def _migrate(connection: Connection, target: str = "head") -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)


@contextmanager
def alone(store: Store) -> Iterator[Connection]:
    """One transaction in which tables may be made and changed, and which no other such can overlap."""
    if not store.is_sqlite:
        with store.writing() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection
        return
    # SQLite changes a table by making it anew, which foreign keys would forbid; the switch works only outside a
    # transaction (https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
    with store.said(), store.gate, store.writer.connect() as outside:
        raw = outside.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with outside.begin():
                yield outside
                if outside.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise StoreError("This would leave rows that point to nothing.",
                                     todo="Nothing was changed; please report this with the version you came from.")
        finally:
            raw.execute("PRAGMA foreign_keys=ON")
