"""What the API answers, as models: the answers and their description are made from the same ones.

Nothing in them is about one supporter. Times are ISO 8601 with their offset; amounts are integers in a currency's
smallest unit.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pillarbox.model.states import Attribution, Kind, MailingState
from pillarbox.reports.timeline import Step
from pillarbox.web.cursors import LONGEST

MOST_AT_ONCE, AT_ONCE = 200, 50


class Body(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ------------------------------------------------------------------------------------------------ questions


def _digits(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) <= 6):
        raise ValueError("is a whole number, in digits")
    return value


class Question(BaseModel):
    """What may be asked in an address; anything else in it is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paged(Question):
    """A page of a list."""

    limit: Annotated[int, BeforeValidator(_digits)] = Field(
        AT_ONCE, ge=1, le=MOST_AT_ONCE, description="How many at most.")
    cursor: str = Field("", max_length=LONGEST, pattern=r"^[A-Za-z0-9_-]*$", description=(
        "Where to go on: `next` of the page before. Left out: the first page."))


class PagedMailings(Paged):
    """A page of the mailings."""

    practice: Literal["without", "with", "only"] = Field(
        "without", description="Practice mailings, which nobody was mailed: left out, shown too, or shown alone.")


# ------------------------------------------------------------------------------------------------ mailings


class Rate(Body):
    """A part of a whole, and the range in which the true rate probably lies (95%)."""

    value: float = Field(description="A fraction, 0 to 1; of `pounds_per_letter`: pounds.")
    of: int = Field(description="The denominator.")
    low: float
    high: float


class Rates(Body):
    """Rates; null where the denominator would be 0."""

    delivered: Rate | None = Field(description="Of those handed over.")
    opened: Rate | None = Field(description="By people, of delivered letters whose supporters agreed to tracking.")
    clicked: Rate | None = Field(description="By people, of delivered letters whose supporters agreed to tracking.")
    unsubscribed: Rate | None = Field(description="Of delivered letters.")
    complained: Rate | None = Field(description="Of delivered letters.")
    gave: Rate | None = Field(description="Delivered letters whose supporter gave.")
    pounds_per_letter: Rate | None = Field(description="Pounds received for each delivered letter.")


class Opened(Body):
    """Letters opened, of supporters who agreed to tracking."""

    human: int
    machine: int = Field(description="By machines only (mail-privacy proxies, scanners).")


class Clicked(Body):
    """Letters in which a link was followed, of supporters who agreed to tracking."""

    human: int
    scanner: int = Field(description="By link scanners only.")


class Raised(Body):
    """What a mailing raised."""

    count: int = Field(description="Donations in any currency.")
    amount_pence: int = Field(description="Pounds sterling only.")


class RaisedWhole(Raised):
    """What a mailing raised, in detail."""

    gift_aid_pence: int = Field(description="What HMRC adds when every declaration is valid.")
    donors: int = Field(description="Different people.")
    pledges: int = Field(description="Donations that belong to regular giving.")
    other_currencies: dict[str, int] = Field(description="Currency → smallest units; never converted.")


class Figures(Body):
    """One mailing in numbers: the keys of `pillarbox report --json`. Letters are counted, not events."""

    mailing: str
    practice: bool = Field(description="Nobody was mailed.")
    heard_until: datetime | None = Field(description="Nothing that happened later is in the figures.")
    planned: int
    accepted: int = Field(description="Handed over to the sending service.")
    delivered: int
    bounced: int
    blocked: int
    dropped: int
    tracked: int = Field(description="Handed over, to supporters who agreed to tracking.")
    opened: Opened
    clicked: Clicked
    unsubscribed: int
    complained: int
    donations: RaisedWhole
    rates: Rates


class Mailing(Body):
    """One mailing in short."""

    mailing: str = Field(description="Its name, as in the addresses below it.")
    title: str
    appeal: str
    kind: Kind
    practice: bool
    state: MailingState
    for_date: date = Field(description="The letter's date.")
    started_at: datetime | None
    finished_at: datetime | None
    planned: int
    donations: Raised


class Mailings(Body):
    """Mailings, newest first; proofs are left out."""

    items: list[Mailing]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class Bucket(Body):
    """One hour, day or week."""

    start: datetime
    delivered: int
    opened_human: int
    opened_machine: int
    clicked: int
    donations: int
    amount_pence: int


class Timeline(Body):
    """What happened when: each letter once in each column, when it first happened."""

    mailing: str
    step: Step
    zone: str = Field(description="IANA zone in which days and weeks begin.")
    buckets: list[Bucket] = Field(description="Oldest first, without gaps.")


class Link(Body):
    """A link of the letter, without what belongs to one supporter."""

    link: str
    human: int = Field(description="Letters in which a person followed it.")
    scanner: int = Field(description="Letters in which only link scanners did.")
    clicks_human: int = Field(description="Clicks by people: who comes back counts again.")
    clicks_scanner: int


class Links(Body):
    """The links that were followed, most people first; of supporters who agreed to tracking."""

    mailing: str
    items: list[Link]


class Donation(Body):
    """One donation, without who gave it."""

    id: int
    received_on: date = Field(description="The day, in the project's zone.")
    amount_minor: int = Field(description="In the currency's smallest unit.")
    refunded_minor: int = Field(description="Of which so much was given back.")
    currency: str
    method: str
    source: str
    gift_aid: bool
    regular: bool
    attribution: Attribution = Field(description="What ties it to the mailing.")


class Donations(Body):
    """Donations tied to a mailing, newest first."""

    mailing: str
    items: list[Donation]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


# ------------------------------------------------------------------------------------------------ lists


class Consents(Body):
    """Those on a list, by the basis on which they may be mailed."""

    consent: int
    soft_opt_in: int
    none: int


class List(Body):
    """How a list stands now."""

    id: int
    name: str
    on_it: int = Field(description="Neither left, nor unsubscribed, nor bounced.")
    left: int
    bounced: int
    consents: Consents
    tracking: int = Field(description="Those on it who agreed to open and click tracking.")
    watched: int = Field(description="Of the tracked, those on it for a year and mailed within it.")
    silent: int = Field(description="Of the watched, those who neither opened, nor followed a link, nor gave.")


class Lists(Body):
    """Every list, by name."""

    items: list[List]


class Month(Body):
    """A month of a list."""

    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    joined: int
    left: int
    bounced: int
    on_it: int = Field(description="At its end, or now.")


class ListGrowth(Body):
    """A list, month by month."""

    id: int
    name: str
    zone: str
    months: list[Month] = Field(description="Oldest first, without gaps.")


# ------------------------------------------------------------------------------------------------ letters


class PublicLetter(Body):
    """A letter that anybody may read."""

    slug: str
    title: str
    summary: str
    language: str
    dated: date = Field(description="The day that stands in it.")
    url: str = Field(description="Where everybody can read it.")
    published_at: datetime
    updated_at: datetime


class PublicLetters(Body):
    """Published letters, newest first."""

    items: list[PublicLetter]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class PublicLetterWhole(PublicLetter):
    """The same with its text."""

    html: str = Field(description="A whole HTML document, with nobody's name in it.")
