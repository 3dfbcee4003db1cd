"""The project: its folder, settings and database, and the guard that keeps a copied database from sending."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import insert, select, update

from pillarbox.ground import clock
from pillarbox.ground.errors import SettingsError, StoreError
from pillarbox.ground.keys import fingerprint, new_key
from pillarbox.ground.process import machine
from pillarbox.model import config
from pillarbox.model.config import Settings
from pillarbox.store import audit, migrate, placement
from pillarbox.store.connect import Store, connect
from pillarbox.store.schema import project as table


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


def open_project(folder: Path, *, adopt: bool = False) -> Project:
    """Open the project in ``folder``, making its database on first use.

    Args:
        adopt: make this machine the database's home (``store adopt``).

    Raises:
        SettingsError: no project here, faulty settings, or another secret key than the database's.
        StoreError: a database that was copied here, is sealed, or lies where it may be damaged.
    """
    if not is_project(folder):
        raise SettingsError("There is no Pillarbox project here.", where=str(folder),
                            todo="Make one with `pillarbox init DIR`, or name its folder with -C DIR.")
    settings = config.load(folder)
    secret = settings.secret
    placement.check(settings.project.database, folder)
    store = connect(settings.project.database, folder)
    try:
        migrate.upgrade(store)
        identity = _identify(store, settings, folder, secret, adopt=adopt)
    except BaseException:
        store.close()
        raise
    return Project(id=identity, folder=folder, settings=settings, store=store)


def _identify(store: Store, settings: Settings, folder: Path, secret: bytes, *, adopt: bool) -> str:
    home = _home(settings, folder)
    with store.reading() as connection:
        known = connection.execute(select(table)).one_or_none()
    if known is None:
        return _found(store, home, secret)
    if known.key_fingerprint != fingerprint(secret):
        raise SettingsError("The secret key is not the one that this database was made with.",
                            where=str(folder / config.KEY_FILE),
                            todo="Put the right key back: without it nobody who left would be recognised.")
    if known.machine != home or known.sealed:
        if not adopt:
            raise StoreError("This database was made in another place or on another machine, or was copied away from "
                             "here; two copies could both send.", where=settings.project.database.rpartition("@")[2],
                             todo="If the other one is out of use for good, run `pillarbox store adopt`.")
        with store.writing() as connection:
            connection.execute(update(table).values(machine=home, sealed=False))
            audit.record(connection, actor="staff", action="adopt", subject="database")
    return str(known.id)


def _found(store: Store, home: str, secret: bytes) -> str:
    with store.writing() as connection:
        if there := connection.execute(select(table.c.id)).scalar_one_or_none():
            return str(there)
        identity = new_key()[:8]
        connection.execute(insert(table).values(id=identity, created_at=clock.now(), machine=home, sealed=False,
                                                key_fingerprint=fingerprint(secret)))
    return identity


def _home(settings: Settings, folder: Path) -> str:
    """Where the database lives: machine and path for a file, host and name for a server."""
    url = settings.project.database
    if url.startswith("sqlite"):
        file = (folder / url.removeprefix("sqlite:///")).resolve()
        return hashlib.sha256(f"{machine()}:{file}".encode()).hexdigest()[:32]
    parts = urlsplit(url)
    return hashlib.sha256(f"{parts.hostname}:{parts.port or 5432}{parts.path}".encode()).hexdigest()[:32]
