"""Suppressions: addresses to which nothing may go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select
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
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(suppressions).values(
        address_hash=address_hash, address=address, reason=reason, source=source, since=since,
    ).on_conflict_do_nothing(index_elements=["address_hash", "reason"])
    return connection.execute(statement).rowcount > 0


def reasons(connection: Connection, address_hash: str) -> list[SuppressionReason]:
    """Why an address is suppressed, oldest first; empty when it is not."""
    found = connection.execute(select(suppressions.c.reason).where(suppressions.c.address_hash == address_hash)
                               .order_by(suppressions.c.id))
    return [SuppressionReason(reason) for reason in found.scalars()]


def counts(connection: Connection) -> dict[str, int]:
    """Reason → how many addresses."""
    query = (select(suppressions.c.reason, func.count()).group_by(suppressions.c.reason)
             .order_by(suppressions.c.reason))
    return dict(connection.execute(query).tuples().all())
