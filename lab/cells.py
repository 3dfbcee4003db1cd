"""What the long lab and the short one try: the rows of the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lab.moods import CALM, Mood

_WIDE = {"widen": 0.15}
_ENGINES = ("sqlite", "postgresql")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A row of the table: how it is sent, and what befalls it."""

    name: str
    engine: str
    """sqlite or postgresql."""
    senders: int = 1
    connections: int = 1
    """Of each sender: as many units may be under way in it at once."""
    kills: int = 0
    """kill -9, over all rounds of the cell."""
    sleeps: int = 0
    """SIGSTOP until the lease is over, then SIGCONT."""
    restarts: int = 0
    """The database stopped as by a crash, and started again."""
    fills: int = 0
    """The disk filled to its last byte, and freed again."""
    mood: Mood = CALM
    seams: Mapping[str, float] = field(default_factory=dict)
    kind: str = "send"
    """Which command sends: send or worker."""

    @property
    def acts(self) -> Counter[str]:
        """What is to befall it, over all rounds."""
        return +Counter({"kill": self.kills, "sleep": self.sleeps, "restart": self.restarts, "fill": self.fills})


def long(kills: int) -> dict[str, list[Cell]]:
    """Lane → its cells, one after another; lanes run side by side.

    Args:
        kills: over all cells that only kill; the others have theirs beside.
    """
    lanes = {}
    for engine in _ENGINES:
        part = kills / 2 / 20
        lanes[f"{engine}, one sender"] = [
            Cell(name="kill -9", engine=engine, kills=round(4 * part), mood=Mood(latency=0.25)),
            Cell(name="kill -9", engine=engine, connections=4, kills=round(4 * part), mood=Mood(latency=0.8)),
            Cell(name="kill -9", engine=engine, kind="worker", connections=4, kills=round(3 * part),
                 mood=Mood(latency=0.8)),
        ]
        lanes[f"{engine}, four senders"] = [
            Cell(name="kill -9", engine=engine, senders=4, kills=round(4 * part), mood=Mood(latency=0.8)),
            Cell(name="kill -9", engine=engine, kind="worker", senders=4, kills=round(3 * part),
                 mood=Mood(latency=0.8)),
            Cell(name="kill -9, windows widened", engine=engine, senders=4, mood=Mood(latency=0.5), seams=_WIDE,
                 kills=round(kills / 2) - 3 * round(4 * part) - 2 * round(3 * part)),
        ]
        lanes[f"{engine}, network"] = [
            Cell(name="connections cut before and after acceptance", engine=engine, connections=4,
                 mood=Mood(latency=0.1, cut_before=0.12, cut_after=0.12)),
            Cell(name="500s, some of them after acceptance", engine=engine, connections=4,
                 mood=Mood(latency=0.1, broken=0.12, broken_after=0.12)),
            Cell(name="stalls: accepted after the sender gave up", engine=engine, connections=4,
                 mood=Mood(latency=0.1, stall=0.15)),
            Cell(name="a storm of 429s", engine=engine, senders=4, mood=Mood(latency=0.1, limited=0.6)),
            Cell(name="all of it, and kill -9", engine=engine, senders=4, kills=10,
                 mood=Mood(latency=0.3, cut_before=0.05, cut_after=0.05, limited=0.1, broken=0.05, broken_after=0.05)),
        ]
        lanes[f"{engine}, host"] = [
            Cell(name="asleep past the lease, woken as zombies", engine=engine, connections=4, sleeps=3,
                 mood=Mood(latency=0.5)),
            Cell(name="asleep past the lease, woken as zombies", engine=engine, senders=4, sleeps=6,
                 mood=Mood(latency=0.8), seams=_WIDE),
            Cell(name="disk full", engine=engine, connections=4, fills=3, mood=Mood(latency=0.4)),
            Cell(name="disk full", engine=engine, senders=4, fills=3, mood=Mood(latency=0.4)),
        ]
    lanes["postgresql, host"] += [
        Cell(name="database restarted (immediate)", engine="postgresql", connections=4, restarts=4,
             mood=Mood(latency=0.4)),
        Cell(name="database restarted (immediate)", engine="postgresql", senders=4, restarts=4,
             mood=Mood(latency=0.4)),
        Cell(name="database restarted, and kill -9", engine="postgresql", senders=4, restarts=3, kills=6,
             mood=Mood(latency=0.4)),
    ]
    return lanes


def short() -> dict[str, list[Cell]]:
    """What CI runs: ten kills, both engines, one sender and four."""
    one = Cell(name="kill -9", engine="sqlite", connections=2, kills=3, mood=Mood(latency=0.2))
    four = Cell(name="kill -9", engine="sqlite", senders=4, kills=3, mood=Mood(latency=0.3))
    return {"sqlite": [one, four],
            "postgresql": [replace(one, engine="postgresql", kills=2),
                           replace(four, engine="postgresql", kills=2)]}
