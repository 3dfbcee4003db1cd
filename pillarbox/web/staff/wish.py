"""What a form that asks for a deed says, read within bounds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.mailings import moments
from pillarbox.people.values import one_line

_LONGEST_REASON, _LONGEST_TIME, _MOST_READ, _MOST_DIGITS = 200, 60, 1_000, 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a posted form asks for, read."""

    count: int | None
    """The number that was typed (live) or shown (practice); None where none is asked for."""
    reason: str
    at: datetime | None
    actor: str
    as_planned: bool
    """Whether they said that it shall leave as it was planned, though something has changed since."""
    seen: str
    """How the mailing stood on the page that asked (``seen.mark``); empty when no such page did."""


def read(fields: Mapping[str, str], *, counted: bool, actor: str, zone: str) -> Wish:
    """Read a posted form.

    Args:
        fields: as they were posted.
        counted: whether the number of messages must stand in it.
        actor: who posted it.
        zone: in which its time is meant.

    Raises:
        Refused: no number stands where one must, or the time cannot be read.
    """
    at = time_of(fields)
    return Wish(count=_count_of(fields) if counted else None, actor=actor, seen=fields.get("seen", ""),
                reason=one_line(fields.get("reason", "")[:_MOST_READ])[:_LONGEST_REASON],
                as_planned=fields.get("as_planned") == "yes",
                at=moments.read_moment(at, zone, now=clock.now()) if at else None)


def time_of(fields: Mapping[str, str]) -> str:
    """The time as it was typed, to be read or to be shown again."""
    return fields.get("at", "").strip()[:_LONGEST_TIME]


def reason_of(fields: Mapping[str, str]) -> str:
    """The reason as it was typed, to be shown again."""
    return fields.get("reason", "")[:_LONGEST_REASON]


def _count_of(fields: Mapping[str, str]) -> int:
    typed = re.sub(r"[\s,.]", "", fields.get("count", ""))
    if not (typed.isascii() and typed.isdigit() and len(typed) < _MOST_DIGITS):
        raise Refused("Type the number of messages, as it stands above. Nothing was done.")
    return int(typed)
