"""Backups: written aside, read back, and only then given their name; old ones go."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, Refused, StoreError
from pillarbox.ground.process import Worker
from pillarbox.keeping import dump, journal
from pillarbox.keeping.cipher import DamagedError
from pillarbox.model.config import Settings
from pillarbox.store import audit, notices
from pillarbox.store.project import Project
from pillarbox.store.schema import marks
from pillarbox.store.upsert import insert_for

SUFFIX = ".backup"
MADE, NIGHTLY, TRIED = "backup", "backup-nightly", "backup-tried"
"""Marks: the last backup of any kind, the last nightly one, and when a nightly one was last begun."""
_AGAIN_AFTER = timedelta(hours=1)
_TOLD_AGAIN = timedelta(hours=20)
_OVERDUE = timedelta(hours=24)
_PART_LIMIT = timedelta(hours=24)


class NoRoomError(StoreError):
    """The backups' folder does not take what is written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Backup:
    """A backup that lies in the folder."""

    path: Path
    made_at: datetime
    """To the second."""
    why: str
    size: int
    """Bytes."""


def backup(project: Project, why: str = "staff", *, spare: Path | None = None,
           on_progress: Callable[[int], None] = lambda _done: None) -> Path:
    """Write an encrypted copy of the whole project into the backups' folder, and see that it can be read.

    The database is read as it stands at one moment; others work on meanwhile. Where something goes wrong nothing is
    left behind; a process that is killed leaves a ``.part`` file, which the next backup takes away.

    Args:
        why: one word, part of the name: ``staff``, ``nightly``, ``send`` …
        spare: an older one that stays, whatever its age: it is needed at this moment.

    Returns:
        where it lies.

    Raises:
        StoreError: no room, a folder that may not be written, or a copy that could not be read back.
    """
    folder = journal.backups(project.settings)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sweep(folder, project.id)
        path = _write(project, folder, why, on_progress)
        journal.add_missing(journal.copy_in(folder, project.id), journal.read([journal.place(project.settings)]))
        _prune(folder, project, spare=(path, spare and spare.resolve()))
    except OSError as fault:
        raise NoRoomError(f"The backup could not be written ({fault.strerror}); nothing was left half done.",
                          where=str(folder), todo="See that the disk has room and the folder may be written.",
                          retry=True) from None
    if project.store.closed is None:
        with project.store.writing() as connection:
            _mark(connection, MADE)
            audit.record(connection, actor="pillarbox", action="backup", subject=path.name, detail={"why": why})
    return path


def _write(project: Project, folder: Path, why: str, on_progress: Callable[[int], None]) -> Path:
    moment = clock.now()
    part = folder / f".{_name(project.id, moment, why)}.{str(Worker.this()).replace(':', '_')}.part"
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file, project.store.snapshot() as connection:
            told = dump.about(project.settings, project.id, made_at=moment, why=why)
            written = dump.write(connection, file, project.settings, told, on_progress)
            file.flush()
            os.fsync(file.fileno())
        with dump.opened(part, project.settings) as again:
            if again.verify() != written:
                raise DamagedError("What was read back is not what was written.", where=str(folder),
                                   todo="Have the disk looked at; try again.")
        return _settle_name(part, folder, project.id, moment, why)
    finally:
        part.unlink(missing_ok=True)


def _settle_name(part: Path, folder: Path, project: str, moment: datetime, why: str) -> Path:
    """Give the finished file a name later than every other's: the order of the names is that of their making.

    Two in one second, or a clock that was set back, would otherwise have the newer one deleted as the older.
    """
    newest = next(iter(known(folder, project)), None)
    if newest is not None:
        moment = max(moment, newest.made_at + timedelta(seconds=1))
    path = _renamed(part, folder, project, moment, why)
    with contextlib.suppress(OSError, AttributeError):  # Windows cannot open a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return path


def _renamed(part: Path, folder: Path, project: str, moment: datetime, why: str) -> Path:
    """The first name from that moment on that is free: two processes may finish in the same second."""
    while True:
        path = folder / _name(project, moment, why)
        try:
            os.link(part, path)  # unlike a rename, it takes no other's place
        except FileExistsError:
            moment += timedelta(seconds=1)
        except OSError:  # a file system without links: a memory stick
            part.rename(path)
            return path
        else:
            part.unlink()
            return path


def _name(project: str, moment: datetime, why: str) -> str:
    return f"pillarbox-{project}-{moment:%Y%m%d-%H%M%S}-{why}{SUFFIX}"


def _sweep(folder: Path, project: str) -> None:
    """Take away what a killed process left."""
    for part in folder.glob(f".pillarbox-{project}-*.part"):
        worker = Worker.parse(part.name.removesuffix(".part").rpartition(SUFFIX + ".")[2].replace("_", ":"))
        age = clock.now().timestamp() - part.stat().st_mtime
        if worker is None or worker.surely_dead or age > _PART_LIMIT.total_seconds():
            part.unlink(missing_ok=True)


def _prune(folder: Path, project: Project, *, spare: tuple[Path | None, ...]) -> None:
    """Delete the old ones. The nights are counted by themselves: a busy day must not take the weeks before it away."""
    found = known(folder, project.id)
    nights = [one for one in found if one.why == "nightly"]
    others = [one for one in found if one.why != "nightly"]
    for old in (*nights[project.settings.backup.keep:], *others[project.settings.backup.keep:]):
        if old.path not in spare and old.path.resolve() not in spare:
            old.path.unlink(missing_ok=True)


def known(folder: Path, project: str) -> list[Backup]:
    """A project's backups in a folder, newest first; files of other names are none."""
    pattern = re.compile(rf"pillarbox-{re.escape(project)}-(\d{{8}}-\d{{6}})-([a-z-]+){re.escape(SUFFIX)}")
    found = []
    for path in folder.glob(f"pillarbox-{project}-*{SUFFIX}"):
        if named := pattern.fullmatch(path.name):
            with contextlib.suppress(FileNotFoundError):  # another process has just deleted it as an old one
                found.append(Backup(path=path, why=named[2], size=path.stat().st_size,
                                    made_at=datetime.strptime(f"{named[1]}+0000", "%Y%m%d-%H%M%S%z")))
    return sorted(found, key=lambda one: one.made_at, reverse=True)


# ------------------------------------------------------------------------------------------------ by itself


def before_send(project: Project) -> Path | None:
    """The backup before a live mailing is let go; None in practice.

    Raises:
        Refused: it could not be made; the mailing should wait.
        StoreError: the database is away.
    """
    if project.settings.practice:
        return None
    try:
        return backup(project, "send")
    except NoRoomError as fault:  # this mailing's own trouble; the database is well
        raise Refused(fault.what, where=fault.where, todo=fault.todo, retry=True) from None


def nightly(project: Project) -> Path | None:
    """Make the nightly backup when it is due: once a day, at or after [backup] at in the charity's zone.

    Of several workers one does it. One that fails is tried again after an hour, and staff are told.

    Returns:
        where it lies; None when none was due, or it failed.
    """
    settings = project.settings.backup
    if not settings.nightly or project.store.closed is not None or not _begin(project):
        return None
    try:
        path = backup(project, "nightly")
    except PillarboxError as fault:
        _tell(project, fault)
        return None
    with project.store.writing() as connection:
        _mark(connection, NIGHTLY)
    return path


def _tell(project: Project, fault: PillarboxError) -> None:
    """Tell staff, once a day, however often it is tried."""
    with project.store.writing() as connection:
        if not any(notice.kind == "backup" and clock.now() - notice.at < _TOLD_AGAIN
                   for notice in notices.newest(connection)):
            notices.add(connection, kind="backup", words=f"The nightly backup failed. {fault.sentence()}")


def _begin(project: Project) -> bool:
    """Whether this process is to make the nightly backup now; says so to the others."""
    moment = clock.now()
    with project.store.reading() as connection:
        found = {row.name: row.at for row in connection.execute(
            select(marks).where(marks.c.name.in_((NIGHTLY, TRIED))))}
    if not due(project.settings, moment, found.get(NIGHTLY)):
        return False
    with project.store.writing() as connection:
        into = insert_for(connection, marks).values(name=TRIED, at=moment)
        again = into.on_conflict_do_update(
            index_elements=["name"], set_={"at": moment},
            where=(marks.c.at <= moment - _AGAIN_AFTER) | (marks.c.at > moment))
        return connection.execute(again.returning(marks.c.name)).first() is not None


def due(settings: Settings, moment: datetime, last: datetime | None) -> bool:
    """Whether a nightly backup is due: the last one is of an earlier day, and the hour has come or it is overdue."""
    if last is None or last > moment + timedelta(days=1):  # none yet; or the clock was set back
        return True
    zone = ZoneInfo(settings.project.zone)
    local = moment.astimezone(zone)
    if last.astimezone(zone).date() >= local.date():
        return False
    return f"{local:%H:%M}" >= settings.backup.at or moment - last > _OVERDUE


def _mark(connection: Connection, name: str) -> None:
    moment = clock.now()
    connection.execute(insert_for(connection, marks).values(name=name, at=moment).on_conflict_do_update(
        index_elements=["name"], set_={"at": moment}))
