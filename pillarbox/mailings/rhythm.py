"""A schedule's rule in words that staff would use; a rule that has no plain words stays as it was written."""

from __future__ import annotations

import re
from collections.abc import Mapping

_DAYS: Mapping[str, str] = {"MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday",
                            "SA": "Saturday", "SU": "Sunday"}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")
_PLACES: Mapping[int, str] = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last",
                              -2: "last but one"}
_EVERY: Mapping[str, tuple[str, str]] = {"DAILY": ("every day", "days"), "WEEKLY": ("every week", "weeks"),
                                         "MONTHLY": ("every month", "months"), "YEARLY": ("every year", "years")}
_DAY = re.compile(r"([+-]?\d{1,2})?([A-Z]{2})")


def in_words(rule: str) -> str:
    """``FREQ=MONTHLY;BYDAY=1TH`` → ``the first Thursday of every month``.

    Args:
        rule: an RRULE that ``recurrence.read`` found sound (RFC 5545, 3.3.10).

    Returns:
        words for the rules that charities use; any other rule as it was written.
    """
    parts = dict(part.split("=", 1) for part in rule.upper().split(";") if "=" in part)
    every = _every(parts)
    when = _when(parts)
    known = {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH"}
    if not every or when is None or set(parts) - known:
        return rule
    match parts["FREQ"]:
        case _ if not when:
            return every
        case "WEEKLY":
            return f"every {when}" if every == "every week" else f"{when}, {every}"
        case "YEARLY":
            return f"{when}, {every}"
        case _:
            return f"{when} of {every}"


def _every(parts: Mapping[str, str]) -> str:
    once, many = _EVERY.get(parts.get("FREQ", ""), ("", ""))
    interval = parts.get("INTERVAL", "1")
    return once if interval == "1" else f"every {interval} {many}" if once else ""


def _when(parts: Mapping[str, str]) -> str | None:
    """Which days; empty: the rule does not say. None: there are no plain words for it."""
    if "BYMONTHDAY" in parts and "BYDAY" in parts:
        return None
    frequency = parts.get("FREQ")
    if frequency not in ("WEEKLY", "MONTHLY", "YEARLY") and len(parts) > (2 if "INTERVAL" in parts else 1):
        return None
    months = parts.get("BYMONTH", "")
    if months and (frequency != "YEARLY" or not all(each.isdigit() for each in months.split(","))):
        return None
    days = _days(parts, frequency or "")
    if days is None or not months:
        return days if frequency != "YEARLY" or not days else None
    if not days:
        return None
    return f"{days} of {_listed([_MONTHS[int(each) - 1] for each in months.split(',')])}"


def _days(parts: Mapping[str, str], frequency: str) -> str | None:
    if "BYMONTHDAY" in parts:
        numbers = [int(each) for each in parts["BYMONTHDAY"].split(",")]
        return "the " + _listed(["last day" if each == -1 else _ordinal(each) for each in numbers]) if min(
            numbers) >= -1 and frequency != "WEEKLY" else None
    found = [_DAY.fullmatch(each) for each in parts.get("BYDAY", "").split(",") if each]
    words = []
    for day in found:
        if day is None or day[2] not in _DAYS or bool(day[1]) is (frequency == "WEEKLY"):
            return None
        if day[1] and int(day[1]) not in _PLACES:
            return None
        words.append(f"the {_PLACES[int(day[1])]} {_DAYS[day[2]]}" if day[1] else _DAYS[day[2]])
    return _listed(words)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
