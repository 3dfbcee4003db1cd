"""A letter as a supporter will see it, with links that lead nowhere in particular."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.message import Composer
from pillarbox.ground import address, clock
from pillarbox.ground.errors import LetterError, Refused
from pillarbox.mailings import envelopes, letters, pictures
from pillarbox.mailings.check import SAMPLES
from pillarbox.model.records import Fault
from pillarbox.people import names
from pillarbox.shape.bodies import body
from pillarbox.store.project import Project
from pillarbox.store.schema import supporters


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One supporter's letter."""

    name: str
    """For a file's name; no personal data."""
    who: str
    subject: str
    html: str
    text: str
    variant: str = ""
    """Of the letter; empty where there is only one."""


def preview(project: Project, slug: str, *, email: str | None = None) -> list[Page]:
    """Every variant of the letter for one supporter, or for made-up ones.

    Raises:
        LetterError: faults in the letter.
        Refused: nobody with that address.
    """
    source = letters.read(project, slug)
    versions = letters.variants(source, day=clock.today(project.settings.project.zone), name="preview")
    people = _one(project, email) if email else dict(SAMPLES)
    links = envelopes.link_maker(project.settings, source.bundle, "PREVIEW").inert()
    pages = []
    for label, letter in versions.items():
        composer = Composer(letter, finisher(PremailerInliner()))
        for number, (who, says) in enumerate(people.items(), 1):
            [made] = composer.compose([{"supporter": says, "links": links}])
            if isinstance(made, Fault):
                raise LetterError(f"The letter cannot be composed for {who}.", findings=(made.finding,))
            whole = body(made.shape, made.values)
            pages.append(Page(name=f"{label}-{number}" if label else str(number),
                              who=f"variant {label}, {who}" if label else who,
                              subject=whole.subject, text=whole.text, variant=label,
                              html=pictures.shown_within(whole.html, source.bundle)))
    return pages


def _one(project: Project, email: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        wanted = address.keyed_hash(address.normalise(email), project.secret)
    except ValueError as fault:
        raise Refused(f"{email!r} is not an address: {fault}") from None
    with project.store.reading() as connection:
        row = connection.execute(select(supporters).where(supporters.c.address_hash == wanted)).one_or_none()
    if row is None or row.address is None:
        raise Refused("Nobody with that address is known.")
    says = {**row.fields, "title": row.title, "first_name": row.first_name, "last_name": row.last_name,
            "name": names.to_name(title=row.title, first_name=row.first_name, last_name=row.last_name),
            "salutation": names.salutation(title=row.title, first_name=row.first_name, last_name=row.last_name,
                                           said=row.salutation),
            "language": row.language, "country": row.country}
    return {row.address: says}
