"""How often somebody may ask: a steady rate with room for a burst (GCRA), kept in this process.

The API only reads: a limit that a restart forgets keeps a busy script from slowing everybody down, which is all that it
is for. What guards passwords is kept in the database (``staff.login``).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock

_MOST_KEPT = 10_000


class Limit:
    """So many a minute for each name; all of a minute's may come at once."""

    def __init__(self, per_minute: int) -> None:
        self._seconds = 60 / per_minute
        self._paid: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def wait(self, name: str, *, take: bool = True) -> float:
        """Take one; returns for how many seconds there is none, having taken none, or 0."""
        now = time.monotonic()
        with self._lock:
            until = max(self._paid.get(name, now), now) + self._seconds
            if until - now > 60 + self._seconds / 2:
                return until - now - 60
            if take:
                self._paid[name] = until
                self._paid.move_to_end(name)
                while len(self._paid) > _MOST_KEPT:
                    self._paid.popitem(last=False)
        return 0.0
