"""When it happened: messages by the hour, day or week of their first delivery, open and click, and what came in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, String, case, cast, func, select
from sqlalchemy.sql import ColumnElement

from pillarbox.model.states import Attribution
from pillarbox.store import tallies
from pillarbox.store.contributions import Facet
from pillarbox.store.donations import NET, STANDS
from pillarbox.store.schema import donations

MOST_GIFTS = 400
"""More gifts than this are drawn as hourly sums, without dots."""
_HOURLY_UP_TO = timedelta(days=4)
_DAILY_UP_TO = timedelta(days=100)


class Step(StrEnum):
    """How finely a timeline is cut."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class Series(StrEnum):
    """What a timeline counts."""

    DELIVERED = "delivered"
    OPENED_HUMAN = "opened_human"
    OPENED_MACHINE = "opened_machine"
    CLICKED = "clicked"
    DONATIONS = "donations"


_SERIES = {Facet.DELIVERED: Series.DELIVERED, Facet.OPENED_HUMAN: Series.OPENED_HUMAN,
           Facet.OPENED_MACHINE: Series.OPENED_MACHINE, Facet.CLICKED_HUMAN: Series.CLICKED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """One hour, day or week."""

    start: datetime
    """Its beginning, in the project's zone."""
    counts: dict[Series, int]
    amount_pence: int
    """Received in it; pounds only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GiftPoint:
    """One gift in pounds, or the sum of an hour's when there are many."""

    at: datetime
    """In the project's zone."""
    pence: int
    attribution: Attribution | None
    """None for a sum."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """What happened over time. Without gaps: quiet hours are there, with zeros."""

    step: Step
    zone: str
    buckets: tuple[Bucket, ...]
    """Empty when nothing has been heard and nothing came in."""
    gifts: tuple[GiftPoint, ...]
    """Oldest first; pounds only."""

    def total(self, series: Series) -> int:
        """How many in all."""
        return sum(bucket.counts[series] for bucket in self.buckets)


def timeline(connection: Connection, mailing_id: int, zone: str = "Europe/London") -> Timeline:
    """Count by time; every message once in each series, when it first happened.

    Args:
        zone: IANA name; days begin at its midnight.
    """
    counts: dict[Series, Counter[datetime]] = {series: Counter() for series in Series}
    pence: Counter[datetime] = Counter()
    for facet, hours_of in tallies.of(connection, mailing_id, *_SERIES).items():
        for hour, n in hours_of.items():
            counts[_SERIES[facet]][read_hour(hour)] += n
    for hour, n, amount in connection.execute(_donated_by_hour(connection, mailing_id)):
        counts[Series.DONATIONS][read_hour(hour)] += n
        pence[read_hour(hour)] += int(amount)
    # A scanner's click is told in the figures; over time it would only draw the hour of delivery again.
    local = ZoneInfo(zone)
    hours = sorted({hour for counter in counts.values() for hour in counter})
    if not hours:
        return Timeline(step=Step.HOUR, zone=zone, buckets=(), gifts=())
    step = _step(hours[-1] - hours[0])
    starts = _starts(hours[0], hours[-1], step, local)
    return Timeline(
        step=step, zone=zone, gifts=_gifts(connection, mailing_id, pence, local),
        buckets=tuple(Bucket(start=start, amount_pence=amount, counts=of) for start, of, amount in zip(
            starts, _fold(counts, starts, step, local), _fold_one(pence, starts, step, local), strict=True)))


def _donated_by_hour(connection: Connection, mailing_id: int) -> Any:
    hour = hour_of(connection, donations.c.received_at)
    pounds = case((donations.c.currency == "GBP", NET), else_=0)
    return select(hour, func.count(), func.sum(pounds)).where(
        donations.c.mailing_id == mailing_id, STANDS).group_by(hour)


def _gifts(connection: Connection, mailing_id: int, pence: Counter[datetime], local: ZoneInfo) -> tuple[GiftPoint, ...]:
    rows = connection.execute(select(donations.c.received_at, NET.label("amount_minor"), donations.c.attribution).where(
        donations.c.mailing_id == mailing_id, donations.c.currency == "GBP", STANDS).order_by(
        donations.c.received_at, donations.c.id).limit(MOST_GIFTS + 1)).all()
    if len(rows) <= MOST_GIFTS:
        return tuple(GiftPoint(at=at.astimezone(local), pence=minor, attribution=Attribution(kind))
                     for at, minor, kind in rows)
    return tuple(GiftPoint(at=hour.astimezone(local), pence=amount, attribution=None)
                 for hour, amount in sorted(pence.items()) if amount)


def hour_of(connection: Connection, moment: ColumnElement[Any]) -> ColumnElement[str]:
    """The hour of a moment, in UTC, as ``2026-11-23 10``."""
    if connection.dialect.name == "sqlite":
        return func.substr(cast(moment, String), 1, 13)
    return func.to_char(func.timezone("UTC", moment), "YYYY-MM-DD HH24")


def read_hour(hour: str) -> datetime:
    return datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC)


def _step(span: timedelta) -> Step:
    return Step.HOUR if span <= _HOURLY_UP_TO else Step.DAY if span <= _DAILY_UP_TO else Step.WEEK


def _begin(hour: datetime, step: Step, local: ZoneInfo) -> datetime:
    """The beginning of the bucket that an hour falls into."""
    if step is Step.HOUR:
        return hour.astimezone(local)
    day = hour.astimezone(local).date()
    return _midnight(day - timedelta(days=day.weekday()) if step is Step.WEEK else day, local)


def _midnight(day: date, local: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=local)


def _starts(first: datetime, last: datetime, step: Step, local: ZoneInfo) -> list[datetime]:
    if step is Step.HOUR:
        count = int((last - first) / timedelta(hours=1)) + 1
        return [(first + timedelta(hours=n)).astimezone(local) for n in range(count)]
    days = 7 if step is Step.WEEK else 1
    begin, end = _begin(first, step, local).date(), _begin(last, step, local).date()
    return [_midnight(begin + timedelta(days=n), local) for n in range(0, (end - begin).days + 1, days)]


def _fold_one(counter: Counter[datetime], starts: list[datetime], step: Step, local: ZoneInfo) -> list[int]:
    folded: Counter[datetime] = Counter()
    for hour, n in counter.items():
        # In UTC: the same wall-clock hour happens twice when summer time ends.
        folded[_begin(hour, step, local).astimezone(UTC)] += n
    return [folded[start.astimezone(UTC)] for start in starts]


def _fold(counts: dict[Series, Counter[datetime]], starts: list[datetime], step: Step,
          local: ZoneInfo) -> list[dict[Series, int]]:
    columns = {series: _fold_one(counter, starts, step, local) for series, counter in counts.items()}
    return [{series: column[n] for series, column in columns.items()} for n in range(len(starts))]
