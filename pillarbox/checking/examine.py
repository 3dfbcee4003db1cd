"""Every check of a letter, one after the other; what several versions share is told once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pillarbox.checking import (
    accents,
    dates,
    destinations,
    doubled,
    essentials,
    fields,
    html,
    images,
    leftovers,
    mixups,
    preheader,
    punctuation,
    quotes,
    running,
    spam,
    spelling,
    subject,
    theme,
    unwritten,
    versions,
)
from pillarbox.checking.matter import Check, Matter
from pillarbox.model.records import Finding, Level, Shape

CHECKS: tuple[Check, ...] = (
    essentials.look,
    fields.look,
    preheader.look,
    html.look,
    destinations.look_at_settings,
    versions.look,
    dates.look,
    subject.look,
    spelling.look,
    accents.look,
    quotes.look,
    doubled.look,
    punctuation.look,
    mixups.look,
    spam.look,
    theme.look,
    running.look,
    unwritten.look,
    leftovers.look,
    images.look,
)
CODES: Mapping[str, str] = {"check-failed": "A check could not be done; the others were."}
ALL = 24
"""So many versions are looked at whatever they are; of more, those that show something new."""
MOST = 60
_HUGE = 1_000_000
"""Characters of HTML, ten times what Gmail shows: such a letter is only told to be too long."""
_NUMBER = re.compile(r"(?<![\w@.-])\d[\d,.]*(?![\w@.-])")  # none of an address's own
_ORDER = {level: place for place, level in enumerate(Level)}


def examine(matter: Matter) -> tuple[Finding, ...]:
    """All findings on a letter: errors first, then warnings, then advice; within these by file and line.

    A check that itself fails is told as advice, and hinders neither the others nor a plan.
    """
    if any(len(shape.html) > _HUGE for shape in matter.shapes):
        return ordered(essentials.too_long(matter))
    whole = replace(matter, shapes=telling(matter.shapes), versions=matter.versions or len(matter.shapes))
    found: dict[Finding, None] = {}
    for check in CHECKS:
        try:
            found |= dict.fromkeys(check(whole))
        except Exception as fault:  # noqa: BLE001 - a letter nobody foresaw must not stop staff who want it checked
            name = check.__module__.rpartition(".")[2]
            found[Finding(level=Level.ADVICE, code="check-failed", file=matter.bundle.appeal.letter.file, line=None,
                          message=f"The check of its {name} failed ({type(fault).__name__}), so that nothing is known "
                                  "of that: look at it yourself.")] = None
    return ordered(found)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings as staff should read them, each once: the worst first, a file's together, from its top down.

    What differs only by a version's numbers (its bytes) is told at the first of them.
    """
    places: dict[tuple[Level, str, str, int | None, str], Finding] = {}
    for finding in findings:
        words = _NUMBER.sub("", finding.message)
        places.setdefault((finding.level, finding.code, finding.file, finding.line, words), finding)
    files = {finding.file: number for number, finding in reversed(list(enumerate(places.values())))}
    return tuple(sorted(places.values(), key=lambda each: (_ORDER[each.level], files[each.file], each.line or 0)))


def telling(shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """The versions that are worth looking at: the first, the longest, and those with a line that none before had.

    A letter in hundreds of versions shows the same few lines in other company.
    """
    if len(shapes) <= ALL:
        return shapes
    seen: set[str] = set()
    chosen: list[Shape] = []
    longest = max(shapes, key=lambda shape: len(shape.html))
    for shape in (longest, *shapes):
        lines = {*shape.html.split("\n"), *shape.text.split("\n"), shape.subject}
        if not lines <= seen and len(chosen) < MOST:
            seen |= lines
            chosen.append(shape)
    return tuple(chosen)
