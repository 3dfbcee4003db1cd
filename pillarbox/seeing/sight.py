"""What there is to see of a letter, as data for the page: its copies, its images, what a check finds."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pillarbox.ground.errors import LetterError, PillarboxError
from pillarbox.mailings import preview, samples, service
from pillarbox.mailings.check import check
from pillarbox.mailings.envelopes import PRACTICE_SENDER
from pillarbox.mailings.preview import InHand, Page
from pillarbox.mailings.samples import Sample
from pillarbox.model.records import Finding, Level
from pillarbox.people.audience import Rule
from pillarbox.store.project import Project


@dataclass(frozen=True, kw_only=True, slots=True)
class Whom:
    """With whom a letter is looked at; nobody named: made-up supporters."""

    email: str | None = None
    rule: Rule | None = None


@dataclass(kw_only=True)
class Sight:
    """A letter as it lies in its folder, looked at again after each change. From any thread.

    A service letter is shown with what ``[facts.sample]`` of its settings says, and is not checked.
    """

    project: Project
    slug: str
    whom: Whom = Whom()
    version: int = 0
    """Rises with each look at the folder."""
    _people: Sequence[Sample] = ()
    _copies: Sequence[tuple[int, Sample, str]] = ()
    """Number of the supporter, the supporter, the variant."""
    _letter: InHand | None = None
    _faults: tuple[Finding, ...] = ()
    _pages: dict[int, Page] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _checking: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_service(self) -> bool:
        """Whether staff mean a service letter by this name."""
        return service.is_meant(self.project, self.slug)

    def look_again(self) -> None:
        """Read the folder as it is now. What is wrong with it is shown, not raised.

        Raises:
            Refused: nobody is there to look at it with.
        """
        with self._lock:
            self.version += 1
            self._pages, self._faults = {}, ()
            try:
                if self.is_service:
                    self._pages = dict(enumerate(service.pages(self.project, self.slug), 1))
                    return
                if not self._people and not self.whom.rule:
                    self._people = samples.choose(self.project, self.slug, email=self.whom.email)
                self._letter = preview.take(self.project, self.slug)
                self._people = self._people or samples.choose(self.project, self.slug, rule=self.whom.rule)
                self._copies = [(number, one, variant) for variant in self._letter.variants
                                for number, one in enumerate(self._people, 1)]
            except LetterError as fault:
                self._letter = None
                self._faults = tuple(each for each in fault.findings if isinstance(each, Finding)) or (Finding(
                    level=Level.ERROR, code="unreadable", file=f"appeals/{self.slug}", line=None,
                    message=fault.sentence()),)

    def first_look(self) -> None:
        """The same, when there must be something to see.

        Raises:
            LetterError: the letter has faults.
            Refused: nobody is there to look at it with.
        """
        self.look_again()
        if self._faults:
            raise LetterError(f"The appeal {self.slug} has faults; there is nothing to see yet.", findings=self._faults)

    @property
    def count(self) -> int:
        """How many copies there are."""
        return len(self._pages) if self.is_service else len(self._copies)

    def page(self, number: int) -> Page | None:
        """The copy with this number, from 1; None when there is none. Composed when it is first asked for."""
        with self._lock:
            if number not in self._pages and self._letter is not None and 0 < number <= len(self._copies):
                self._pages[number] = self._letter.page(*self._copies[number - 1])
            return self._pages.get(number)

    def pages(self) -> list[Page]:
        """Every copy."""
        return [page for number in range(1, self.count + 1) if (page := self.page(number))]

    def findings(self, version: int | None = None) -> tuple[Finding, ...]:
        """What ``check`` finds, for the whole of a list where one is named. One at a time.

        Args:
            version: of the letter that is asked about; when there is a newer one by now, nothing is looked at.
        """
        with self._checking:
            with self._lock:
                if self._faults or self.is_service or version not in (None, self.version):
                    return self._faults
            try:
                return check(self.project, self.slug, self.whom.rule).findings
            except PillarboxError as fault:
                return (Finding(level=Level.WARNING, code="not-checked", file=f"appeals/{self.slug}", line=None,
                                message=fault.sentence()),)

    # ------------------------------------------------------------------------------------------ as data

    def frame(self) -> dict[str, Any]:
        """What is the same for every copy."""
        with self._lock:
            sender = self.project.settings.sender
            bundle = self._letter.bundle if self._letter else None
            people = ([{"who": page.who, "note": page.note} for page in self._pages.values()] if self.is_service
                      else [{"who": one.who, "note": self._note(one, variant)} for _, one, variant in self._copies])
            return {
                "version": self.version, "slug": self.slug,
                "title": bundle.appeal.title if bundle else self.slug,
                "kind": str(bundle.appeal.kind) if bundle else "service" if self.is_service else "",
                "sender": {"name": sender.name or sender.email or PRACTICE_SENDER,
                           "email": sender.email or PRACTICE_SENDER},
                "made_up": not (self.whom.email or self.whom.rule), "people": people,
                "images": dict(self._letter.images) if self._letter else {},
                "faults": [told(each) for each in self._faults],
            }

    def _note(self, one: Sample, variant: str) -> str:
        if not variant or self._letter is None:
            return one.note
        lot = f"variant {variant}, by lot one in {len(self._letter.variants)}"
        return f"{lot} of: {one.note}" if one.note else lot

    def copy(self, number: int) -> dict[str, Any] | None:
        """One copy; None when there is none."""
        with self._lock:
            page = self.page(number)
            return None if page is None else {"version": self.version, **shown(page)}


def shown(page: Page) -> dict[str, Any]:
    """A copy as data."""
    return {"subject": page.subject, "preheader": page.preheader, "html": page.html, "text": page.text,
            "fault": told(page.fault) if page.fault else None}


def told(finding: Finding) -> Mapping[str, Any]:
    """A finding as data."""
    return {"level": finding.level.value, "code": finding.code, "file": finding.file, "line": finding.line,
            "message": finding.message}
