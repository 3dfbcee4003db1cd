"""How the counting server answers: its moods, and the troubles that it makes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Mood:
    """How the server answers: seconds, and of each trouble the share of requests that meet it."""

    latency: float = 0.05
    """Each request takes between half and one and a half times as long."""
    cut_before: float = 0.0
    """The connection is cut; nothing was accepted."""
    cut_after: float = 0.0
    """Everything was accepted, then the connection is cut."""
    limited: float = 0.0
    """429 with a reset a second ahead."""
    broken: float = 0.0
    """500, nothing accepted."""
    broken_after: float = 0.0
    """500, and yet everything was accepted."""
    stall: float = 0.0
    """Says nothing until the sender has given up, and accepts everything then."""
    stall_seconds: float = 6.0


CALM = Mood()
TROUBLES = ("cut_before", "cut_after", "limited", "broken", "broken_after", "stall")
DOUBTFUL = ("cut_before", "cut_after", "broken", "broken_after", "stall")
"""Those that leave nobody knowing whether the request was acted upon."""
