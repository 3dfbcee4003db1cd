"""Queries on pledges, and on what was given back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from pillarbox.store.schema import donations, mailings, pledges, refunds
from pillarbox.store.upsert import insert_for

_SAME = ["source", "external_id"]


def keep(connection: Connection, row: Mapping[str, Any]) -> int:
    """Write a pledge down as it is now, new or known by (source, external id); its id."""
    statement = insert_for(connection, pledges).values(**row)
    changed = {name: statement.excluded[name] for name in row if name not in (*_SAME, "created_at")}
    return int(connection.execute(statement.on_conflict_do_update(index_elements=_SAME, set_=changed)
                                  .returning(pledges.c.id)).scalar_one())


def by_external_id(connection: Connection, source: str, external_id: str) -> Row[Any] | None:
    """The pledge that the provider calls so."""
    return connection.execute(select(pledges).where(
        pledges.c.source == source, pledges.c.external_id == external_id)).one_or_none()


def keep_refunds(connection: Connection, source: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down what was given back, each as it is now."""
    for row in rows:
        statement = insert_for(connection, refunds).values(source=source, **row)
        changed = {name: statement.excluded[name] for name in row if name != "external_id"}
        connection.execute(statement.on_conflict_do_update(index_elements=_SAME, set_=changed))


def drop_refunds(connection: Connection, source: str, external_ids: Collection[str]) -> None:
    """Take rows away that stood for a name which the payment no longer goes by."""
    if external_ids:
        connection.execute(delete(refunds).where(
            refunds.c.source == source, refunds.c.external_id.in_(sorted(external_ids))))


def donations_of(connection: Connection, sources: Collection[str], external_ids: Collection[str]) -> list[Row[Any]]:
    """The donations that go by any of these ids, oldest first."""
    return list(connection.execute(select(donations).where(
        donations.c.source.in_(sorted(sources)), donations.c.external_id.in_(sorted(external_ids)))
        .order_by(donations.c.id)))


def change_donation(connection: Connection, donation_id: int, values: Mapping[str, Any]) -> None:
    """Write a donation anew as it is known now."""
    connection.execute(update(donations).where(donations.c.id == donation_id).values(**values))


def join_donations(connection: Connection, kept: int, others: Collection[int]) -> None:
    """These were one payment under two names: one row stays."""
    connection.execute(update(refunds).where(refunds.c.donation_id.in_(sorted(others))).values(donation_id=kept))
    connection.execute(delete(donations).where(donations.c.id.in_(sorted(others))))


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A pledge as staff look it up; no name and no address."""

    id: int
    state: str
    amount_minor: int
    currency: str
    unit: str
    every: int
    yearly_minor: int
    started_at: datetime
    ended_at: datetime | None
    failed_at: datetime | None
    """When a payment last failed, if none has come since."""
    mailing: str | None
    attribution: str

    def to_json(self) -> dict[str, object]:
        """The same as JSON-like data."""
        return {name: value.isoformat() if isinstance(value, datetime) else value
                for name in self.__slots__ for value in (getattr(self, name),)}


def listed(connection: Connection) -> list[Listed]:
    """Pledges, newest first."""
    found = connection.execute(
        select(pledges.c.id, pledges.c.state, pledges.c.amount_minor, pledges.c.currency, pledges.c.unit,
               pledges.c.every, pledges.c.yearly_minor, pledges.c.started_at, pledges.c.ended_at, pledges.c.failed_at,
               mailings.c.name.label("mailing"), pledges.c.attribution)
        .select_from(pledges.outerjoin(mailings, mailings.c.id == pledges.c.mailing_id))
        .order_by(pledges.c.started_at.desc(), pledges.c.id.desc()))
    return [Listed(**row._mapping) for row in found]
