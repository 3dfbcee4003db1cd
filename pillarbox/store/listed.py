"""Many values handed to the database as one: a statement of the same text however many they are.

A list of a thousand parameters makes a statement of a thousand marks, to be written, read and planned each time; and
a list of rows makes a thousand statements, for each of which SQLite's driver lets go of Python's lock and waits for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Select,
    String,
    Text,
    bindparam,
    cast,
    func,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSON as PG_JSON


def among(connection: Connection, column: ColumnElement[Any], values: Collection[int] | Collection[str],
          ) -> ColumnElement[bool]:
    """Whether a column's value is one of these."""
    packed = bindparam(None, orjson.dumps(list(values)).decode(), type_=Text)
    if connection.dialect.name == "sqlite":
        return column.in_(select(func.json_each(packed).table_valued("value").c.value))
    each = func.json_array_elements_text(cast(packed, PG_JSON)).table_valued("value").c.value
    return column.in_(select(cast(each, column.type)))


def listed(connection: Connection, columns: Sequence[Column[Any]], rows: Sequence[Sequence[Any]],
           names: Sequence[str] = ()) -> Select[Any]:
    """A query that gives these rows, in their order: to insert from, or to join to.

    Args:
        connection: says which engine.
        columns: whose types the values have; text, whole numbers, booleans and times.
        rows: as many values each as there are columns; None where a column has none, times by ``moment``.
        names: what the query calls its columns; by default as they are called.
    """
    sqlite = connection.dialect.name == "sqlite"
    packed = bindparam(None, orjson.dumps(rows).decode(), type_=Text)
    source = func.json_each(packed) if sqlite else func.json_array_elements(cast(packed, PG_JSON))
    value = source.table_valued("value").c.value
    picked = []
    for place, (column, name) in enumerate(zip(columns, names or [each.name for each in columns], strict=True)):
        found: ColumnElement[Any]
        if sqlite:
            found = type_coerce(func.json_extract(value, f"$[{place}]"), column.type)
        else:
            # Not to VARCHAR(n): PostgreSQL would cut what is too long instead of refusing it.
            kind = Text() if isinstance(column.type, String) else column.type
            found = cast(type_coerce(value, JSON()).op("->>", return_type=Text())(place), kind)
        picked.append(found.label(name))
    return select(*picked).where(true())


def moment(connection: Connection, at: datetime | None) -> str | None:
    """A time as ``listed`` takes it."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError("a time must be aware")
    return _written(at) if connection.dialect.name == "sqlite" else _written(at) + "+00"


# Many things happen in the same second.
@lru_cache(maxsize=8192)
def _written(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def read_moment(written: str | None) -> datetime | None:
    """A time as SQLite keeps it, read again."""
    return None if written is None else datetime.fromisoformat(written).replace(tzinfo=UTC)
