"""Every check of a letter, one after the other; what several versions share is told once."""

from __future__ import annotations

from pillarbox.checking import essentials, images
from pillarbox.checking.matter import Check, Matter
from pillarbox.model.records import Finding, Level

CHECKS: tuple[Check, ...] = (
    essentials.look,
    images.look,
)
_ORDER = {level: place for place, level in enumerate(Level)}


def examine(matter: Matter) -> tuple[Finding, ...]:
    """All findings on a letter: errors first, then warnings, then advice; within these in the order of the checks."""
    found = dict.fromkeys(finding for check in CHECKS for finding in check(matter))
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.level]))
