"""The journal of launches: a line on disk for every mailing whose gate was opened, written before it opens.

It lies beside the database and is no part of it, so that a database that goes back in time, or is lost, cannot make
anybody believe that an edition was never sent. Lines are only ever added. It holds no personal data.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused, StoreError
from pillarbox.model.config import Settings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schema import attempts, mailings, messages

FILE = "launched.jsonl"


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """A mailing that was let go: what a later plan and a restore must know of it."""

    at: datetime
    project: str
    mailing: str
    source_code: str
    """Tells the mailing from every other, whatever their names."""
    appeal: str
    edition: str
    practice: bool
    kind: str
    transport: str
    title: str
    for_date: date
    planned: int
    highest: Mapping[str, int]
    """Table → highest id given out by then: a restored database gives out none of them again."""

    def to_line(self) -> bytes:
        """As it stands in the file."""
        return orjson.dumps(asdict(self)) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Launch:
        """Read what ``to_line`` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            told: dict[str, Any] = orjson.loads(line)
            return cls(**told | {"at": datetime.fromisoformat(told["at"]),
                                 "for_date": date.fromisoformat(told["for_date"])})
        except (KeyError, TypeError, ValueError) as fault:
            raise ValueError("no line of a journal") from fault


def place(settings: Settings, url: str | None = None) -> Path:
    """Where the journal of a database lies: beside its file, or in the project's var/ for a server.

    Args:
        url: another database than the settings' own.
    """
    url = url or settings.project.database
    if url.startswith("sqlite:///"):
        return (settings.folder / url.removeprefix("sqlite:///")).parent / FILE
    return settings.folder / "var" / FILE


def copy_in(folder: Path, project: str) -> Path:
    """The copy in a folder of backups, which several projects may share."""
    return folder / f"launched-{project}.jsonl"


def backups(settings: Settings) -> Path:
    """The folder of backups."""
    return settings.folder / settings.backup.folder


def of(connection: Connection, mailing: Mailing, *, project: str, at: datetime) -> Launch:
    """A mailing's launch, as the ledger knows it."""
    highest = {"".join(table.name): connection.execute(select(func.max(table.c.id))).scalar() or 0
               for table in (mailings, messages, attempts)}
    return Launch(at=at, project=project, mailing=mailing.name, source_code=mailing.source_code, appeal=mailing.appeal,
                  edition=mailing.edition, practice=mailing.practice, kind=mailing.kind.value,
                  transport=mailing.transport, title=mailing.title, for_date=mailing.for_date,
                  planned=mailing.planned, highest=highest)


def note(project: Project, connection: Connection, mailing: Mailing) -> None:
    """Write down that a mailing is let go: call it in the transaction that opens its gate, before that is committed.

    Harmless when done twice. A copy beside the backups is made where their folder exists.

    Raises:
        Refused: the journal cannot be written; the mailing must not go then.
    """
    line = of(connection, mailing, project=project.id, at=clock.now()).to_line()
    path = place(project.settings)
    try:
        _append(path, line)
    except OSError as fault:
        raise Refused(f"The journal of launches cannot be written ({fault.strerror}); nothing was sent.",
                         where=str(path), todo="See that the disk has room and the folder may be written, then send "
                                            "again.", retry=True) from None
    folder = backups(project.settings)
    if folder.is_dir():
        with contextlib.suppress(OSError):  # the next backup brings the copy up to date, and says when it cannot
            _append(copy_in(folder, project.id), line)


def confirm(project: Project, mailing: Mailing) -> None:
    """Write down that the transaction which let a mailing go is committed: call it right after.

    A database that does not know of it later is an older one, put back by hand. What cannot be written is left out: it
    only makes that harder to see.
    """
    line = orjson.dumps({"begun": mailing.source_code, "at": clock.now()}) + b"\n"
    with contextlib.suppress(OSError):
        _append(place(project.settings), line)


def begun(project: Project, mailing: Mailing) -> datetime | None:
    """When a mailing was last let go by this project's database, whatever that says of it now; None: never."""
    try:
        text = place(project.settings).read_bytes()
    except OSError:
        return None
    known = mailing.source_code.encode()
    return max((datetime.fromisoformat(told["at"]) for line in text.splitlines()
                if known in line and (told := _loaded(line)).get("begun") == mailing.source_code), default=None)


def _loaded(line: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError:  # a line that a crash cut short
        return {}
    return told if isinstance(told, dict) else {}


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        file.seek(0, os.SEEK_END)
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # a line that a crash cut short
                line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def read(paths: Iterable[Path]) -> list[Launch]:
    """Every launch that some journal tells, oldest first, each once. A line that a crash cut short is no launch.

    Raises:
        StoreError: a journal is there and cannot be read.
    """
    found: dict[str, Launch] = {}
    for path in paths:
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as fault:
            raise StoreError(f"The journal of launches cannot be read: {fault.strerror}.", where=str(path),
                             todo="See that the file is yours to read.") from None
        for line in text.splitlines():
            try:
                launch = Launch.from_line(line)
            except ValueError:
                continue
            found.setdefault(launch.source_code, launch)
    return sorted(found.values(), key=lambda launch: launch.at)


def add_missing(path: Path, launches: Iterable[Launch]) -> None:
    """Bring another copy up to date: lines are added, none is taken away."""
    known = {launch.source_code for launch in read([path])}
    for launch in launches:
        if launch.source_code not in known:
            _append(path, launch.to_line())


def refuse_unknown(project: Project, connection: Connection, *, edition_id: int) -> None:
    """See that no edition is planned that was let go by a mailing which this database does not know.

    Practice without a label is always an edition of its own, and reaches nobody: only live ones are looked at.

    Raises:
        Refused: it was let go, from a database that has been lost since.
    """
    from pillarbox.store.schema import editions

    wanted = connection.execute(select(editions).where(editions.c.id == edition_id)).one()
    if wanted.practice:
        return
    for launch in read([place(project.settings)]):
        if (launch.appeal, launch.edition, launch.practice) != (wanted.appeal, wanted.label, False):
            continue
        if connection.execute(select(mailings.c.id).where(
                mailings.c.source_code == launch.source_code)).first() is None:
            raise Refused(f"{launch.appeal} ({launch.edition}) was sent on {launch.at:%d %B %Y}, as {launch.mailing}, "
                          "from a database that is not this one.", where=str(place(project.settings)),
                          todo="Restore the newest backup, or name a new edition with --again LABEL.")
