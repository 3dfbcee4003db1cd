"""What is found of a mailing: kept, broken, or not judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lab.judge import Judge
from lab.patience import BrokenError


@dataclass(kw_only=True)
class Verdict:
    """What is found of a mailing, or of several."""

    planned: int = 0
    duplicates: int = 0
    lost: int = 0
    breaches: list[str] = field(default_factory=list)
    """Every other broken promise, in words."""
    unjudged: list[str] = field(default_factory=list)
    """Why the lab could not find out, in words."""
    played_again: int = 0
    """Rounds that could not be judged, and were played again."""
    doubt: int = 0
    """Messages in doubt when all was quiet, before any event was heard."""
    allowed: int = 0
    """As many may be."""
    healed: int = 0
    """Of those in doubt, the ones that events settled."""

    @property
    def broken(self) -> bool:
        """Whether a promise was broken."""
        return bool(self.duplicates or self.lost or self.breaches or self.doubt > self.allowed)

    @property
    def sound(self) -> bool:
        """Whether every promise was kept, as far as can be seen, and it could be seen."""
        return not self.broken and not self.unjudged

    @contextmanager
    def told(self) -> Iterator[None]:
        """Whatever ends the block early: a broken promise if it is one, else something that could not be judged."""
        try:
            yield
        except BrokenError as fault:
            self.breaches.append(str(fault)[:600])
        except Exception as fault:  # noqa: BLE001 - a fault of the lab's own proves nothing about a promise
            self.unjudged.append(f"{type(fault).__name__}: {' '.join(str(fault).split())[:300]}")

    def take(self, judge: Judge) -> None:
        """Take over what the judge heard."""
        self.duplicates, self.lost = judge.duplicates, judge.lost
        self.breaches += judge.breaches
