"""Suppressions: addresses to which nothing may go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from pillarbox.model.states import SuppressionReason
from pillarbox.store.schema import suppressions


def add(
    connection: Connection, *, address_hash: str, address: str | None, reason: SuppressionReason, source: str,
    since: datetime,
) -> bool:
    """Suppress an address; harmless when done twice.

    Returns:
        Whether the address was not yet suppressed for this reason.
    """
    row = {"address_hash": address_hash, "address": address, "reason": reason, "source": source, "since": since}
    return connection.execute(_new(connection).values(row)).rowcount > 0


def add_many(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Suppress many addresses; rows as ``add`` takes them."""
    if rows:
        connection.execute(_new(connection), rows)


def _new(connection: Connection) -> sqlite.Insert | postgresql.Insert:
    keys = ["address_hash", "reason"]
    if connection.dialect.name == "sqlite":
        return sqlite.insert(suppressions).on_conflict_do_nothing(index_elements=keys)
    return postgresql.insert(suppressions).on_conflict_do_nothing(index_elements=keys)


def reasons(connection: Connection, address_hash: str) -> list[SuppressionReason]:
    """Why an address is suppressed, oldest first; empty when it is not."""
    found = connection.execute(select(suppressions.c.reason).where(suppressions.c.address_hash == address_hash)
                               .order_by(suppressions.c.id))
    return [SuppressionReason(reason) for reason in found.scalars()]
