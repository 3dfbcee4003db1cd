"""Each supporter's own time: 08:00 where they live, as far as that is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pillarbox.mailings.moments import resolve
from pillarbox.people import zones
from pillarbox.people.audience import Candidate


def due_at(local: datetime, otherwise: datetime, *, not_before: datetime) -> Callable[[Candidate], datetime]:
    """A function from a supporter to the moment at which their own clocks show ``local``, in UTC.

    The list's ``zone`` field decides; else the country, when all of its zones agree on that moment; else, and for
    those whose own time has passed already, it is the schedule's time.

    Args:
        local: what the clocks shall show (naive).
        otherwise: the schedule's time.
        not_before: the moment of planning.
    """
    known: dict[tuple[ZoneInfo, ...], datetime] = {}

    def due(person: Candidate) -> datetime:
        where = zones.of_supporter(person.fields, person.country)
        if where not in known:
            found = {resolve(local, zone) for zone in where}
            own = found.pop() if len(found) == 1 else otherwise
            known[where] = own if own > not_before else otherwise
        return known[where].astimezone(UTC)

    return due
