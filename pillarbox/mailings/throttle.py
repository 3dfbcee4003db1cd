"""How fast messages may leave: the generic cell rate algorithm (ITU-T I.371, 1996), on rows that all workers share.

A limit keeps one number: until when all that was taken is paid for. Nobody takes anything while that lies ahead; who
takes ``n`` messages puts it ``n / rate`` seconds after the present. Nothing is saved up, so the burst is one unit.

A unit is never larger than what the limit brings in its ``grain``: at 10 a second ten leave every second, not a
thousand every hundred. In any second as many leave as the rate says, and at most one unit more.
"""

from __future__ import annotations

from dataclasses import dataclass

SECOND, HALF_MINUTE, MINUTE = 1.0, 30.0, 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """So many messages a second, for everybody who takes from the row of this name."""

    name: str
    """The order of names is the order of locks: project, mailing, spread, domains."""
    per_second: float
    grain: float
    """Seconds: a unit carries at most what the limit brings in as long."""
    why: str
    """The limit in words, for those who wait."""

    @property
    def most(self) -> int:
        """Messages in one unit; at least one, however slow."""
        return max(1, int(self.per_second * self.grain))

    def wait(self, paid_until: float, now: float) -> float:
        """Seconds until something may be taken; 0: now.

        A clock that jumped back leaves no more than one unit's time to wait; one that jumped ahead saves nothing up.
        """
        return min(max(paid_until - now, 0.0), self.most / self.per_second)

    def paid(self, count: int, now: float) -> float:
        """Until when it is paid for after ``count`` messages were taken."""
        return now + count / self.per_second
