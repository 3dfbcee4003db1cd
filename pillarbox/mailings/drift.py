"""Drift: what a mailing was planned from has changed since, and what leaves is what was planned.

Its folder, layouts and settings, and what the segments mean that it is for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pillarbox.content import bundle as bundles
from pillarbox.ground.errors import PillarboxError
from pillarbox.mailings import letters, terms
from pillarbox.mailings.approval import NotApprovedError
from pillarbox.mailings.changes import Change, Version, between
from pillarbox.people.audience import Rule
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """An appeal's folder, or its segments, are not what its mailing was planned from."""

    changes: tuple[Change, ...]
    """Empty: what lies there now cannot be read."""


def of(project: Project, mailing: Mailing) -> Drift | None:
    """Whether that has changed since a mailing was planned; None: it has not, or is not on this host."""
    if not (project.folder / "appeals" / mailing.appeal).is_dir():
        return None
    with project.store.reading() as connection:
        planned = bundles.unpack(mailings.bundle(connection, mailing.bundle_id))
    now, _ = bundles.gather(project.settings, mailing.appeal, project.folder)
    if now is None:
        return Drift(changes=())
    was = mailing.audience.get("definitions", {})
    try:
        means = letters.definitions(letters.read_segments(project), Rule.from_json(mailing.audience)) if was else {}
    except PillarboxError:
        return Drift(changes=())
    # A sender that is missing altogether is ``live``'s to tell.
    now = replace(now, sender={**planned.sender, **{name: said for name, said in now.sender.items() if said}})
    found = between(Version(bundle=planned, facts=terms.segments_in_words(was)),
                    Version(bundle=now, facts=terms.segments_in_words(means)))
    return Drift(changes=found) if found else None


def refuse(project: Project, mailing: Mailing, *, as_planned: bool, how: str) -> Drift | None:
    """See that whoever sends a live mailing knows which words leave; asked before it begins.

    Args:
        as_planned: whether they said that it shall leave as it was planned.
        how: how that is said, as the end of a sentence.

    Returns:
        what has changed, where it is let pass; None: nothing.

    Raises:
        NotApprovedError: something has, and nobody said so; carries what.
    """
    found = of(project, mailing) if mailing.started_at is None else None
    if found is None or mailing.practice or as_planned:
        return found
    raise NotApprovedError(
        f"What {mailing.name} was planned from has changed since, and what would leave is what was planned. Nothing "
        "was sent.", todo=f"`pillarbox plan {mailing.appeal} …` takes what is new, and has it approved; {how}.",
        changes=found.changes)
