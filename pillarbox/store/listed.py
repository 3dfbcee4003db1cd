"""Many values handed to the database as one: a statement of the same text however many they are.

A list of a thousand parameters makes a statement of a thousand marks, to be written, read and planned each time; and
a list of rows makes a thousand statements, for each of which SQLite's driver lets go of Python's lock and waits for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    BindParameter,
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

PACKED = "packed"
"""The parameter of statements that were written before their values were known; its value is what ``pack`` gives."""


def pack(values: Iterable[int] | Iterable[str] | Sequence[Sequence[Any]]) -> str:
    """Values or rows as one text."""
    return orjson.dumps(values if isinstance(values, list) else list(values)).decode()


def among(connection: Connection, column: ColumnElement[Any], values: Collection[int] | Collection[str],
          ) -> ColumnElement[bool]:
    """Whether a column's value is one of these."""
    return _within(connection.dialect.name, column, bindparam(None, pack(values), type_=Text))


def among_packed(engine: str, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The same of the values of ``PACKED``: for a statement that is kept and run again and again.

    Args:
        engine: the dialect's name.
        column: whose value.
    """
    return _within(engine, column, bindparam(PACKED, type_=Text))


def _within(engine: str, column: ColumnElement[Any], packed: BindParameter[str]) -> ColumnElement[bool]:
    if engine == "sqlite":
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
    return _given(connection.dialect.name, columns, bindparam(None, pack(rows), type_=Text), names)


def listed_packed(engine: str, columns: Sequence[Column[Any]]) -> Select[Any]:
    """The same of the rows of ``PACKED``: for a statement that is kept and run again and again."""
    return _given(engine, columns, bindparam(PACKED, type_=Text))


def _given(engine: str, columns: Sequence[Column[Any]], packed: BindParameter[str],
           names: Sequence[str] = ()) -> Select[Any]:
    sqlite = engine == "sqlite"
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


def gathered(*columns: ColumnElement[Any]) -> ColumnElement[str]:
    """SQLite's answer as one row, a JSON array of arrays: for each row its driver lets go of Python's lock."""
    return func.json_group_array(func.json_array(*columns), type_=Text)


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
