"""From an appeal's folder to a composer, and from a supporter's row to what a letter may say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pillarbox.compose import letter as letters
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.message import Composer
from pillarbox.content import bundle as bundles
from pillarbox.content.appeal import Appeal
from pillarbox.content.bundle import Bundle
from pillarbox.ground.errors import LetterError
from pillarbox.mailings import envelopes
from pillarbox.model.records import Finding, Letter
from pillarbox.people import audience, segments
from pillarbox.people.segments import Segments
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

NAMES = ("title", "first_name", "last_name", "name", "salutation", "language", "country")
"""What a letter can always say of a supporter; a list's own columns come beside these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """An appeal as it lies in its folder now, frozen."""

    bundle: Bundle
    findings: tuple[Finding, ...]
    """Advice and warnings; an error would have stopped the reading."""

    @property
    def appeal(self) -> Appeal:
        """The appeal itself."""
        return self.bundle.appeal


def read(project: Project, slug: str) -> Source:
    """Read and freeze an appeal, its layouts and its theme.

    Raises:
        LetterError: with every fault found.
    """
    bundle, findings = bundles.gather(project.settings, slug, project.folder)
    if bundle is None:
        raise LetterError(f"The appeal {slug} has faults; nothing was done.", findings=findings)
    return Source(bundle=bundle, findings=findings)


def letter(source: Source, *, day: date, name: str, variant: str = "", practice: bool = True) -> Letter:
    """One variant of the letter as it stands on a day; the letter itself when none is named.

    Args:
        source: the appeal.
        day: that it speaks of.
        name: the mailing's.
        variant: its label.
        practice: whether its images are fetched from this machine where no base URL is set.

    Raises:
        LetterError: with every fault found.
    """
    return letters.build(source.bundle.as_variant(variant), date=day, mailing={
        "name": name, "images": envelopes.images_at(source.bundle, practice=practice)})


def variants(source: Source, *, day: date, name: str, practice: bool = True) -> dict[str, Letter]:
    """Every variant of the letter as it stands on a day, by label; the letter alone, without one, when there are none.

    Raises:
        LetterError: with every fault found, in any of them.
    """
    found: dict[str, Letter] = {}
    faults: list[LetterError] = []
    for label in source.appeal.labels or ("",):
        try:
            found[label] = letter(source, day=day, name=name, variant=label, practice=practice)
        except LetterError as fault:
            faults.append(fault)
    if faults:
        every = tuple(dict.fromkeys(finding for fault in faults for finding in fault.findings))
        raise LetterError(f"{source.appeal.slug} has {len(every)} fault{'' if len(every) == 1 else 's'}, the first: "
                          f"{faults[0].what}" if len(faults) > 1 else faults[0].what,
                          findings=every, where=faults[0].where, todo=faults[0].todo)
    return found


def frozen(project: Project, mailing: Mailing) -> Source:
    """A mailing's appeal, from its stored bundle alone."""
    with project.store.reading() as connection:
        return Source(bundle=bundles.unpack(mailings.bundle(connection, mailing.bundle_id)), findings=())


def composers(source: Source, mailing: Mailing) -> dict[str, Composer]:
    """A composer for each variant of a mailing's letter, by label; see ``variants``.

    Raises:
        LetterError: with every fault found.
    """
    return {label: Composer(each, finisher(PremailerInliner())) for label, each in of_mailing(source, mailing).items()}


def of_mailing(source: Source, mailing: Mailing) -> dict[str, Letter]:
    """The letters of a mailing: every variant of it, by label.

    Raises:
        LetterError: with every fault found.
    """
    return variants(source, day=mailing.for_date, name=mailing.name, practice=mailing.practice)


def supporter(person: audience.Candidate) -> Mapping[str, Any]:
    """What a letter may say of a supporter: the fields of their list, and the names, which win."""
    return {**person.fields, "title": person.title, "first_name": person.first_name, "last_name": person.last_name,
            "name": person.to_name, "salutation": person.salutation, "language": person.language,
            "country": person.country}


def for_supporter(finding: Finding, address: str) -> Finding:
    """A fault in one supporter's copy, naming whose."""
    return replace(finding, message=f"{finding.message} (in the copy for {address})")


def read_segments(project: Project) -> Segments:
    """The project's saved rules.

    Raises:
        ListError: faults in lists/segments.toml.
    """
    return segments.read(project.folder / "lists" / segments.FILE)


def definitions(known: Segments, rule: audience.Rule) -> dict[str, Any]:
    """The segments that a rule names, as data: a mailing keeps the rule by which it was planned."""
    return {name: known[name].to_json() for name in (*rule.segments, *rule.exclude) if name in known}
