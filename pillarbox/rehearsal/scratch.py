"""The scratch copy of a rehearsal: what a plan reads of the project, in a folder that only this user may open.

It is deleted when the rehearsal ends, however it ends; what a killed one left goes with the next command that starts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Table, insert, or_, select

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.ground.keys import fingerprint
from pillarbox.ground.process import Worker
from pillarbox.model.config import Settings
from pillarbox.model.states import MailingState
from pillarbox.standin.behaviour import API_KEY
from pillarbox.store import migrate, schema
from pillarbox.store.connect import connect
from pillarbox.store.project import Project, home

PREFIX = "pillarbox-rehearsal-"
OWNER = "owner"
_ROWS_AT_ONCE = 5_000
# A mailing's span is a month at most, and a supporter's wish is "once a month": nothing older keeps anybody out.
_STILL_COUNTS = timedelta(days=35)
# What says who is written to, and what a letter says of them. Nothing of staff, and no event.
_WHOLE: tuple[Table, ...] = (
    schema.supporters, schema.suppressions, schema.lists, schema.list_members, schema.consents, schema.wishes,
    schema.donations, schema.refunds, schema.editions)


@contextmanager
def scratch(project: Project, slug: str, *, sendgrid_url: str,
            on_progress: Callable[[int], None] = lambda _done: None) -> Iterator[Project]:
    """A copy of what a plan of this appeal reads, as a project of its own that sends to ``sendgrid_url`` alone.

    Args:
        project: what is rehearsed; nothing of it is changed.
        slug: the appeal.
        sendgrid_url: a server on this machine.
        on_progress: called with the number of rows just copied.

    Raises:
        Refused: the disk has no room.
    """
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root()))  # only its owner may look into it
    try:
        (folder / OWNER).write_text(str(Worker.this()), "ascii")
        settings = settings_of(project.settings, folder, sendgrid_url)
        _copy_files(project.folder, folder, slug)
        store = connect(settings.project.database, folder)
        try:
            made = replace(project, folder=folder, settings=settings, store=store)
            _copy_rows(project, made, slug, on_progress)
            yield made
        finally:
            store.close()
    except OSError as fault:
        raise Refused(f"There is no room for a rehearsal ({fault.strerror}); nothing was left behind.",
                      where=str(root()), todo="TMPDIR may name a folder with more room.") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def root() -> Path:
    """Where the copies lie: the system's folder for temporary files, which TMPDIR may name."""
    return Path(tempfile.gettempdir())


def sweep() -> int:
    """Delete what killed rehearsals of this user left; returns how many."""
    found = 0
    for folder in root().glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            if folder.is_symlink() or not folder.is_dir() or _is_anothers(folder):
                continue
            owner = folder / OWNER
            worker = Worker.parse(owner.read_text("ascii")) if owner.exists() else None
            fresh = clock.now().timestamp() - folder.stat().st_mtime < 60  # it may be about to write its owner
            if worker.surely_dead if worker else not fresh:
                shutil.rmtree(folder, ignore_errors=True)
                found += 1
    return found


def _is_anothers(folder: Path) -> bool:
    return hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()


def settings_of(settings: Settings, folder: Path, sendgrid_url: str) -> Settings:
    """The project's settings for its scratch copy: the same letters by the same road, to a server on this machine.

    Nothing that spreads a mailing over hours or days is kept: no throttle, no launch, no hours of the day.
    """
    return settings.model_copy(update={
        "folder": folder,
        "rehearsal": "practice" if settings.practice else "live",
        "project": settings.project.model_copy(update={
            "transport": "sendgrid", "database": f"sqlite:///{folder / 'scratch.db'}"}),
        "sendgrid": settings.sendgrid.model_copy(update={
            "url": sendgrid_url, "api_key": type(settings.sendgrid.api_key)(API_KEY)}),
        "limits": settings.limits.model_copy(update={"per_second": None, "domains": {}, "warm_up": ()}),
        "launch": settings.launch.model_copy(update={
            "countdown_seconds": 0.0, "first": 0, "watch_minutes": 0.0, "spread_hours": 0.0, "hours": ""}),
        "brakes": settings.brakes.model_copy(update={"silence_minutes": 0.0}),
        "backup": settings.backup.model_copy(update={"nightly": False, "folder": "backups"}),
    })


def _copy_files(project: Path, folder: Path, slug: str) -> None:
    for part in (Path("appeals") / slug, Path("templates")):
        if (project / part).is_dir():
            shutil.copytree(project / part, folder / part)
    if (saved := project / "lists" / "segments.toml").is_file():
        (folder / "lists").mkdir()
        shutil.copyfile(saved, folder / "lists" / "segments.toml")


def _copy_rows(project: Project, made: Project, slug: str, on_progress: Callable[[int], None]) -> None:
    """Copy what a plan reads, as it stands at one moment; it may lack what its rows point to and no plan reads."""
    migrate.upgrade(made.store)
    with project.store.reading() as source, _loosely(made.store.writer) as target:
        for table in _WHOLE:
            on_progress(_copy(source, target, table))
        on_progress(_copy(source, target, schema.mailings, schema.mailings.c.state != MailingState.COMPOSING))
        on_progress(_copy(source, target, schema.messages, _near(slug)))
        target.execute(insert(schema.project).values(
            id=project.id, created_at=clock.now(), machine=home(made.settings), sealed=False,
            key_fingerprint=fingerprint(project.secret)))


def _near(slug: str) -> ColumnElement[bool]:
    """Messages that may keep somebody out: of this appeal, or of mailings that are not long over."""
    m = schema.mailings.c
    return schema.messages.c.mailing_id.in_(select(m.id).where(or_(
        m.appeal == slug, m.finished_at.is_(None), m.finished_at > clock.now() - _STILL_COUNTS)))


@contextmanager
def _loosely(engine: Engine) -> Iterator[Connection]:
    """One transaction without foreign keys, and without waiting for the disk: nobody needs it after a power cut."""
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        for pragma in ("foreign_keys=OFF", "synchronous=OFF"):
            raw.execute(f"PRAGMA {pragma}")
        with connection.begin():
            yield connection
        raw.execute("PRAGMA foreign_keys=ON")


def _copy(source: Connection, target: Connection, table: Table, only: ColumnElement[bool] | None = None) -> int:
    query = select(table).execution_options(yield_per=_ROWS_AT_ONCE)
    if only is not None:
        query = query.where(only)
    count = 0
    for rows in source.execute(query).partitions():
        target.execute(insert(table), [dict(row._mapping) for row in rows])
        count += len(rows)
    return count

