"""What comes of a cell of the crash lab: of one round, or of several."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from lab.verdict import Verdict


@dataclass(kw_only=True)
class Outcome(Verdict):
    """What came of a round, or of several."""

    rounds: int = 0
    accepted: int = 0
    """Messages that the server accepted."""
    befell: Counter[str] = field(default_factory=Counter)
    """kill, sleep, restart, fill, the server's troubles, and what the machine itself did → how often."""
    hearings: int = 0

    def add(self, other: Outcome) -> None:
        """Sum up."""
        for name in ("rounds", "planned", "accepted", "hearings", "duplicates", "lost", "doubt", "allowed", "healed",
                     "played_again"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.befell.update(other.befell)
        self.breaches += other.breaches
        self.unjudged += other.unjudged

    @property
    def words(self) -> str:
        """In a line, for whoever watches."""
        befell = ", ".join(f"{n} {what}" for what, n in self.befell.items() if n) or "nothing befell it"
        return (f"{befell}; {self.duplicates} twice, {self.lost} lost, {self.doubt} in doubt (at most {self.allowed}), "
                f"{self.healed} healed{'; BROKEN: ' + ' | '.join(self.breaches) if self.breaches else ''}"
                f"{'; NOT JUDGED: ' + ' | '.join(self.unjudged) if self.unjudged else ''}")
