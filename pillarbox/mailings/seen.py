"""What was seen of a letter while it was composed, and what the checks say of it. Check and plan both look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pillarbox.checking import fields, silence
from pillarbox.checking.examine import examine
from pillarbox.checking.matter import Matter
from pillarbox.content.bundle import Bundle
from pillarbox.ground.errors import LetterError
from pillarbox.mailings.letters import Source
from pillarbox.model.config import Settings
from pillarbox.model.records import Composed, Finding, Letter, Level, Shape
from pillarbox.store.mailings import Mailing


class Seen:
    """What was seen of a letter while it was composed: its versions, and what supporters lack. Check and plan use it.

    Of the versions that hold one supporter's own words one is kept: they stand for each other.
    """

    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self._asked = tuple({place.name for place in (*fields.bare(letter), *fields.hoped_for(letter))} - fields.ALWAYS)
        self._shapes: dict[str, Shape] = {}
        self._lacking: dict[str, int] = {}
        self._alone = 0
        self._own_links: tuple[str, ...] = ()
        self.supporters = 0
        """How many are to get it, those included whose copy cannot be composed."""

    def people(self, supporters: Iterable[Mapping[str, Any]]) -> None:
        """Take in what a letter may say of these supporters."""
        people = tuple(supporters)
        self.supporters += len(people)
        if self._asked:
            fields.lacking(self._asked, people, self._lacking)

    def copy(self, made: Composed, links: Mapping[str, str]) -> None:
        """Take in one supporter's copy, and the links that were made for it."""
        if not made.shape.private:
            self._shapes.setdefault(made.shape.id, made.shape)
        else:
            self._alone += 1
            if self._alone == 1:
                self._shapes.setdefault(made.shape.id, made.shape)
                self._own_links = tuple(link for link in links.values() if link)

    def matter(self, bundle: Bundle, settings: Settings, *, day: date, supporters: int) -> Matter:
        """What the checks look at."""
        return Matter(bundle=bundle, letter=self._letter, day=day, settings=settings,
                      shapes=tuple(self._shapes.values()), supporters=supporters, lacking=self._lacking,
                      own_links=self._own_links, versions=len(self._shapes) + max(self._alone - 1, 0))


def refuse(source: Source, seen: Mapping[str, Seen], settings: Settings, mailing: Mailing) -> tuple[Finding, ...]:
    """What the check says of the very versions that were composed, of every variant.

    Raises:
        LetterError: it says that the letter must not leave.
    """
    found: dict[Finding, None] = {}
    for label, here in seen.items():
        found |= dict.fromkeys(examine(here.matter(source.bundle.as_variant(label), settings, day=mailing.for_date,
                                                   supporters=here.supporters)))
    told, _ = silence.heed(found, source.appeal.ignored, source.appeal.file)
    errors = tuple(finding for finding in told if finding.level is Level.ERROR)
    if errors:
        many = "an error" if len(errors) == 1 else f"{len(errors)} errors"
        raise LetterError(f"The check of {mailing.appeal} found {many}; nothing was planned and nothing was sent.",
                          findings=errors)
    return told
