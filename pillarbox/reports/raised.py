"""What a mailing raised: gifts by evidence, the people who gave, and the letters that they had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, Row, String, and_, case, cast, func, literal, select, union
from sqlalchemy.sql import ColumnElement, Subquery

from pillarbox.model.states import Attribution, Outcome
from pillarbox.store.donations import NET, STANDS
from pillarbox.store.schema import donations, messages, supporters

# Charities claim 25p for each pound given (https://www.gov.uk/claim-gift-aid): basic-rate tax of 20%, the rate since
# 6 April 2008, on the gift before tax, so 20/80 of what was received.
GIFT_AID_PENCE_A_POUND = 25


@dataclass(frozen=True, kw_only=True, slots=True)
class Raised:
    """How much came by one kind of evidence."""

    count: int
    amount_pence: int
    """Pounds only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DonationFigures:
    """What a mailing raised, net of what went back. Amounts in pence are pounds; other currencies stand apart."""

    count: int
    """Donations in any currency."""
    amount_pence: int
    gift_aid_pence: int
    """What HMRC will add, when every gift marked for Gift Aid has a valid declaration; rounded down."""
    donors: int
    """Different people, by supporter or address; a gift that carries neither counts as one more person."""
    pledges: int
    """Donations that belong to regular giving."""
    other_currencies: Mapping[str, int]
    """Currency → minor units."""
    attribution: Mapping[Attribution, Raised]
    """How each donation was tied to the mailing: every kind of evidence, the unused ones with zero."""


def gifts(mailing_id: int) -> Any:
    """The gifts tied to a mailing by currency, attribution, gift_aid and regular: ``n``, and ``minor`` units."""
    kinds = (donations.c.currency, donations.c.attribution, donations.c.gift_aid, donations.c.regular)
    return select(*kinds, func.count().label("n"), func.sum(NET).label("minor")).where(
        donations.c.mailing_id == mailing_id, STANDS).group_by(*kinds)


def given_by_person(mailing_id: int) -> Subquery:
    """Who gave how many pence to a mailing: ``person`` (opaque), ``pence`` (pounds only)."""
    person = _person().label("person")
    pence = func.sum(_PENCE).label("pence")
    return select(person, pence).select_from(donations.outerjoin(
        supporters, supporters.c.address_hash == donations.c.address_hash)).where(
        donations.c.mailing_id == mailing_id, STANDS).group_by(person).subquery()


_PENCE = case((donations.c.currency == "GBP", NET), else_=0)


def _person() -> ColumnElement[str]:
    """Who gave, opaque; beside the supporters by address hash."""
    # A gift may come with an address only; the supporter who holds it is the same person.
    known = func.coalesce(donations.c.supporter_id, supporters.c.id)
    return case(
        (known.is_not(None), literal("s") + cast(known, String)),
        (donations.c.address_hash.is_not(None), literal("a") + donations.c.address_hash),
        else_=literal("d") + cast(donations.c.id, String))


def gifts_by_variant(mailing_id: int) -> Any:
    """The gifts tied to a mailing: ``person`` (opaque), ``pence`` (pounds only), ``variant`` (empty: nobody can tell).

    The variant is that of the letter whose link was followed; else of the giver's own letter.
    """
    linked, held, addressed = (messages.alias() for _ in range(3))
    known = func.coalesce(donations.c.supporter_id, supporters.c.id)
    return select(
        _person().label("person"), _PENCE.label("pence"),
        func.coalesce(linked.c.variant, held.c.variant, addressed.c.variant, "").label("variant"),
    ).select_from(
        donations.outerjoin(supporters, supporters.c.address_hash == donations.c.address_hash)
        .outerjoin(linked, and_(linked.c.id == donations.c.message_id, linked.c.mailing_id == mailing_id))
        # The additions keep the engines from reading all messages of the mailing: the gifts are few.
        .outerjoin(held, and_(held.c.supporter_id == known, held.c.mailing_id + 0 == mailing_id))
        .outerjoin(addressed, and_(addressed.c.address_hash == donations.c.address_hash,
                                   addressed.c.mailing_id + 0 == mailing_id)),
    ).where(donations.c.mailing_id == mailing_id, STANDS)


def donors(mailing_id: int) -> Any:
    """Of the people who gave: how many, the sum of the squares of their pence, the most that one gave."""
    people = given_by_person(mailing_id)
    gave = case((people.c.pence > 0, people.c.pence), else_=0)
    # Not in whole numbers: the squares of a few gifts of millions are more than a database's integers hold.
    squares = func.sum(cast(gave, Float) * cast(gave, Float))
    return select(func.count(), squares, func.max(gave)).select_from(people)


def givers(mailing_id: int) -> Subquery:
    """Delivered messages whose supporter gave (``id``): found by message, by supporter, and by address."""
    linked, held, addressed = (messages.alias() for _ in range(3))
    of_theirs = donations.c.supporter_id, donations.c.address_hash
    # From the gifts, which are few, to their messages; the additions keep SQLite from reading a million of them. Whom
    # one way has found the next need not look for: nothing equals null.
    supporter = func.nullif(of_theirs[0], linked.c.supporter_id)
    address = func.nullif(func.nullif(of_theirs[1], linked.c.address_hash), held.c.address_hash)
    ways = (linked, held, addressed)
    found = select(*(column for way in ways for column in (way.c.id, way.c.outcome))).select_from(
        donations.outerjoin(linked, (linked.c.id == donations.c.message_id) & (linked.c.mailing_id + 0 == mailing_id))
        .outerjoin(held, (held.c.supporter_id == supporter) & (held.c.mailing_id + 0 == mailing_id))
        .outerjoin(addressed, (addressed.c.address_hash == address) & (addressed.c.mailing_id + 0 == mailing_id)),
    ).where(donations.c.mailing_id == mailing_id, STANDS).cte()
    columns = list(found.c)
    return union(*(select(columns[place].label("id")).where(columns[place + 1] == Outcome.DELIVERED)
                   for place in range(0, 2 * len(ways), 2))).subquery()


def sum_up(rows: Sequence[Row[Any]], donors: int) -> DonationFigures:
    """What ``gifts`` gave, added up; ``donors``: how many people they are from."""
    pounds = [row for row in rows if row.currency == "GBP"]
    others: dict[str, int] = {}
    for row in rows:
        if row.currency != "GBP":
            others[row.currency] = others.get(row.currency, 0) + int(row.minor)
    aided = sum(int(row.minor) for row in pounds if row.gift_aid)
    return DonationFigures(
        count=sum(row.n for row in rows),
        amount_pence=sum(int(row.minor) for row in pounds),
        gift_aid_pence=aided * GIFT_AID_PENCE_A_POUND // 100,
        donors=donors,
        pledges=sum(row.n for row in rows if row.regular),
        other_currencies=dict(sorted(others.items())),
        attribution={kind: Raised(count=sum(row.n for row in rows if row.attribution == kind),
                                  amount_pence=sum(int(row.minor) for row in pounds if row.attribution == kind))
                     for kind in Attribution},
    )
