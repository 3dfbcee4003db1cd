"""When something comes back: an RRULE (RFC 5545, 3.3.10) at a time of day on a zone's clocks.

A rule gives local times; each becomes one moment, whatever the clocks do that day (see ``moments.resolve``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dateutil.rrule import rrule, rrulestr

from pillarbox.content.appeal import SLUG
from pillarbox.ground.errors import Refused
from pillarbox.mailings import moments

EXAMPLE = "FREQ=MONTHLY;BYDAY=1TH"
FARTHEST = timedelta(days=3_653)
"""A rule that does not fall due within ten years is a mistake."""

# Outside of these a rule's first day is a slip of the pen, and costs a walk over centuries at every look.
_EARLIEST, _LATEST = date(1900, 1, 1), date(2999, 12, 31)
_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"\d{8}(T\d{6}Z?)?")
_NUMBERS = re.compile(r"[+-]?\d{1,5}(,[+-]?\d{1,5})*")
# Part → smallest and largest number (RFC 5545, 3.3.10); those below zero count from the end. BYEASTER is dateutil's.
_RANGES: Mapping[str, tuple[int, int]] = {
    "BYMONTH": (1, 12), "BYMONTHDAY": (-31, 31), "BYYEARDAY": (-366, 366), "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366), "BYEASTER": (-366, 366), "INTERVAL": (1, 10_000), "COUNT": (1, 10_000),
    "BYHOUR": (0, 23), "BYMINUTE": (0, 59), "BYSECOND": (0, 59)}
_ZERO_HAS_A_MEANING = ("BYEASTER", "BYHOUR", "BYMINUTE", "BYSECOND")
# Part → the frequencies with which it makes sense (same place).
_ONLY_WITH: Mapping[str, tuple[str, ...]] = {
    "BYMONTHDAY": ("YEARLY", "MONTHLY", "DAILY"), "BYYEARDAY": ("YEARLY",), "BYWEEKNO": ("YEARLY",)}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PARTS_OF_A_DAY = {"yyyy": "%Y", "mm": "%m", "dd": "%d"}
_MOST_LETTERS = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """One time that a rule gives."""

    local: datetime
    """What the clocks show (naive); also when they skip it that day."""
    due: datetime
    """The moment, in UTC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recurrence:
    """A rule that was read and found sound; see ``read``."""

    rule: str
    at: time
    """On the zone's clocks."""
    zone: str
    starts_on: date
    """From this day the rule counts: its COUNT, its INTERVAL, its day of the month where it names none."""

    def between(self, after: datetime, until: datetime) -> Iterator[Occasion]:
        """What falls due after one moment, and no later than another; in order."""
        where = moments.zone_of(self.zone)
        # A clock change moves a moment by no more than a day (Samoa left one out in 2011).
        first, last = (edge.astimezone(where).replace(tzinfo=None) for edge in (after, until))
        for local in self._rule().xafter(first - timedelta(days=2), inc=True):
            if local > last + timedelta(days=2):
                return
            if after < (due := moments.resolve(local, where)) <= until:
                yield Occasion(local=local, due=due)

    def next(self, after: datetime, count: int) -> list[Occasion]:
        """The next ``count`` occasions after a moment; fewer when the rule ends, or pauses for ten years."""
        found: list[Occasion] = []
        for occasion in self.between(after, after + FARTHEST):
            found.append(occasion)
            if len(found) == count:
                break
        return found

    def _rule(self) -> rrule:
        made = rrulestr(self.rule, dtstart=datetime.combine(self.starts_on, self.at))
        assert isinstance(made, rrule)
        return made


def read(rule: str, *, at: str, zone: str, starts_on: date) -> Recurrence:
    """Read a rule such as ``FREQ=MONTHLY;BYDAY=1TH`` (the first Thursday of each month).

    Raises:
        Refused: no rule, one that can never fall due, one that says another time of day than ``at``, or more than once
            a day; an ``at`` that is no time of day; an unknown zone.
    """
    moments.zone_of(zone)
    clock = _CLOCK.fullmatch(at.strip())
    if clock is None:
        raise Refused(f"{at[:20]!r} is no time of day.", todo="Write it like --at 08:00.")
    time_of_day = time(int(clock[1]), int(clock[2]))
    parts = _parts(rule)
    _see_frequency(parts, rule)
    _see_numbers(parts)
    _see_days(parts)
    _see_clock(parts, time_of_day)
    if "UNTIL" in parts:
        parts["UNTIL"] = _until(parts["UNTIL"], zone)
    made = Recurrence(rule=";".join(f"{name}={value}" for name, value in parts.items()), at=time_of_day, zone=zone,
                      starts_on=starts_on)
    if not _EARLIEST <= starts_on <= _LATEST:
        raise Refused(f"The rule cannot count from {starts_on}.", todo="Look at the year of --starts.")
    begins = moments.resolve(datetime.combine(starts_on, time_of_day), moments.zone_of(zone)) - timedelta(seconds=1)
    try:
        fires = made.next(begins, 1)
    except (ValueError, IndexError, TypeError, OverflowError):  # dateutil's words for numbers that fit nowhere
        raise _impossible(rule) from None
    if not fires:
        raise Refused(f"The rule {rule[:_MOST_LETTERS]!r} never falls due in the ten years from {starts_on}.",
                      todo=f"Look at its days and months; the first Thursday of each month is {EXAMPLE}.")
    return made


def _parts(rule: str) -> dict[str, str]:
    plain = rule.strip().upper().removeprefix("RRULE:")
    parts: dict[str, str] = {}
    for part in plain.removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or len(plain) > _MOST_LETTERS or not plain.isascii():
            raise _impossible(rule)
        if name in parts:
            raise Refused(f"The rule says {name} twice.", todo="Say it once; several values are joined by commas.")
        parts[name] = value
    return parts


def _impossible(rule: str) -> Refused:
    return Refused(f"{rule[:_MOST_LETTERS]!r} is not a rule that can be read.",
                   todo=f"Rules look like {EXAMPLE} (the first Thursday of each month) or FREQ=WEEKLY;BYDAY=MO.")


def _see_frequency(parts: Mapping[str, str], rule: str) -> None:
    frequency = parts.get("FREQ", "")
    if frequency in ("SECONDLY", "MINUTELY", "HOURLY"):
        raise Refused(f"FREQ={frequency} would mail people again and again in one day.",
                      todo="Use DAILY, WEEKLY, MONTHLY or YEARLY.")
    if frequency not in _FREQUENCIES:
        raise _impossible(rule)
    if odd := set(parts) - {"FREQ", "BYDAY", "UNTIL", "WKST", *_RANGES}:
        raise Refused(f"A rule has no part called {min(odd)[:20]}.", todo=f"Rules look like {EXAMPLE}.")
    if "COUNT" in parts and "UNTIL" in parts:
        raise Refused("The rule says both COUNT and UNTIL.", todo="Say one of the two.")
    for name, frequencies in _ONLY_WITH.items():
        if name in parts and frequency not in frequencies:
            raise Refused(f"{name} does not go with FREQ={frequency}.", todo=f"Use it with {' or '.join(frequencies)}.")


def _see_numbers(parts: Mapping[str, str]) -> None:
    for name, (least, most) in _RANGES.items():
        if name not in parts:
            continue
        value = parts[name]
        lone = name in ("INTERVAL", "COUNT")
        numbers = [int(number) for number in value.split(",")] if _NUMBERS.fullmatch(value) else []
        fine = all(least <= number <= most and (number or name in _ZERO_HAS_A_MEANING) for number in numbers)
        if not numbers or not fine or (lone and len(numbers) > 1):
            raise Refused(f"{name}={value[:40]} is not possible.",
                          todo=f"It takes {'a number' if lone else 'numbers'} from {least:,} to {most:,}"
                               f"{', but not 0' if least < 0 and name not in _ZERO_HAS_A_MEANING else ''}.")


def _see_days(parts: Mapping[str, str]) -> None:
    if "WKST" in parts and parts["WKST"] not in ("MO", "TU", "WE", "TH", "FR", "SA", "SU"):
        raise Refused(f"WKST={parts['WKST'][:20]} is no day of the week.", todo="Use MO or SU.")
    if "BYDAY" not in parts:
        return
    frequency = parts["FREQ"]
    most = 5 if frequency == "MONTHLY" or "BYMONTH" in parts else 53
    for day in parts["BYDAY"].split(","):
        found = _DAY.fullmatch(day)
        if found is None:
            raise Refused(f"BYDAY={day[:20]} is no day.",
                          todo="Days are MO TU WE TH FR SA SU; 1TH is the first Thursday.")
        if found[1] is None:
            continue
        if frequency not in ("MONTHLY", "YEARLY") or "BYWEEKNO" in parts:
            raise Refused(f"BYDAY={day} counts the days of a month or year, and the rule is {frequency}.",
                          todo=f"Write FREQ=MONTHLY;BYDAY={day}, or BYDAY={found[2]} alone.")
        if not 1 <= abs(int(found[1])) <= most:
            raise Refused(f"BYDAY={day} is not possible: there are at most {most} of a weekday.",
                          todo="-1 is the last one.")


def _see_clock(parts: dict[str, str], at: time) -> None:
    """The rule's own time of day may only repeat ``--at``; it is then left out of the rule."""
    for name, wanted in (("BYHOUR", at.hour), ("BYMINUTE", at.minute), ("BYSECOND", 0)):
        if name in parts and [int(number) for number in parts[name].split(",")] != [wanted]:
            raise Refused(f"The rule says {name}={parts[name][:40]}, and --at says {at:%H:%M}.",
                          todo=f"Leave {name} out: --at says the time of day.")
        parts.pop(name, None)


def _until(text: str, zone: str) -> str:
    """The end in the zone's own time, as the rule's times are; a day alone is meant to its end."""
    try:
        if not _UNTIL.fullmatch(text):
            raise ValueError
        end = datetime.strptime(text[:15] if "T" in text else f"{text}T235959", "%Y%m%dT%H%M%S")  # noqa: DTZ007 - local
    except ValueError:
        raise Refused(f"UNTIL={text[:40]} is no day.", todo="Write it like UNTIL=20271231.") from None
    if text.endswith("Z"):
        with suppress(OverflowError):  # 31 December 9999, as calendar programs say "without end": any zone's will do
            end = end.replace(tzinfo=UTC).astimezone(moments.zone_of(zone)).replace(tzinfo=None)
    return f"{end:%Y%m%dT%H%M%S}"


# ------------------------------------------------------------------------------------------------ folders


def folder(pattern: str, day: date) -> str:
    """The appeal's folder for one day: ``newsletter-{yyyy}-{mm}`` → ``newsletter-2026-12``.

    Raises:
        Refused: an unknown placeholder, or no name for a folder.
    """
    def filled(found: re.Match[str]) -> str:
        form = _PARTS_OF_A_DAY.get(found[1])
        if form is None:
            raise Refused(f"{pattern[:80]!r} has {found[0][:20]!r} in it.",
                          todo="A folder's name may have {yyyy}, {mm} and {dd} in it.")
        return f"{day.year:04}" if form == "%Y" else f"{day:{form}}"

    name = _PLACEHOLDER.sub(filled, pattern)
    if not SLUG.fullmatch(name) or len(name) > 100:
        raise Refused(f"{pattern[:80]!r} gives no name for an appeal's folder.",
                      todo="Names have small letters, digits and single hyphens: newsletter-{yyyy}-{mm}.")
    return name


def fits(pattern: str, slug: str) -> bool:
    """Whether a folder is one that the pattern may name."""
    places = {"yyyy": r"\d{4}", "mm": r"\d{2}", "dd": r"\d{2}"}
    bits = _PLACEHOLDER.split(pattern)
    built = "".join(places.get(bit, "") if number % 2 else re.escape(bit) for number, bit in enumerate(bits))
    return re.fullmatch(built, slug) is not None
