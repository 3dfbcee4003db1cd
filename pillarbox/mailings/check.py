"""Every fault of a letter, found before anything is planned."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any

from pillarbox.checking import images, online, silence
from pillarbox.checking.examine import examine, ordered
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.letter import advise
from pillarbox.compose.message import Composer
from pillarbox.ground import clock
from pillarbox.ground.errors import LetterError
from pillarbox.mailings import envelopes, letters
from pillarbox.mailings.seen import Seen
from pillarbox.model.records import Composed, Fault, Finding, Level
from pillarbox.people import audience
from pillarbox.store.project import Project

_ROWS_AT_ONCE = 5_000
_FAULTS_SHOWN = 20
_NAMED, _PRINTED = re.compile(r"“(\w+)” is missing"), re.compile(r"\{\{ supporter\.(\w+)")
_QUOTED = re.compile(r"“(\w+)”")

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
    silenced: int = 0
    """Findings that the appeal asks not to be told."""

    @property
    def ok(self) -> bool:
        """Whether the letter may be planned."""
        return not any(finding.level is Level.ERROR for finding in self.findings)

    def to_json(self) -> dict[str, object]:
        """The command line's contract for ``check --json``."""
        return {"ok": self.ok, "findings": [asdict(finding) | {"level": finding.level.value}
                                            for finding in self.findings], "silenced": self.silenced}


def check(project: Project, slug: str, rule: audience.Rule | None = None, *, day: date | None = None,
          go_online: bool = False) -> Checked:
    """Read, build and compose a letter: for the supporters of a rule, or for made-up ones.

    Args:
        rule: whom it is composed for; None: two made-up supporters.
        day: the day that the letter is for; today when not said.
        go_online: whether the public pages that it leads to are asked for; nothing of a supporter's leaves.

    Raises:
        Refused: an unknown list or segment.
    """
    day = day or clock.today(project.settings.project.zone)
    try:
        source = letters.read(project, slug)
        versions = letters.variants(source, day=day, name="check", practice=project.settings.practice)
        composers = {label: Composer(letter, finisher(PremailerInliner())) for label, letter in versions.items()}
    except LetterError as fault:
        return Checked(findings=ordered(_found(fault, slug)), copies=0)
    findings = [*source.findings]
    for label in versions:
        findings += advise(source.bundle.as_variant(label), date=day, mailing={
            "name": "check", "images": envelopes.images_at(source.bundle, practice=project.settings.practice)})
    findings += images.unused(source.bundle, *versions.values())
    # As plan makes them: a copy that is composed alone shows them as they are.
    links = envelopes.link_maker(project.settings, source.bundle, "CHECK").links("check", None)
    copies = asked = 0
    faults = _Faults()
    seen = {label: Seen(letter) for label, letter in versions.items()}
    for chunk in _people(project, rule):
        asked += len(chunk)
        for label, composer in composers.items():  # whoever gets it: everybody's copy of each variant is sound
            seen[label].people(says for _, says in chunk)
            for who, made in _compose(composer, links, chunk):
                copies += 1
                if isinstance(made, Fault):
                    faults.add(made.finding, who)
                else:
                    seen[label].copy(made, links)
    examined: list[Finding] = []
    for label, here in seen.items():
        matter = here.matter(source.bundle.as_variant(label), project.settings, day=day,
                             supporters=asked if rule else 0)
        examined += examine(matter)
        if go_online:
            examined += online.look(matter)
    findings += faults.told(source.appeal.letter.file, besides=examined,
                            asked=asked if rule else 0)
    findings += faults.untold_by(examined)
    findings += [Finding(level=Level.ADVICE, code="slow-path", file=source.appeal.letter.file, line=None,
                         message=reason) for composer in composers.values() for reason in composer.reasons]
    told, silenced = silence.heed(dict.fromkeys(findings), source.appeal.ignored, source.appeal.file)
    return Checked(findings=ordered(told), copies=copies, silenced=silenced)


@dataclass(kw_only=True, slots=True)
class _Faults:
    """Copies that cannot be composed: each fault once, with the first supporter who has it and how many more do."""

    counts: dict[Finding, int] = field(default_factory=dict)
    first: dict[Finding, str] = field(default_factory=dict)
    untold: int = 0

    def add(self, finding: Finding, who: str) -> None:
        if finding in self.counts or len(self.counts) < _FAULTS_SHOWN:
            self.counts[finding] = self.counts.get(finding, 0) + 1
            self.first.setdefault(finding, who)
        else:
            self.untold += 1

    def untold_by(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Findings without those that say of a missing field again what a fault of a copy says."""
        missing = {(each.file, each.line, name[1]) for each in self.counts
                   if each.code == "undefined-name" and (name := _NAMED.match(each.message))}
        for each in findings:
            field_of = _PRINTED.search(each.message) if each.code == "no-fallback" else None
            if field_of is None or (each.file, each.line, field_of[1]) not in missing:
                yield each

    def told(self, file: str, *, besides: Iterable[Finding], asked: int) -> Iterator[Finding]:
        """Each fault, but for a field that nobody has: ``besides`` says that better."""
        nobodys = {name[1] for each in besides if each.code == "nobody-has" and (name := _QUOTED.search(each.message))}
        for by, count in self.counts.items():
            finding = by
            if by.code == "undefined-name" and (name := _NAMED.match(by.message)) and name[1] in nobodys:
                continue
            others = f" and {count - 1:,} more" if count > 1 else ""
            others += f", of {asked:,} supporters" if others and asked else ""
            if finding.code == "undefined-name" and not asked:
                finding = replace(finding, message=f"{finding.message} If a list has it, name the list: --list NAME.")
            yield letters.for_supporter(finding, self.first[by] + others)
        if self.untold:
            yield Finding(level=Level.ERROR, code="more-faults", file=file, line=None,
                          message=f"{self.untold:,} more copies cannot be composed, for other reasons: mend the faults "
                                  "above, and check again.")


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


def _compose(composer: Composer, links: Mapping[str, str],
             people: list[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, Composed | Fault]]:
    made = composer.compose([{"supporter": says, "links": links} for _, says in people])
    return zip((who for who, _ in people), made, strict=True)
