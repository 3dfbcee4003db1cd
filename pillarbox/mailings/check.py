"""Every fault of a letter, found before anything is planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from pillarbox.checking.examine import examine
from pillarbox.checking.matter import Matter
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.message import Composer
from pillarbox.content.bundle import Bundle
from pillarbox.ground import clock
from pillarbox.ground.errors import LetterError
from pillarbox.mailings import envelopes, letters
from pillarbox.model.records import Composed, Fault, Finding, Level, Shape
from pillarbox.people import audience
from pillarbox.store.project import Project

_ROWS_AT_ONCE = 5_000
_FAULTS_SHOWN = 20

SAMPLES: Mapping[str, Mapping[str, str]] = {
    "a supporter with every name": {
        "title": "Ms", "first_name": "Ada", "last_name": "Sample", "name": "Ms Ada Sample",
        "salutation": "Dear Ms Sample", "language": "en", "country": "GB"},
    "a supporter without a name": {
        "title": "", "first_name": "", "last_name": "", "name": "", "salutation": "Dear Supporter", "language": "",
        "country": ""},
}
"""Plainly made-up supporters with whom a letter is tried when no list is named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a check found."""

    findings: tuple[Finding, ...]
    copies: int
    """Copies of the letter that were composed."""

    @property
    def ok(self) -> bool:
        """Whether the letter may be planned."""
        return not any(finding.level is Level.ERROR for finding in self.findings)

    def to_json(self) -> dict[str, object]:
        """The command line's contract for ``check --json``."""
        return {"ok": self.ok, "findings": [asdict(finding) | {"level": finding.level.value}
                                            for finding in self.findings]}


def check(project: Project, slug: str, rule: audience.Rule | None = None) -> Checked:
    """Read, build and compose a letter: for the supporters of a rule, or for made-up ones.

    Raises:
        Refused: an unknown list or segment.
    """
    day = clock.today(project.settings.project.zone)
    try:
        source = letters.read(project, slug)
        letter = letters.letter(source, day=day, name="check", practice=project.settings.practice)
        composer = Composer(letter, finisher(PremailerInliner()))
    except LetterError as fault:
        return Checked(findings=_found(fault, slug), copies=0)
    findings = list(source.findings)
    copies = 0
    shapes: dict[str, Shape] = {}
    for chunk in _people(project, rule):
        for who, made in _compose(project, source.bundle, composer, chunk):
            copies += 1
            if isinstance(made, Fault):
                if len(findings) < _FAULTS_SHOWN:
                    findings.append(letters.for_supporter(made.finding, who))
            elif not (made.shape.private and shapes):
                shapes[made.shape.id] = made.shape
    findings += examine(Matter(bundle=source.bundle, letter=letter, day=day, settings=project.settings,
                               shapes=tuple(shapes.values()), supporters=copies if rule else 0))
    findings += [Finding(level=Level.ADVICE, code="slow-path", file=f"appeals/{slug}", line=None, message=reason)
                 for reason in composer.reasons]
    return Checked(findings=tuple(findings), copies=copies)


def _found(fault: LetterError, slug: str) -> tuple[Finding, ...]:
    found = tuple(finding for finding in fault.findings if isinstance(finding, Finding))
    return found or (Finding(level=Level.ERROR, code="unreadable", file=f"appeals/{slug}", line=None,
                             message=fault.sentence()),)


def _people(project: Project, rule: audience.Rule | None) -> Iterator[list[tuple[str, Mapping[str, Any]]]]:
    """Batches of (who it is, what a letter may say of them)."""
    if rule is None:
        yield list(SAMPLES.items())
        return
    with project.store.reading() as connection:
        known = letters.read_segments(project)
        audience.check(connection, rule, known)
        stream = audience.candidates(connection, rule, known)
        while chunk := [(person.address, letters.supporter(person)) for person in islice(stream, _ROWS_AT_ONCE)]:
            yield chunk


def _compose(project: Project, bundle: Bundle, composer: Composer,
             people: list[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, Composed | Fault]]:
    links = envelopes.link_maker(project.settings, bundle, "CHECK").inert()
    made = composer.compose([{"supporter": says, "links": links} for _, says in people])
    return zip((who for who, _ in people), made, strict=True)
