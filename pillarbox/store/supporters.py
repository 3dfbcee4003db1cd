"""Supporters: found by the keyed hash of their address, written in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from pillarbox.store.schema import supporters, suppressions

# Columns that a list may fill.
KNOWN = ("title", "first_name", "last_name", "salutation", "language", "country", "fields")


def among(connection: Connection, column: ColumnElement[Any], wanted: Sequence[Any]) -> ColumnElement[bool]:
    """Whether the column holds one of the wanted values; at most some 30,000 (SQLite takes 32,766 parameters).

    PostgreSQL gets them as one array: given thousands of parameters it may compare each row with each of them.
    """
    if connection.dialect.name == "sqlite":
        return column.in_(wanted)
    return column.in_(select(func.unnest(literal(list(wanted), ARRAY(column.type)))))


def by_hash(connection: Connection, hashes: Sequence[str]) -> dict[str, Row[Any]]:
    """Supporters by address hash."""
    found = connection.execute(select(supporters).where(among(connection, supporters.c.address_hash, hashes)))
    return {row.address_hash: row for row in found}


def suppressed(connection: Connection, hashes: Sequence[str]) -> dict[str, str]:
    """Address hash → the oldest reason why nothing may go there."""
    found = connection.execute(select(suppressions.c.address_hash, suppressions.c.reason)
                               .where(among(connection, suppressions.c.address_hash, hashes))
                               .order_by(suppressions.c.id.desc()))
    return {row.address_hash: row.reason for row in found}


def add_many(connection: Connection, rows: Sequence[Mapping[str, Any]], at: datetime) -> dict[str, int]:
    """Add supporters.

    Args:
        connection: in a transaction.
        rows: address, address_hash and what ``KNOWN`` names.
        at: the present.

    Returns:
        Address hash → id.
    """
    if not rows:
        return {}
    added = connection.execute(
        insert(supporters).returning(supporters.c.address_hash, supporters.c.id),
        [{**row, "created_at": at, "updated_at": at} for row in rows])
    return {row.address_hash: row.id for row in added}


def update_many(connection: Connection, rows: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Write what ``KNOWN`` names to supporters by their ``id``."""
    if rows:
        connection.execute(
            update(supporters).where(supporters.c.id == bindparam("of")).values(
                {name: bindparam(f"new_{name}", type_=supporters.c[name].type) for name in KNOWN} | {"updated_at": at}),
            [{"of": row["id"], **{f"new_{name}": row[name] for name in KNOWN}} for row in rows])
