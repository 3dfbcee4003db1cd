"""Many rows at once, without SQLAlchemy's work for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Table

from pillarbox.store.schema import Moment


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of text, whole numbers, booleans, times and None.

    On SQLite all of them go in by one statement: its driver lets other threads work while a statement runs, and takes
    Python's lock again for each row of a list.

    Args:
        connection: in the transaction that writes them.
        table: where to.
        columns: names of the columns, as many as each row has values.
        rows: any number; for none nothing is done.
    """
    if not rows:
        return
    dialect = connection.dialect
    for place, name in enumerate(columns):
        kind = table.c[name].type  # the dialect's own form of it: SQLite keeps times as text, and compares them as text
        if isinstance(kind, Moment) and (written := kind.dialect_impl(dialect).bind_processor(dialect)):
            rows = [(*row[:place], written(row[place]), *row[place + 1 :]) for row in rows]
    quote = connection.dialect.identifier_preparer.quote
    into = f"INSERT INTO {quote(table.name)} ({', '.join(quote(name) for name in columns)})"
    if connection.dialect.name == "sqlite":
        picked = ", ".join(f"json_extract(value, '$[{number}]')" for number in range(len(columns)))
        connection.exec_driver_sql(
            f"{into} SELECT {picked} FROM json_each(?)", (orjson.dumps(rows).decode(),))  # noqa: S608 - names of our schema
    else:
        connection.exec_driver_sql(f"{into} VALUES ({', '.join('%s' for _ in columns)})", list(rows))
