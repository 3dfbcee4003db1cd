"""A whole project in one file: every table's rows as lines, compressed and encrypted, with counts and digests."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from sqlalchemy import Connection

from pillarbox import __version__
from pillarbox.ground.errors import StoreError
from pillarbox.ground.keys import fingerprint
from pillarbox.keeping import cipher, rows
from pillarbox.keeping.cipher import DamagedError, Header
from pillarbox.keeping.rows import Frame, Tally
from pillarbox.model.config import Settings
from pillarbox.store import migrate

# Measured: 1 takes a third of the time of the usual 6 and gives files a tenth larger.
_COMPRESSION = 1
_PLAIN_AT_ONCE = 1 << 22


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """What can be known of a backup without opening it."""

    project: str
    """Public id."""
    made_at: datetime
    schema: str
    """The migration that its tables stand at."""
    why: str
    key_fingerprint: str
    """Of the project's secret key: address hashes mean nothing under another one."""

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {"project": self.project, "made_at": self.made_at.isoformat(), "schema": self.schema, "why": self.why,
                "key_fingerprint": self.key_fingerprint, "program": __version__}


@dataclass(kw_only=True, slots=True)
class Manifest:
    """What a backup holds: table → its tally; and the highest ids given out."""

    tables: dict[str, list[Any]] = field(default_factory=dict)
    highest: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows in all."""
        return sum(int(tally[0]) for tally in self.tables.values())


def about(settings: Settings, project: str, *, made_at: datetime, why: str) -> About:
    """What a backup that is made now says of itself."""
    return About(project=project, made_at=made_at, schema=migrate.head(), why=why,
                 key_fingerprint=fingerprint(settings.secret))


def write(connection: Connection, file: BinaryIO, settings: Settings, told: About,
          on_progress: Callable[[int], None]) -> Manifest:
    """Write every table, as one consistent view shows it.

    Args:
        connection: of ``Store.snapshot``.
        on_progress: called with the number of rows just written.
    """
    sealer = cipher.Sealer(file, cipher.new_header(settings, told.to_json()))
    squeeze = zlib.compressobj(_COMPRESSION)
    manifest = Manifest()
    for frame in rows.frames():
        sealer.write(squeeze.compress(orjson.dumps({"table": frame.name, "columns": frame.columns}) + b"\n"))
        done = Tally()
        for line in rows.lines(connection, frame):
            done.add(line)
            sealer.write(squeeze.compress(line + b"\n"))
            if done.rows % rows.ROWS_AT_ONCE == 0:
                on_progress(rows.ROWS_AT_ONCE)
        on_progress(done.rows % rows.ROWS_AT_ONCE)
        manifest.tables[frame.name] = done.to_json()
    manifest.highest = rows.highest_ids(connection)
    sealer.write(squeeze.compress(orjson.dumps({"end": manifest.tables, "highest": manifest.highest}) + b"\n"))
    sealer.write(squeeze.flush())
    sealer.finish()
    return manifest


# ------------------------------------------------------------------------------------------------ reading


@dataclass(kw_only=True, slots=True)
class Dump:
    """An opened backup: its key fits and its header is whole; what is behind it is checked while it is read."""

    about: About
    header: Header
    where: str
    _file: BinaryIO
    _start: int

    def each(self, take: Callable[[Frame, Iterator[bytes]], Tally]) -> Manifest:
        """Go through the tables in their order.

        Args:
            take: is given each table and its rows, reads them all, and returns what it read.

        Raises:
            DamagedError: what was read is not what was written.
        """
        self._file.seek(self._start)
        stream = _Lines(self._plain())
        manifest, found = Manifest(), dict[str, list[Any]]()
        for line in stream:
            head = orjson.loads(line)
            if "end" in head:
                manifest.tables, manifest.highest = head["end"], head["highest"]
                break
            frame = Frame(name=head["table"], columns=tuple((name, kind) for name, kind in head["columns"]))
            found[frame.name] = take(frame, stream.rows()).to_json()
        if not manifest.tables or manifest.tables != found or next(iter(stream), None) is not None:
            raise DamagedError("This backup does not hold what it says that it holds. Nothing was changed.",
                               where=self.where, todo="Take an older one, or another copy of this one.")
        return manifest

    def verify(self) -> Manifest:
        """Read it all, and see that it is what was written.

        Raises:
            DamagedError: it is not.
        """
        return self.each(lambda _frame, lines: _count(lines))

    def glance(self) -> None:
        """See in a moment that nothing was cut off; ``verify`` looks at every byte.

        Raises:
            DamagedError: something was.
        """
        self._file.seek(self._start)
        cipher.see_end(self._file, self.header, self.where)

    def _plain(self) -> Iterator[bytes]:
        loosen = zlib.decompressobj()
        try:
            for chunk in cipher.opened(self._file, self.header, self.where):
                rest = chunk
                while rest:
                    yield loosen.decompress(rest, _PLAIN_AT_ONCE)
                    rest = loosen.unconsumed_tail
            yield loosen.flush()
        except zlib.error:
            raise DamagedError("This backup is damaged. Nothing was changed.", where=self.where,
                               todo="Take an older one.") from None


class _Lines:
    """Pieces of text cut into lines; a table's rows end where the next line is no array."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._lines = self._cut(pieces)
        self._kept: bytes | None = None

    @staticmethod
    def _cut(pieces: Iterator[bytes]) -> Iterator[bytes]:
        rest: list[bytes] = []
        for piece in pieces:
            first, *more = piece.split(b"\n")
            rest.append(first)
            for line in more:
                yield b"".join(rest)
                rest = [line]

    def __iter__(self) -> Iterator[bytes]:
        while True:
            line, self._kept = self._kept, None
            line = line or next(self._lines, None)
            if line is None:
                return
            yield line

    def rows(self) -> Iterator[bytes]:
        """The lines of one table."""
        for line in self._lines:
            if not line.startswith(b"["):
                self._kept = line
                return
            yield line


def _count(lines: Iterator[bytes]) -> Tally:
    found = Tally()
    for line in lines:
        found.add(line)
    return found


@contextmanager
def opened(path: Path, settings: Settings) -> Iterator[Dump]:
    """Open a backup.

    Raises:
        Refused: it is none, or of a newer program, or damaged.
        SettingsError: the key is another one.
        StoreError: the file cannot be read.
    """
    try:
        file = path.open("rb")
    except OSError as fault:
        raise StoreError(f"The backup cannot be read: {fault.strerror}.", where=str(path),
                         todo="See that the name is right and the file is yours to read.") from None
    with file:
        header = cipher.read_header(file, settings, str(path))
        yield Dump(about=_about(header.about, str(path)), header=header, where=str(path), _file=file,
                   _start=file.tell())


def _about(told: Mapping[str, Any], where: str) -> About:
    try:
        return About(project=told["project"], made_at=datetime.fromisoformat(told["made_at"]), schema=told["schema"],
                     why=told["why"], key_fingerprint=told["key_fingerprint"])
    except (KeyError, TypeError, ValueError):
        raise DamagedError("This backup's header cannot be understood.", where=where,
                           todo="Take another one.") from None
