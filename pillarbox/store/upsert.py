"""Inserting what may be there already."""

from __future__ import annotations

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_for(connection: Connection, into: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the engine's own kind, which knows ON CONFLICT."""
    return sqlite.insert(into) if connection.dialect.name == "sqlite" else postgresql.insert(into)
