"""The service letters as they lie in their folders: read, shown, approved."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pillarbox.compose import letter as letters
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.message import Composer
from pillarbox.compose.standing import fingerprint
from pillarbox.content import appeal as appeals
from pillarbox.content import bundle as bundles
from pillarbox.content.bundle import Bundle
from pillarbox.content.images import CID
from pillarbox.ground import clock, logs
from pillarbox.ground.errors import LetterError, Refused
from pillarbox.mailings import pictures
from pillarbox.mailings.check import SAMPLES
from pillarbox.mailings.preview import Page
from pillarbox.model.records import Fault
from pillarbox.shape.bodies import Body, body
from pillarbox.store import audit, service
from pillarbox.store.project import Project

log = logs.get("mailings")

_LETTERS_KEPT = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceLetter:
    """A service letter as it lies in its folder now."""

    kind: str
    bundle: Bundle
    content_hash: str
    """The same until anything that somebody would read is changed."""
    composer: Composer
    lock: threading.Lock

    def compose(self, supporter: Mapping[str, Any], deed: Mapping[str, str]) -> Body:
        """The letter for one person and one deed.

        Raises:
            LetterError: this copy cannot be composed; says why.
        """
        with self.lock:
            [made] = self.composer.compose([{"supporter": supporter, "deed": dict(deed), "links": {}}])
        if isinstance(made, Fault):
            raise LetterError(f"The service letter {self.kind} cannot be composed.", findings=(made.finding,))
        return body(made.shape, made.values)


_kept: dict[tuple[str, str, object], ServiceLetter] = {}


def kinds(project: Project) -> list[str]:
    """The service letters that there are: the project's own, and those that are shipped."""
    return sorted(appeals.service_letters(project.folder))


def is_meant(project: Project, name: str) -> bool:
    """Whether staff mean a service letter by this name; an appeal's folder of the same name comes first."""
    return name in kinds(project) and not (project.folder / "appeals" / name).is_dir()


def read(project: Project, kind: str) -> ServiceLetter:
    """A service letter as it lies in its folder now.

    Raises:
        LetterError: with every fault found.
    """
    bundle, findings = bundles.gather_service(project.settings, kind, project.folder)
    if bundle is None:
        raise LetterError(f"The service letter {kind} has faults; nothing was done.", findings=findings)
    day = clock.today(project.settings.project.zone)
    key = (kind, bundle.id, day)
    if key not in _kept:
        letter = letters.build(bundle, date=day, mailing={"name": kind, "images": CID})
        if len(_kept) >= _LETTERS_KEPT:
            _kept.clear()
        _kept[key] = ServiceLetter(kind=kind, bundle=bundle, content_hash=fingerprint(letter), lock=threading.Lock(),
                                   composer=Composer(letter, finisher(PremailerInliner())))
    return _kept[key]


def pages(project: Project, kind: str) -> list[Page]:
    """The letter as it will be read, by made-up people; ``[facts.sample]`` of its settings says what a deed says.

    Raises:
        LetterError: it has faults.
    """
    letter = read(project, kind)
    sample = {str(name): str(value) for name, value in letter.bundle.appeal.facts.get("sample", {}).items()}
    made = [(who, letter.compose(says, sample)) for who, says in SAMPLES.items()]
    # Most of these letters greet nobody by name: one page tells it all.
    shown = made[:1] if len({page.html for _, page in made}) == 1 else made
    return [Page(name=str(number), who=who, subject=page.subject, text=page.text,
                 html=pictures.shown_within(page.html, letter.bundle))
            for number, (who, page) in enumerate(shown, 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A service letter at a glance."""

    kind: str
    content_hash: str
    approved_by: str
    """Empty: nobody stands for it as it is now."""
    approved_at: datetime | None
    letters: Mapping[str, int]
    """State → how many."""


def overview(project: Project) -> list[Standing]:
    """Every service letter: whether it is approved as it is now, and what became of those asked for.

    Raises:
        LetterError: one of them has faults.
    """
    known = [read(project, kind) for kind in kinds(project)]
    with project.store.reading() as connection:
        counted = service.counts(connection)
        found = []
        for letter in known:
            row = service.approval(connection, letter.kind, letter.content_hash)
            found.append(Standing(
                kind=letter.kind, content_hash=letter.content_hash, approved_by=row.approved_by if row else "",
                approved_at=row.approved_at if row else None,
                letters={state: number for (kind, state), number in counted.items() if kind == letter.kind}))
    return found


def approve(project: Project, kind: str, *, by: str) -> ServiceLetter:
    """Record that somebody read a service letter and stands for it, as it is now. Whatever waits for that goes.

    Raises:
        Refused: no name given.
        LetterError: it has faults.
    """
    if not by.strip():
        raise Refused("An approval needs a name.", todo="Say who approves with --by NAME.")
    letter = read(project, kind)
    with project.store.writing() as connection:
        service.approve(connection, kind=kind, content_hash=letter.content_hash, by=by.strip())
        service.unmark(connection, [mark_of(letter)])
        audit.record(connection, actor=by.strip(), action="approve", subject=f"service letter {kind}",
                     detail={"content_hash": letter.content_hash})
    log.info("service.approved", kind=kind)
    return letter


def mark_of(letter: ServiceLetter) -> str:
    """The name under which it is kept that staff were told of a letter that waits for its approval."""
    return f"service:{letter.kind[:20]}:{letter.content_hash[:10]}"
