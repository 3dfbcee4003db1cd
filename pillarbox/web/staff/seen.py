"""What a page that asks for a deed shows of its mailing, and whether that is still so."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pillarbox.ground import clock
from pillarbox.mailings import approval, drift, moments, outlook
from pillarbox.mailings.drift import Drift
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.web.staff.deeds import Deed, approved_by


@dataclass(frozen=True, kw_only=True, slots=True)
class Since:
    """What a page that asks shows of what has changed."""

    before: approval.Comparison | None
    """Since somebody last stood for it; None: nobody ever did."""
    drift: Drift | None
    """In what it was planned from; None: nothing."""
    asks: bool
    """Whether they have to say that it shall leave as it was planned."""


def since(project: Project, mailing: Mailing, deed: Deed) -> Since:
    """What has changed that who is asked must know of; nothing for a deed that stops it."""
    if deed.stops or mailing.started_at:
        return Since(before=None, drift=None, asks=False)
    before = None
    if deed.name == "approve":
        with project.store.reading() as connection:
            before = approval.compared(connection, project.settings, mailing)
    found = drift.of(project, mailing)
    asks = found is not None and not mailing.practice and deed.name in ("send", "send-at")
    return Since(before=before, drift=found, asks=asks)


def mark(project: Project, mailing: Mailing) -> str:
    """Another one whenever what a page that asks says of the mailing is no longer so."""
    facts = (mailing.state, mailing.started_at, mailing.send_at, mailing.approved_by, mailing.approved_at,
             approved_by(project, mailing).by)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def outlook_of(project: Project, mailing: Mailing, deed: Deed) -> tuple[str, str]:
    """Where it stands before the deed, and what letting it go on comes to, in words; either may be empty."""
    said, then = outlook.said(project, mailing, commands=False), ""
    if deed.name == "resume":
        if mailing.started_at or (mailing.send_at and mailing.send_at <= clock.now()):
            then = "When you let it go on, all that has not left leaves at once."
        elif mailing.send_at:
            when = moments.in_words(mailing.send_at, project.settings.project.zone)
            then = f"When you let it go on, it leaves on {when}."
        else:
            then = "When you let it go on, it waits until somebody sends it."
    return said, then
