"""Whether the words that an inbox shows after the subject are chosen, and not the first that happen to come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pillarbox.checking.matter import Matter
from pillarbox.model.records import Finding, Level
from pillarbox.model.states import Kind

CODES: Mapping[str, str] = {
    "no-preheader": "The letter has no preheader: inboxes show whatever words come first.",
}


def look(matter: Matter) -> Iterator[Finding]:
    """Advice for a letter to many; a service letter needs none."""
    appeal = matter.bundle.appeal
    if not appeal.preheader.strip() and appeal.kind is not Kind.SERVICE:
        yield Finding(level=Level.ADVICE, code="no-preheader", file=appeal.file, line=None,
                      message="The letter has no preheader, so inboxes show its first words after the subject, "
                              "whatever they are: set preheader in appeal.toml to a sentence that makes people "
                              "open it.")
