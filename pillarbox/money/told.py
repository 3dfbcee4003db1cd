"""What a payment provider tells, in words of our own: one event of it, reduced to what matters here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pillarbox.ground.address import normalise
from pillarbox.ground.money import exponent

MOST_MINOR = 10**12
"""No gift of this world has more minor units."""
CODE_KEYS = ("pillarbox", "code", "ref", "reference", "source_code", "client_reference_id", "utm_content",
             "utm_campaign", "utm_term")
"""Keys of a provider's metadata that may hold a code, beside the project's own parameter."""
_CODE_LENGTH = 200
_NAME_LENGTH = 200


class About(StrEnum):
    """What an event is about."""

    PAYMENT = "payment"
    """Money came, or was tried for."""
    REFUND = "refund"
    """Money was given back."""
    DISPUTE = "dispute"
    """The donor's bank takes money back, or no longer does."""
    PLEDGE = "pledge"
    """A gift that comes again begins, changes or ends."""


class Word(StrEnum):
    """What an event says of its payment."""

    PAID = "paid"
    FAILED = "failed"
    UNDONE = "undone"
    """Failed after all: what came before does not count."""
    NOTHING = ""
    """Neither: it only knows something of it."""


class Standing(StrEnum):
    """How a pledge stands, from its beginning to its end."""

    WAITING = "waiting"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One event.

    ``facts`` by what it is about (absent: not told). All: ``rank`` (int; among events of one payment the higher knows
    better), ``code``. Payment: ``word``, ``amount`` (minor units of ours), ``currency``, ``counts`` (alone enough to be
    a donation), ``method``, ``gift_aid``, ``refunded`` (minor units given back until then), ``charge`` (what that is
    said of). Refund and dispute: ``amount``, ``currency``, ``stands``, ``order``. Pledge: ``state``, ``amount``,
    ``currency``, ``unit``, ``every``, ``started``, ``ended``, ``seen`` (ISO times).
    """

    provider: str
    event_id: str
    """The provider's: each event counts once."""
    type: str
    """The provider's word for it."""
    about: About
    resource: str
    """The provider's id of what it is about."""
    at: datetime
    """When it happened (aware)."""
    keys: tuple[str, ...] = ()
    """Every id that it gives the payment."""
    pledge: str = ""
    """The provider's id of the pledge that it belongs to."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    address: str = ""
    """Normalised, or empty."""
    ask: bool = False
    """Whether the provider must be asked for the rest."""


# ------------------------------------------------------------------------------------------------ reading JSON


def text(holder: Mapping[str, Any], name: str) -> str:
    """A text, or empty when there is none; of a thing written out instead of its id, the id.

    Raises:
        ValueError: it is something else.
    """
    found = holder.get(name)
    if isinstance(found, dict):
        found = found.get("id")
    if found is None:
        return ""
    if not isinstance(found, str):
        raise ValueError(f"{name} is no text")
    return found.replace("\0", "")[:2_000]


def whole(holder: Mapping[str, Any], name: str) -> int | None:
    """A whole number from 0, or None when there is none.

    Raises:
        ValueError: it is something else.
    """
    found = holder.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= MOST_MINOR:
        raise ValueError(f"{name} is no whole number")
    return found


def part(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A thing within, empty when there is none.

    Raises:
        ValueError: it is something else.
    """
    found = holder.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ValueError(f"{name} is no object")
    return found


def parts(holder: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of things within, or of a provider's page of them (``data``).

    Raises:
        ValueError: it is something else.
    """
    found = holder.get(name)
    if isinstance(found, dict):
        found = found.get("data")
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError(f"{name} is no list of objects")
    return found


def currency(holder: Mapping[str, Any]) -> str:
    """An ISO code in capitals.

    Raises:
        ValueError: there is none.
    """
    found = text(holder, "currency").upper()
    if not re.fullmatch(r"[A-Z]{3}", found):
        raise ValueError("currency is no three letters")
    return found


def minor(amount: int, code: str, places: int) -> int:
    """An amount that a provider counts in so many decimals, in the currency's own minor units.

    Raises:
        ValueError: it has more decimals than the currency.
    """
    further = exponent(code) - places
    if further >= 0:
        return amount * int(10**further)
    kept, lost = divmod(amount, int(10**-further))
    if lost:
        raise ValueError("the amount has more decimals than its currency")
    return kept


def moment(seconds: int | None) -> datetime:
    """Unix seconds as an aware time.

    Raises:
        ValueError: no time of this millennium.
    """
    if seconds is None or not 0 < seconds < 32_503_680_000:
        raise ValueError("the time is missing or no Unix time")
    return datetime.fromtimestamp(seconds, UTC)


def iso_moment(words: str) -> datetime:
    """An ISO 8601 time with its zone.

    Raises:
        ValueError: none.
    """
    found = datetime.fromisoformat(words)
    if found.tzinfo is None:
        raise ValueError("the time names no zone")
    try:
        return found.astimezone(UTC)
    except OverflowError:  # the last hours of the year 9999, west of Greenwich
        raise ValueError("the time is beyond all calendars") from None


def an_address(words: str) -> str:
    """An email address as we compare them; empty when it cannot be read: it costs no donation."""
    try:
        return normalise(words) if words else ""
    except ValueError:
        return ""


def a_name(words: str) -> str:
    """A name on one line."""
    return " ".join(words.split())[:_NAME_LENGTH]


def code_in(metadata: Mapping[str, Any], *more: str, parameter: str) -> str:
    """Whatever may be a code among a provider's metadata and the texts given, in one line."""
    found = [*more, *(value for key, value in metadata.items()
                      if isinstance(value, str) and key.lower() in (*CODE_KEYS, parameter.lower()))]
    return " ".join(dict.fromkeys(" ".join(found).split()))[:_CODE_LENGTH]
