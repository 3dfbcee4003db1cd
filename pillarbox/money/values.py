"""Words in a donation file, turned into ours: dates, yes and no, how often, by which method."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

# Britain writes the day first; an export that follows ISO 8601 is never mistaken for it.
_DATES = ("%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d", "%Y/%m/%d", "%d %b %Y", "%d %B %Y", "%d-%b-%Y",
          "%d %b %y", "%d-%b-%y")
_TIMES = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H:%M:%S.%f")
END_OF_DAY = time(23, 59, 59)
"""The hour of a gift with a date alone: so that a gift on the day of a letter does not seem older than the letter."""

_YES = frozenset({"yes", "y", "true", "1", "x", "✓", "claimed", "eligible", "declared", "gift aid", "giftaid"})
_REGULAR = ("month", "week", "quarter", "annual", "year", "regular", "recurring", "subscription")
_SINGLE = ("one", "single", "once", "never", "non", "not ")
_METHODS = {
    "caf": "caf-voucher", "voucher": "caf-voucher", "cheque": "cheque", "check": "cheque", "chq": "cheque",
    "direct debit": "direct-debit", "directdebit": "direct-debit", "gocardless": "direct-debit",
    "standing order": "standing-order", "bacs": "bank-transfer", "bank": "bank-transfer", "paypal": "paypal",
    "apple": "card", "google": "card", "card": "card", "visa": "card", "amex": "card", "cash": "cash",
    "payroll": "payroll",
}


def moment(text: str, zone: str) -> datetime:
    """Read "10/12/2026", "10/12/2026 09:30", "10 Dec 2026" or ISO 8601, in the project's zone unless it says its own.

    Raises:
        ValueError: with a sentence; also for dates that only make sense with the month first.
    """
    words = " ".join(text.split())
    local = ZoneInfo(zone)
    if re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", words):
        try:
            found = datetime.fromisoformat(words.removesuffix(" UTC") + ("+00:00" if words.endswith(" UTC") else ""))
            return (found if found.tzinfo else found.replace(tzinfo=local)).astimezone(UTC)
        except ValueError:
            pass
    for pattern in _DATES:
        for hour in ("", *_TIMES):
            try:
                found = datetime.strptime(words, f"{pattern} {hour}".strip())  # noqa: DTZ007 - the zone follows
            except ValueError:
                continue
            if not hour:
                found = datetime.combine(found.date(), END_OF_DAY)
            return found.replace(tzinfo=local).astimezone(UTC)
    if re.match(r"\d{1,2}/\d{1,2}/\d{2,4}", words):
        raise ValueError(f"{text!r} is no date with the day first (dd/mm/yyyy)")
    raise ValueError(f"{text!r} is not a date (dd/mm/yyyy or yyyy-mm-dd)")


def declared(text: str) -> bool:
    """Whether a Gift Aid column says yes: in words, or by an amount above nothing. In doubt it does not."""
    words = text.strip().lower()
    return words in _YES or (bool(re.fullmatch(r"£?\s*[\d,]+(\.\d+)?", words)) and bool(re.search(r"[1-9]", words)))


def regular(text: str) -> bool:
    """Whether a frequency column speaks of regular giving."""
    words = text.strip().lower()
    if words.startswith(_SINGLE):
        return False
    return words in _YES or any(mark in words for mark in _REGULAR)


def method(text: str) -> str:
    """One of our words for a way of paying; another one in small letters with hyphens, at most 24 of them."""
    words = text.strip().lower()
    known = next((ours for mark, ours in _METHODS.items() if mark in words), None)
    return known or re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:24]
