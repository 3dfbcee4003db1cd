"""The donations that a mailing raised, a page at a time, each with its evidence; with names where staff look alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, and_, func, or_, select

from pillarbox.ground.money import Money
from pillarbox.model.states import Attribution
from pillarbox.reports import words
from pillarbox.store.donations import NET, STANDS
from pillarbox.store.schema import donations


@dataclass(frozen=True, kw_only=True, slots=True)
class Gift:
    """One donation. What names its giver is empty unless it was asked for."""

    id: int
    received_at: datetime
    amount_minor: int
    """In the currency's smallest unit; below 0 for what was given back."""
    currency: str
    refunded_minor: int
    """Of which this much was given back, or taken back."""
    method: str
    source: str
    code: str
    gift_aid: bool
    regular: bool
    attribution: Attribution
    message_id: int | None
    name: str = ""
    address: str = ""

    @property
    def amount(self) -> str:
        """£25, or €20.00."""
        return money(self.amount_minor, self.currency)

    @property
    def refunded(self) -> str:
        """The same of what was given back; empty when nothing was."""
        return money(self.refunded_minor, self.currency) if self.refunded_minor else ""

    @property
    def evidence(self) -> str:
        """What ties it to the mailing, in staff's words."""
        return words.EVIDENCE[self.attribution][0]


_NAMELESS: tuple[Column[Any], ...] = tuple(donations.c[name] for name in (
    "id", "received_at", "amount_minor", "refunded_minor", "currency", "method", "source", "code", "gift_aid",
    "regular", "attribution", "message_id"))
_NAMED: tuple[Column[Any], ...] = (donations.c.name, donations.c.address)


def money(minor: int, currency: str) -> str:
    """An amount as staff read it."""
    return words.pounds(minor) if currency == "GBP" else str(Money(minor=minor, currency=currency))


def page(connection: Connection, mailing_id: int, *, before: tuple[datetime, int] | None = None, most: int,
         named: bool = False) -> list[Gift]:
    """At most so many donations tied to a mailing, newest first.

    Args:
        before: the moment and id of the last one seen.
        named: with name and address of the giver, and the code of their letter.
    """
    at, id_ = donations.c.received_at, donations.c.id
    query = select(*_NAMELESS, *(_NAMED if named else ())).where(donations.c.mailing_id == mailing_id)
    if before is not None:
        query = query.where(or_(at < before[0], and_(at == before[0], id_ < before[1])))
    rows = connection.execute(query.order_by(at.desc(), id_.desc()).limit(most))
    return [_gift(row, named=named) for row in rows]


def by_evidence(connection: Connection, mailing_id: int) -> list[tuple[Attribution, int, int]]:
    """Kind of evidence, gifts, pence (pounds only); strongest first, unused kinds left out.

    What was given back whole does not count, and of others what stayed.
    """
    found: dict[Attribution, tuple[int, int]] = {}
    for kind, currency, n, minor in connection.execute(select(
            donations.c.attribution, donations.c.currency, func.count(), func.sum(NET)).where(
            donations.c.mailing_id == mailing_id, STANDS).group_by(donations.c.attribution, donations.c.currency)):
        count, pence = found.get(Attribution(kind), (0, 0))
        found[Attribution(kind)] = (count + n, pence + (int(minor) if currency == "GBP" else 0))
    return [(kind, *found[kind]) for kind in Attribution if kind in found]


def raised(connection: Connection, mailing_ids: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """Mailing → gifts, pence (pounds only)."""
    found: dict[int, tuple[int, int]] = {}
    for mailing_id, currency, n, minor in connection.execute(select(
            donations.c.mailing_id, donations.c.currency, func.count(), func.sum(NET)).where(
            donations.c.mailing_id.in_(mailing_ids), STANDS).group_by(donations.c.mailing_id, donations.c.currency)):
        count, pence = found.get(mailing_id, (0, 0))
        found[mailing_id] = (count + n, pence + (int(minor) if currency == "GBP" else 0))
    return found


def _gift(row: Any, *, named: bool) -> Gift:
    return Gift(
        id=row.id, received_at=row.received_at, amount_minor=row.amount_minor, currency=row.currency,
        refunded_minor=row.refunded_minor, method=row.method, source=row.source, code=row.code if named else "",
        gift_aid=row.gift_aid, regular=row.regular, attribution=Attribution(row.attribution),
        message_id=row.message_id, name=row.name if named else "", address=(row.address or "") if named else "")
