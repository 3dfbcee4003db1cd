"""The database: whether it answers, is whole, has room, and agrees with the clock."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text

from pillarbox.doctor.configuration import in_git
from pillarbox.doctor.finding import Finding, look, well, wrong
from pillarbox.ground import clock
from pillarbox.ground.errors import StoreError
from pillarbox.model.config import Settings
from pillarbox.store import migrate
from pillarbox.store.project import Project
from pillarbox.store.schema import audit, mailings, workers

_MB = 1_000_000
_LITTLE_ROOM, _NO_ROOM = 1_000 * _MB, 200 * _MB
_LONG_LOG = 256 * _MB
_QUICK = 2_000 * _MB
"""A file up to this size is looked through each time; a larger one takes minutes, and only when asked."""
_DRIFT = timedelta(seconds=30)
_AHEAD = timedelta(minutes=5)


def examine(project: Project, *, thorough: bool = False) -> Iterator[Finding]:
    """Everything about the database of a project that could be opened."""
    engine = "SQLite" if project.store.is_sqlite else "PostgreSQL"
    yield well("database", f"The database answers ({engine}, tables of version {migrate.head()}).")
    try:
        if project.store.is_sqlite:
            yield from _file(project, thorough=thorough)
        else:
            yield from _server_clock(project)
        yield from _future(project)
    except StoreError as fault:
        yield wrong("database", fault.what, fault.todo)


def path_of(settings: Settings) -> Path | None:
    """The database's file; None when a server keeps it."""
    url = settings.project.database
    return settings.folder / url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else None


def _file(project: Project, *, thorough: bool) -> Iterator[Finding]:
    path = path_of(project.settings)
    if path is None or not path.exists():
        return
    size = path.stat().st_size
    yield from _whole(project, size, thorough=thorough)
    yield from room(path.parent, size)
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size > _LONG_LOG:
        yield look("database-log", f"The database's log has grown to {_said(log.stat().st_size)}: some process reads "
                                   "for a very long time.", "Restart `serve` and `worker`.")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o004 and (
            stat.S_IMODE(path.parent.stat().st_mode) & 0o001):
        yield look("database-open", "Others who have an account on this machine can read the database, and with it "
                                    "everybody's address.", f"Run `chmod 700 {path.parent.name}`.")
    if in_git(path):
        yield wrong("database-in-git", "The database is in git: supporters never belong there.",
                    f"Run `git rm --cached {path.name}`, and take it out of the history.")


def _whole(project: Project, size: int, *, thorough: bool) -> Iterator[Finding]:
    if size > _QUICK and not thorough:
        yield well("database-whole", f"The database's file ({_said(size)}) was not looked through; `pillarbox doctor "
                                     "--thorough` does.")
        return
    with project.store.reading() as connection:
        answer = str(connection.execute(text("PRAGMA quick_check(1)")).scalar_one())
    if answer == "ok":
        yield well("database-whole", f"The database's file is whole ({_said(size)}), on a disk of this machine.")
    else:
        yield wrong("database-whole", "The database's file is damaged.",
                    "Send nothing from it; `pillarbox store restore` puts the newest backup in its place.")


def room(folder: Path, size: int) -> Iterator[Finding]:
    """Whether the disk has room: for the log, and for a copy of a database of this size (bytes)."""
    free = shutil.disk_usage(folder).free
    if free < _NO_ROOM:
        yield wrong("disk", f"The disk is as good as full ({_said(free)} are free).",
                    "Make room before anything is planned or sent.")
    elif free < max(_LITTLE_ROOM, 2 * size):
        yield look("disk", f"The disk has little room left ({_said(free)}).",
                   "A plan of the whole list and a backup need about twice the database's size.")
    else:
        yield well("disk", f"The disk has room ({_said(free)} are free).")


def _server_clock(project: Project) -> Iterator[Finding]:
    before = datetime.now(UTC)
    with project.store.reading() as connection:
        server = connection.execute(select(func.clock_timestamp())).scalar_one()
    drift = server - (before + (datetime.now(UTC) - before) / 2)
    if abs(drift) > _DRIFT:
        yield wrong("clock", f"This machine's clock and the database's differ by {abs(drift).total_seconds():,.0f} "
                             "seconds.", "Let both be set by the network (NTP): leases and schedules go by them.")
    else:
        yield well("clock", "This machine's clock agrees with the database's.")


def _future(project: Project) -> Iterator[Finding]:
    """What was written at a time that has not come: the clock has jumped back, or was wrong then."""
    with project.store.reading() as connection:
        known = [connection.execute(select(func.max(column, type_=column.type))).scalar_one()
                 for column in (audit.c.at, mailings.c.created_at, workers.c.seen_at)]
    newest = max((moment for moment in known if moment is not None), default=None)
    if newest is not None and newest - clock.now() > _AHEAD:
        yield wrong("clock-back", f"The database was written to at {newest:%d %B %Y %H:%M} UTC, which has not come "
                                  "yet: this machine's clock is wrong, or was.", "Set the clock (NTP), then ask again.")


def _said(size: int) -> str:
    return f"{size / _MB / 1_000:,.1f} GB" if size >= 1_000 * _MB else f"{size / _MB:,.1f} MB"
