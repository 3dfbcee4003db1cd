"""Inserting what may be there already."""

from __future__ import annotations

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_for(connection: Connection, into: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the engine's own kind, which knows ON CONFLICT."""
    return insert_into(connection.dialect.name, into)


def insert_into(engine: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """The same by the dialect's name: for a statement that is kept and run again and again."""
    return sqlite.insert(table) if engine == "sqlite" else postgresql.insert(table)
