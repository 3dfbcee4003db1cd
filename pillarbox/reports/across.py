"""A line for each mailing: what `report` prints when none is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, case, func, select
from sqlalchemy.sql import ColumnElement

from pillarbox.model.states import Kind, MailingState, MessageState, Outcome
from pillarbox.reports.rates import Rate, proportion
from pillarbox.store import tallies
from pillarbox.store.contributions import Facet, Mark
from pillarbox.store.donations import NET, STANDS
from pillarbox.store.schema import donations, mailings, messages

_OPENED = Mark.OPENED_HUMAN | Mark.TRACKED | Mark.DELIVERED


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One mailing in short; counts as in its own report."""

    id: int
    name: str
    title: str
    kind: str
    practice: bool
    state: MailingState
    for_date: date
    started_at: datetime | None
    planned: int
    accepted: int
    delivered: int
    opened: Rate | None
    """By people, of delivered letters whose supporters agreed to tracking."""
    donations: int
    amount_pence: int

    def to_json(self) -> Mapping[str, Any]:
        """Stable keys of ``report --json`` without a mailing."""
        return {"mailing": self.name, "title": self.title, "kind": self.kind, "practice": self.practice,
                "state": self.state.value, "for_date": self.for_date.isoformat(),
                "started_at": self.started_at.isoformat() if self.started_at else None,
                "planned": self.planned, "accepted": self.accepted, "delivered": self.delivered,
                "opened": self.opened.to_json() if self.opened else None,
                "donations": {"count": self.donations, "amount_pence": self.amount_pence}}


def all_mailings(connection: Connection) -> tuple[Line, ...]:
    """Every mailing but proofs, newest first; practice mailings are marked, never added to the others."""
    counts = {row.mailing_id: row for row in connection.execute(_ledger())}
    opened = {mailing_id: sum(n for key, n in of.items() if int(key) & _OPENED == _OPENED)
              for mailing_id, of in tallies.of_all(connection, Facet.RESPONSES).items()}
    money = {row.mailing_id: row for row in connection.execute(_money())}
    return tuple(_line(row, counts.get(row.id), opened.get(row.id, 0), money.get(row.id)) for row in connection.execute(
        select(mailings).where(mailings.c.kind != Kind.PROOF).order_by(
            func.coalesce(mailings.c.started_at, mailings.c.created_at).desc(), mailings.c.id.desc())))


def _line(row: Any, count: Any, opened: int, money: Any) -> Line:
    return Line(
        id=row.id, name=row.name, title=row.title, kind=row.kind, practice=row.practice,
        state=MailingState(row.state), for_date=row.for_date, started_at=row.started_at,
        planned=int(count.planned) if count else 0, accepted=int(count.accepted) if count else 0,
        delivered=int(count.delivered) if count else 0,
        opened=proportion(opened, int(count.tracked_delivered) if count else 0),
        donations=money.n if money else 0, amount_pence=int(money.pence) if money else 0)


def _sum_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _ledger() -> Any:
    delivered = messages.c.outcome == Outcome.DELIVERED
    return select(
        messages.c.mailing_id, func.count().label("planned"),
        _sum_if(messages.c.state == MessageState.ACCEPTED).label("accepted"), _sum_if(delivered).label("delivered"),
        _sum_if(and_(delivered, messages.c.tracked)).label("tracked_delivered")).group_by(messages.c.mailing_id)


def _money() -> Any:
    pounds = case((donations.c.currency == "GBP", NET), else_=0)
    return select(donations.c.mailing_id, func.count().label("n"), func.sum(pounds).label("pence")).where(
        donations.c.mailing_id.is_not(None), STANDS).group_by(donations.c.mailing_id)
