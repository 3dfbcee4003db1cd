"""Suppressions: addresses to which nothing may go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select

from pillarbox.model.states import SuppressionReason
from pillarbox.store.schema import suppressions
from pillarbox.store.upsert import insert_for

_KEY = ["address_hash", "reason"]


def add(
    connection: Connection, *, address_hash: str, address: str | None, reason: SuppressionReason, source: str,
    since: datetime,
) -> bool:
    """Suppress an address; harmless when done twice.

    Returns:
        Whether the address was not yet suppressed for this reason.
    """
    row = {"address_hash": address_hash, "address": address, "reason": reason, "source": source, "since": since}
    # By what it returns: the count of rows is not told on every engine.
    statement = insert_for(connection, suppressions).values(row).on_conflict_do_nothing(index_elements=_KEY)
    return connection.execute(statement.returning(suppressions.c.id)).first() is not None


def add_many(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Suppress many addresses; rows as ``add`` takes them. The earliest report counts, in whatever order they come."""
    if rows:
        statement = insert_for(connection, suppressions)
        connection.execute(statement.on_conflict_do_update(
            index_elements=_KEY, set_={"since": statement.excluded.since},
            where=suppressions.c.since > statement.excluded.since), rows)


def lift(connection: Connection, address_hash: str, reason: SuppressionReason) -> bool:
    """Take one reason away, by the word of who owns the address; whether there was one."""
    return connection.execute(delete(suppressions).where(
        suppressions.c.address_hash == address_hash, suppressions.c.reason == reason)).rowcount > 0


def reasons(connection: Connection, address_hash: str) -> list[SuppressionReason]:
    """Why an address is suppressed, oldest first; empty when it is not."""
    found = connection.execute(select(suppressions.c.reason).where(suppressions.c.address_hash == address_hash)
                               .order_by(suppressions.c.id))
    return [SuppressionReason(reason) for reason in found.scalars()]


def counts(connection: Connection) -> dict[str, int]:
    """Reason → how many addresses."""
    query = (select(suppressions.c.reason, func.count()).group_by(suppressions.c.reason)
             .order_by(suppressions.c.reason))
    return {str(name): int(count) for name, count in connection.execute(query)}
