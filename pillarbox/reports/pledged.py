"""What a mailing's figures do not hold: what was promised for the years to come, and what went back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, func, select
from sqlalchemy.sql import ColumnElement

from pillarbox.money.told import Standing
from pillarbox.reports import words
from pillarbox.store.schema import donations, pledges


@dataclass(frozen=True, kw_only=True, slots=True)
class Pledged:
    """Beside what was raised; amounts in pence are pounds sterling."""

    pledges: int = 0
    """Begun because of this mailing, and not ended."""
    yearly_pence: int = 0
    """What those that are not paused come to in a year, if they go on."""
    ended: int = 0
    failing: int = 0
    """Of those not ended: whose last payment failed."""
    given_back: int = 0
    """Donations of which all or a part went back."""
    given_back_pence: int = 0

    def sentences(self) -> tuple[str, ...]:
        """The same in words, nothing where there is nothing."""
        found = []
        if self.pledges:
            worth = f", worth {words.pounds(self.yearly_pence)} a year if they go on" if self.yearly_pence else ""
            found.append(f"{self.pledges:,} regular {'gift' if self.pledges == 1 else 'gifts'} pledged{worth}")
        if self.failing:
            found.append(f"{self.failing:,} of them with a payment that failed last")
        if self.ended:
            found.append(f"{self.ended:,} regular {'gift has' if self.ended == 1 else 'gifts have'} ended")
        if self.given_back:
            found.append(f"{words.pounds(self.given_back_pence)} went back to {self.given_back:,} "
                         f"{'giver' if self.given_back == 1 else 'givers'}, and is not in these sums")
        return tuple(found)


def pledged(connection: Connection, mailing_id: int) -> Pledged:
    """Count what was promised because of a mailing, and what went back of what it raised."""
    p, d = pledges.c, donations.c
    lasting, pounds = p.state != Standing.ENDED, p.currency == "GBP"

    def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    promised = connection.execute(select(
        number(lasting), number(~lasting), number(and_(lasting, p.failed_at.is_not(None))),
        func.coalesce(func.sum(case((and_(pounds, p.state == Standing.ACTIVE), p.yearly_minor), else_=0)), 0),
    ).where(p.mailing_id == mailing_id)).one()
    back = connection.execute(select(
        func.count(), func.coalesce(func.sum(case((d.currency == "GBP", d.refunded_minor), else_=0)), 0)).where(
        d.mailing_id == mailing_id, d.refunded_minor > 0)).one()
    return Pledged(pledges=int(promised[0]), ended=int(promised[1]), failing=int(promised[2]),
                   yearly_pence=int(promised[3]), given_back=int(back[0]), given_back_pence=int(back[1]))
