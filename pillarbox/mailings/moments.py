"""Times as staff write and read them: a day and an hour in a zone, and what the clock changes do to them.

A local time that does not exist (the clocks go forward) means the first moment after the gap; one that comes twice (the
clocks go back) means the first of the two. So each happens exactly once.
"""

from __future__ import annotations

import difflib
import functools
import re
import warnings
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from dateutil import parser

from pillarbox.ground.errors import Refused

EXAMPLE = "10 Dec 2026 08:00"
FARTHEST = timedelta(days=2 * 366)
"""A time further ahead is a slip of the pen: 2062 for 2026."""

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?")
_MONTH_SECOND = re.compile(r"\s*\d{1,2}\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*\d{2,4}\b")
_YEAR_FIRST = re.compile(r"\s*\d{4}\b")
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)(?:s|r|rs|nes|ur|day|sday|nesday|rsday|urday)?\b", re.IGNORECASE)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_LETTERS = 60
# What a text leaves unsaid is filled from these; where the two readings differ, something was not said.
_FILLINGS = (datetime.fromisoformat("1904-01-01T01:00"), datetime.fromisoformat("1908-02-02T02:00"))


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name.

    Raises:
        Refused: there is none; the sentence names one that is spelt nearly so.
    """
    known = _zones()
    if name in known:
        return ZoneInfo(name)
    by_ending = [zone for zone in sorted(known) if zone.lower().rpartition("/")[2] == name.strip().lower()]
    near = by_ending or difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    raise Refused(f"There is no time zone called {name[:_MOST_LETTERS]!r}.",
                  todo=f"Did you mean {near[0]}?" if near else "Zones look like Europe/London or America/New_York.")


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def read_moment(text: str, zone: str, *, now: datetime) -> datetime:
    """Read a time to come, such as ``10 Dec 2026 08:00`` or ``10/12/2026 8am`` (day before month), in a zone.

    Args:
        text: day, month, year and time of day; ``2026-12-10T08:00+01:00`` may carry an offset of its own.
        zone: IANA name of the zone that is meant.
        now: the present (aware): what is not after it is refused.

    Returns:
        the moment, in UTC.

    Raises:
        Refused: nonsense, something left out, a time in the past, an unknown zone.
    """
    where = zone_of(zone)
    found = _read(text)
    try:
        moment = found.astimezone(UTC) if found.tzinfo else resolve(found, where)
    except OverflowError:  # the first and the last day that can be counted, seen from another zone
        raise _nonsense(text) from None
    if moment <= now:
        raise Refused(f"{in_words(moment, zone)} lies in the past: it is {in_words(now, zone)} now.",
                      todo="Name a time that is still to come.")
    if moment - now > FARTHEST:
        raise Refused(f"{in_words(moment, zone)} is more than two years ahead.", todo="Look at the year.")
    return moment


def _read(text: str) -> datetime:
    plain = text.strip()
    if _ISO.fullmatch(plain):
        try:
            return datetime.fromisoformat(plain)
        except ValueError:
            raise _nonsense(text) from None
    if len(plain) > _MOST_LETTERS or not plain.isascii():
        raise _nonsense(text)
    if (numbers := _MONTH_SECOND.match(plain)) and int(numbers[1]) > 12:
        raise Refused(f"There is no month {numbers[1]} in {plain!r}: the day comes before the month.",
                      todo=f"Write the month's name: {EXAMPLE}.")
    first, second = (_parsed(plain, filling) for filling in _FILLINGS)
    if first != second:
        raise Refused(f"{plain!r} leaves something out.", todo=f"Say day, month, year and time, such as {EXAMPLE!r}.")
    if (said := _WEEKDAY.search(plain)) and _WEEKDAYS.index(said[1].lower()) != first.weekday():
        raise Refused(f"{first.day} {first:%B %Y} is a {first:%A}, and {plain!r} says otherwise.",
                      todo="Look at the calendar.")
    return first


def _parsed(plain: str, filling: datetime) -> datetime:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", parser.UnknownTimezoneWarning)
            found = parser.parse(plain, dayfirst=not _YEAR_FIRST.match(plain), default=filling)
    except parser.UnknownTimezoneWarning:
        raise _zone_said(plain) from None
    except (ValueError, OverflowError):  # dateutil's ParserError is a ValueError
        raise _nonsense(plain) from None
    if found.tzinfo is not None:
        raise _zone_said(plain)
    return found


def _zone_said(text: str) -> Refused:
    return Refused(f"{text!r} names a zone of its own.", todo=f"Leave the zone out: {EXAMPLE!r} is read in yours.")


def _nonsense(text: str) -> Refused:
    return Refused(f"{text[:_MOST_LETTERS]!r} cannot be read as a day and a time.", todo=f"Write it like {EXAMPLE!r}.")


# ------------------------------------------------------------------------------------------------ clock changes


def resolve(local: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which a zone's clocks show a local time, or one after it. In UTC.

    Args:
        local: naive.
        zone: whose clocks.
    """
    early = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    shown = _shown(early, zone)
    if shown == local:
        return early
    # In a gap: fold=0 counts with the offset before it, fold=1 with the one after; the change lies between the two.
    before, after = local.replace(tzinfo=zone, fold=1).astimezone(UTC), early
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if _shown(middle, zone) >= local:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def exists(local: datetime, zone: ZoneInfo) -> bool:
    """Whether a zone's clocks ever show this local time (naive)."""
    return _shown(local.replace(tzinfo=zone).astimezone(UTC), zone) == local


def _shown(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


# ------------------------------------------------------------------------------------------------ hours of the day


def within(hours: str, zone: str, moment: datetime) -> bool:
    """Whether a moment lies in the hours of the day (``08:00-20:00``, the end not included); empty: always."""
    if not hours:
        return True
    first, last = _span(hours)
    shown = _shown(moment, zone_of(zone))
    since_midnight = timedelta(hours=shown.hour, minutes=shown.minute, seconds=shown.second)
    return first <= since_midnight < last


def opening(hours: str, zone: str, moment: datetime) -> datetime:
    """The first moment, not before this one, that lies in the hours of the day. In UTC."""
    if within(hours, zone, moment):
        return moment
    where = zone_of(zone)
    first, _ = _span(hours)
    midnight = datetime.combine(_shown(moment, where).date(), time())
    # The day after tomorrow: for a gap that swallows the hours of one day, or the whole of it.
    return next(opens for day in range(4)
                if (opens := resolve(midnight + timedelta(days=day) + first, where)) > moment
                and within(hours, zone, opens))


def _span(hours: str) -> tuple[timedelta, timedelta]:
    """Both ends of ``08:00-20:00``, since midnight."""
    first, last = (timedelta(hours=int(end[:2]), minutes=int(end[3:])) for end in hours.split("-"))
    return first, last


# ------------------------------------------------------------------------------------------------ words


def in_words(moment: datetime, zone: str) -> str:
    """``Thursday 10 December 2026 at 08:00``, on a zone's clocks."""
    shown = moment.astimezone(zone_of(zone))
    return f"{shown:%A} {shown.day} {shown:%B %Y} at {shown:%H:%M}"


def local_text(moment: datetime, zone: str) -> str:
    """``2026-12-10T08:00``, on a zone's clocks."""
    return moment.astimezone(zone_of(zone)).replace(tzinfo=None).isoformat(timespec="minutes")
