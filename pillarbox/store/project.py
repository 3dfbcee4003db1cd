"""The project: its folder, settings and database, and the guard that keeps a copied database from sending."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, inspect, select, update

from pillarbox.ground import clock
from pillarbox.ground.errors import SettingsError, StoreError
from pillarbox.ground.keys import fingerprint, new_key
from pillarbox.ground.process import machine
from pillarbox.model import config
from pillarbox.model.config import Settings
from pillarbox.store import audit, migrate, placement, witness
from pillarbox.store.connect import Store, connect
from pillarbox.store.schema import marks
from pillarbox.store.schema import project as table

ARRIVING = "arriving"
"""The mark of a database into which a project is being moved (``store copy``)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """An open project."""

    id: str
    """Public id, 8 characters: marks our messages at the provider."""
    folder: Path
    settings: Settings
    store: Store

    @property
    def secret(self) -> bytes:
        """The key of every address hash."""
        return self.settings.secret

    def close(self) -> None:
        """Close the database."""
        self.store.close()


def is_project(folder: Path) -> bool:
    """Whether ``folder`` is a project's folder."""
    return (folder / config.FILE).is_file()


def open_project(folder: Path, *, adopt: bool = False,
                 settle: Callable[[Connection], object] = lambda _connection: None) -> Project:
    """Open the project in ``folder``, making its database on first use.

    A database that was copied here, or whose project was moved away, opens for reading only: its ``store.closed`` says
    why, and every attempt to write raises that.

    Args:
        adopt: make this machine the database's home (``store adopt``).
        settle: called in the transaction that adopts a database which was at home elsewhere, or is sealed.

    Raises:
        SettingsError: no project here, faulty settings, or another secret key than the database's.
        StoreError: a database that lies where it may be damaged, or a copied one of another version.
    """
    settings = settings_of(folder)
    store = connect(settings.project.database, folder)
    try:
        known = identity(store)
        if known is not None:
            _see_key(known, settings)
            if (why := _elsewhere(store, known, settings)) is not None and not adopt:
                if migrate.current(store) != migrate.head():
                    raise why  # its tables are not those that this program reads
                return Project(id=known.id, folder=folder, settings=settings, store=store.only_reading(why))
        migrate.upgrade(store)
        if known is None:
            known_id = _found(store, home(settings), settings.secret)
        else:
            known_id = known.id
            if adopt:
                _adopt(store, settings, settle)
    except BaseException:
        store.close()
        raise
    return Project(id=known_id, folder=folder, settings=settings, store=store)


def settings_of(folder: Path) -> Settings:
    """The settings of the project in ``folder``, whose database lies in a fit place.

    Raises:
        SettingsError: no project here, faulty settings, no secret key.
        StoreError: the database would lie where it may be damaged.
    """
    if not is_project(folder):
        raise SettingsError("There is no Pillarbox project here.", where=str(folder),
                            todo="Make one with `pillarbox init DIR`, or name its folder with -C DIR.")
    settings = config.load(folder)
    _ = settings.secret  # without one nothing can be opened
    placement.check(settings.project.database, folder)
    return settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What a database says of itself."""

    id: str
    machine: str
    """Its home, as ``home`` gives it."""
    key_fingerprint: str
    sealed: bool
    """The project was moved to another database, or is being moved into this one."""


def identity(store: Store) -> Identity | None:
    """Whose database it is; None for one without tables, or in which no project was founded yet.

    Raises:
        StoreError: it cannot be read.
    """
    with store.reading() as connection:
        if not inspect(connection).has_table(table.name):
            return None
        row = connection.execute(select(table.c.id, table.c.machine, table.c.key_fingerprint,
                                        table.c.sealed)).one_or_none()
    return None if row is None else Identity(id=row.id, machine=row.machine, key_fingerprint=row.key_fingerprint,
                                             sealed=row.sealed)


def _see_key(known: Identity, settings: Settings) -> None:
    if known.key_fingerprint != fingerprint(settings.secret):
        raise SettingsError("The secret key is not the one that this database was made with.",
                            where=str(settings.folder / config.KEY_FILE),
                            todo="Put the right key back: without it nobody who left would be recognised.")


def _elsewhere(store: Store, known: Identity, settings: Settings) -> StoreError | None:
    """Why this database is not the one that sends; None when it is."""
    where = place(settings.project.database)
    if known.sealed:
        with store.reading() as connection:
            arriving = connection.execute(select(marks.c.at).where(marks.c.name == ARRIVING)).first()
        if arriving is not None:
            return StoreError("Moving the project into this database was broken off; it can be read, not written.",
                              where=where, todo="Set the database back to the earlier one, and run the same `pillarbox "
                                                "store copy` again: it goes on from there.")
        return StoreError("This project was moved to another database; this one is sealed and can be read, not "
                          "written.", where=where,
                          todo="Name the new one in PILLARBOX_DATABASE_URL. Only if that one is out of use for good, "
                               "run `pillarbox store adopt`.")
    if known.machine != home(settings):
        return StoreError("This database was made in another place or on another machine, or was copied away from "
                          "here; two copies could both send, so it can be read, not written.", where=where,
                          todo="If the other one is out of use for good, run `pillarbox store adopt`.")
    if _is_behind(store, known, settings):
        return StoreError("An older copy of this database was put in its place: batches were sent that it does not "
                          "know of. It can be read, not written.", where=where,
                          todo="Put the newest backup back with `pillarbox store restore`. If there is none, "
                               "`pillarbox store adopt` pauses what is unfinished and puts it in doubt.")
    return None


def _is_behind(store: Store, known: Identity, settings: Settings) -> bool:
    with store.reading() as connection:
        return witness.is_behind(connection, settings, known.id)


def _adopt(store: Store, settings: Settings, settle: Callable[[Connection], object]) -> None:
    with store.writing() as connection:
        known = connection.execute(select(table.c.id, table.c.machine, table.c.sealed)).one()
        behind = witness.is_behind(connection, settings, known.id)
        if known.machine != home(settings) or known.sealed or behind:
            settle(connection)
        witness.catch_up(connection, settings, known.id)
        connection.execute(update(table).values(machine=home(settings), sealed=False))
        connection.execute(delete(marks).where(marks.c.name == ARRIVING))
        audit.record(connection, actor="staff", action="adopt", subject="database")


def _found(store: Store, home: str, secret: bytes) -> str:
    with store.writing() as connection:
        if there := connection.execute(select(table.c.id)).scalar_one_or_none():
            return str(there)
        identity = new_key()[:8]
        connection.execute(insert(table).values(id=identity, created_at=clock.now(), machine=home, sealed=False,
                                                key_fingerprint=fingerprint(secret)))
    return identity


def home(settings: Settings, url: str | None = None) -> str:
    """Where a project's database lives: machine and path for a file, host and name for a server.

    Args:
        url: another database than the settings' own.
    """
    url = url or settings.project.database
    if url.startswith("sqlite"):
        file = (settings.folder / url.removeprefix("sqlite:///")).resolve()
        return hashlib.sha256(f"{machine()}:{file}".encode()).hexdigest()[:32]
    parts = urlsplit(url)
    return hashlib.sha256(f"{parts.hostname}:{parts.port or 5432}{parts.path}".encode()).hexdigest()[:32]


def place(url: str) -> str:
    """A database's URL as it may be shown: without user and password."""
    return url.rpartition("@")[2].partition("?")[0]
