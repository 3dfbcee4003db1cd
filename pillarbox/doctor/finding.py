"""What the doctor finds: one thing each, how bad it is, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is, worst first."""

    WRONG = "wrong"
    """Something does not work, or will not when it is needed."""
    LOOK = "look"
    """It works; somebody should look at it. In practice also what would stand in the way of a live mailing."""
    WELL = "well"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing."""

    code: str
    """Stable name, e.g. ``worker-not-seen``."""
    level: Level
    words: str
    """What is, in a sentence. No personal data of supporters."""
    todo: str = ""
    """What to do, in a sentence; empty when nothing is to be done."""

    @property
    def sentence(self) -> str:
        """Both."""
        return f"{self.words} {self.todo}".strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All of it, worst first; among equals in the order in which things were looked at."""

    practice: bool
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Sequence[Finding], *, practice: bool) -> Report:
        """Put them in order."""
        worst = list(Level)
        return cls(practice=practice, findings=tuple(sorted(findings, key=lambda each: worst.index(each.level))))

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.level is not Level.WRONG for finding in self.findings)

    def at(self, level: Level) -> tuple[Finding, ...]:
        """Those of one level."""
        return tuple(finding for finding in self.findings if finding.level is level)

    def to_json(self) -> dict[str, object]:
        """For ``doctor --json``: ``faults`` are the sentences of what is not well."""
        return {"ok": self.ok, "practice": self.practice,
                "faults": [finding.sentence for finding in self.findings if finding.level is not Level.WELL],
                "findings": [{"code": finding.code, "level": finding.level.value, "words": finding.words,
                              "todo": finding.todo} for finding in self.findings]}


def wrong(code: str, words: str, todo: str = "") -> Finding:
    """Something that does not work."""
    return Finding(code=code, level=Level.WRONG, words=words, todo=todo)


def look(code: str, words: str, todo: str = "") -> Finding:
    """Something to look at."""
    return Finding(code=code, level=Level.LOOK, words=words, todo=todo)


def well(code: str, words: str) -> Finding:
    """Something that is as it should be."""
    return Finding(code=code, level=Level.WELL, words=words)


def unless_practice(practice: bool, code: str, words: str, todo: str = "") -> Finding:
    """Wrong when letters go to people; something to look at while they do not."""
    return look(code, words, todo) if practice else wrong(code, words, todo)
