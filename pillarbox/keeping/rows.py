"""Tables as plain rows that mean the same on both engines: read in the order of their keys, digested, written again."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Float,
    Integer,
    LargeBinary,
    Table,
    Text,
    column,
    func,
    insert,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.types import TypeEngine

from pillarbox.store.schema import Moment, metadata

ROWS_AT_ONCE = 1_000
_BYTES_AT_ONCE = 8_000_000
# What each kind is in the database. ``Moment`` comes before its base; a column is of the first kind that fits.
_TYPES: Mapping[str, TypeEngine[Any]] = {
    "moment": Moment(), "date": Date(), "json": JSON(), "bytes": LargeBinary(), "bool": Boolean(),
    "int": BigInteger(), "float": Float(), "text": Text(),
}
_KINDS: tuple[tuple[type[Any], str], ...] = (
    (Moment, "moment"), (Date, "date"), (JSON, "json"), (LargeBinary, "bytes"), (Boolean, "bool"),
    (Integer, "int"), (Float, "float"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A table's name and columns, without the program's own idea of them: an older backup's may be others."""

    name: str
    columns: tuple[tuple[str, str], ...]
    """(name, kind) of each; a kind is a key of ``_TYPES``."""

    @classmethod
    def of(cls, made: Table) -> Frame:
        """A table as this program knows it."""
        return cls(name=_plain(made.name), columns=tuple((_plain(item.name), _kind(item)) for item in made.columns))

    @property
    def has_bytes(self) -> bool:
        """Whether its rows may be large."""
        return any(kind == "bytes" for _, kind in self.columns)

    @property
    def clause(self) -> Any:
        """It, as SQLAlchemy takes it."""
        return table(self.name, *(column(name, _TYPES[kind]) for name, kind in self.columns))


def frames() -> list[Frame]:
    """Every table, those that others point to first."""
    return [Frame.of(made) for made in metadata.sorted_tables]


def _plain(name: str) -> str:
    """A name without what SQLAlchemy knows of its quoting, which JSON's writer does not take for text."""
    return "".join(name)


def _kind(made: Column[Any]) -> str:
    return next((kind for type_, kind in _KINDS if isinstance(made.type, type_)), "text")


# ------------------------------------------------------------------------------------------------ reading


@dataclass(kw_only=True, slots=True)
class Tally:
    """Rows counted, and their digest: two tables with the same tally hold the same."""

    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, line: bytes) -> None:
        """One more row, as ``lines`` gives it."""
        self.rows += 1
        self.digest.update(line)
        self.digest.update(b"\n")

    def to_json(self) -> list[Any]:
        """[rows, digest]."""
        return [self.rows, self.digest.hexdigest()]


def lines(connection: Connection, frame: Frame) -> Iterator[bytes]:
    """A table's rows as JSON arrays, in the order of its key, the same to the byte on every engine."""
    made = metadata.tables[frame.name]
    # "C": PostgreSQL would sort text by its language, SQLite sorts by bytes.
    keys = [item.collate("C") if connection.dialect.name == "postgresql" and _kind(item) == "text" else item
            for item in made.primary_key.columns]
    at_once = 1 if frame.has_bytes else 50 if frame.name == "shapes" else 2_000
    query = select(*(made.c[name] for name, _ in frame.columns)).order_by(*keys)
    for row in connection.execute(query.execution_options(yield_per=at_once)):
        yield _dumps([base64.b64encode(value).decode() if isinstance(value, bytes) else value for value in row]
                     if frame.has_bytes else list(row))


def tally(connection: Connection, frame: Frame) -> Tally:
    """Count and digest a table as it stands."""
    found = Tally()
    for line in lines(connection, frame):
        found.add(line)
    return found


def _dumps(row: list[Any]) -> bytes:
    try:
        return orjson.dumps(row)
    except TypeError:  # a number or a text that only Python's own JSON takes
        return json.dumps(row, default=str, separators=(",", ":")).encode()


def _loads(line: bytes) -> list[Any]:
    try:
        found: list[Any] = orjson.loads(line)
    except orjson.JSONDecodeError:
        found = json.loads(line)
    return found


# ------------------------------------------------------------------------------------------------ writing

_READ: Mapping[str, Callable[[Any], Any]] = {
    "moment": datetime.fromisoformat, "date": date.fromisoformat, "bytes": base64.b64decode}


def write(connection: Connection, frame: Frame, source: Iterable[bytes],
          on_progress: Callable[[int], None] = lambda _done: None) -> Tally:
    """Insert rows as ``lines`` gave them into an empty table; returns what was written, counted and digested."""
    done = Tally()
    into = insert(frame.clause)
    names = [name for name, _ in frame.columns]
    readers = [(place, _READ[kind]) for place, (_, kind) in enumerate(frame.columns) if kind in _READ]
    for batch in _batches(source):
        rows = []
        for line in batch:
            done.add(line)
            values = _loads(line)
            for place, read in readers:
                if values[place] is not None:
                    values[place] = read(values[place])
            rows.append(dict(zip(names, values, strict=True)))
        connection.execute(into, rows)
        on_progress(len(rows))
    return done


def _batches(source: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    """Up to a thousand rows at once, fewer where they are large."""
    stream = iter(source)
    while first := next(stream, None):
        batch = [first]
        size = len(first)
        while size < _BYTES_AT_ONCE and (more := list(islice(stream, min(100, ROWS_AT_ONCE - len(batch))))):
            batch += more
            size += sum(map(len, more))
        yield batch


# ------------------------------------------------------------------------------------------------ ids to come


def _numbered() -> list[str]:
    return [_plain(made.name) for made in metadata.sorted_tables if made.autoincrement_column is not None]


def highest_ids(connection: Connection) -> dict[str, int]:
    """Table → the highest id ever given out in it, rows since deleted included."""
    found = {name: connection.execute(select(func.max(metadata.tables[name].c.id))).scalar() or 0
             for name in _numbered()}
    if connection.dialect.name == "postgresql":
        for name in found:
            given = connection.execute(text(
                f"SELECT last_value, is_called FROM {_sequence(connection, name)}")).one()  # noqa: S608 - its own name
            found[name] = max(found[name], given.last_value if given.is_called else 0)
        return found
    for name, last in connection.execute(text("SELECT name, seq FROM sqlite_sequence")):
        if name in found:
            found[name] = max(found[name], last)
    return found


def give_out_after(connection: Connection, highest: Mapping[str, int]) -> None:
    """Let each table's next id come after its own highest and after the one named."""
    there = highest_ids(connection)
    for name in _numbered():
        last = max(there[name], highest.get(name, 0))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT setval(CAST(:name AS regclass), :last, :called)"),
                               {"name": _sequence(connection, name), "last": max(last, 1), "called": last > 0})
        elif metadata.tables[name].dialect_options["sqlite"]["autoincrement"]:
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"),
                               {"last": last, "name": name})


def _sequence(connection: Connection, name: str) -> str:
    return str(connection.execute(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": name}).scalar_one())


# ------------------------------------------------------------------------------------------------ tables


def drop_all(connection: Connection) -> None:
    """Take every table of ours away, in a transaction of ``migrate.alone``."""
    there = set(inspect(connection).get_table_names())
    names = [made.name for made in reversed(metadata.sorted_tables)] + ["alembic_version"]
    cascade = " CASCADE" if connection.dialect.name == "postgresql" else ""
    for name in names:
        if name in there:
            connection.execute(text(f"DROP TABLE {name}{cascade}"))


def filled(connection: Connection) -> list[str]:
    """Names of our tables that are there and hold rows."""
    there = set(inspect(connection).get_table_names())
    return [made.name for made in metadata.sorted_tables
            if made.name in there and connection.execute(select(text("1")).select_from(table(made.name)).limit(1)
                                                         ).first() is not None]


def is_as_good_as_empty(names: Iterable[str]) -> bool:
    """Whether a database with rows in these tables was merely opened: looking at a project without one makes it."""
    return set(names) <= {"project", "marks", "workers"}
