"""What does not go by itself asks: the mailing pauses, says why, and staff are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.mailings import moments
from pillarbox.model.states import MailingState
from pillarbox.store import audit, due, mailings, notices
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project


def ask(project: Project, mailing: Mailing, *, reason: str, kind: str = "paused",
        before: Sequence[MailingState] = (MailingState.PLANNED, MailingState.SENDING)) -> bool:
    """Pause a mailing for ``reason`` and tell staff; what is in flight finishes.

    Args:
        project: the open project.
        mailing: which.
        reason: one or two sentences without personal data.
        kind: of the notice.
        before: states in which it may be paused.

    Returns:
        False when it stands in none of those states any more: somebody else was first, and nothing was done.
    """
    with project.store.writing() as connection:
        if not mailings.move(connection, mailing.id, before=before, after=MailingState.PAUSED, reason=reason):
            return False
        audit.record(connection, actor="worker", action="pause", subject=mailing.name, detail={"reason": reason})
        notices.add(connection, kind=kind, mailing_id=mailing.id,
                    words=f"{mailing.name} is paused: {reason} `pillarbox resume {mailing.name}` lets it go on, "
                          f"`pillarbox cancel {mailing.name}` ends it.")
    return True


def refuse_late(project: Project, mailing: Mailing, at: datetime) -> None:
    """See that a mailing which could have left ``at`` is not too late.

    Raises:
        Refused: it is later than its schedule's limit, or else than [launch] late_hours.
    """
    late = clock.now() - at
    if late > late_limit(project, mailing):
        when = moments.in_words(at, project.settings.project.zone)
        raise Refused(f"It was to leave on {when}, no worker was there, and now it is {span(late)} late.")


def late_limit(project: Project, mailing: Mailing) -> timedelta:
    """How late a mailing may go by itself: as its schedule says, else as the settings say."""
    with project.store.reading() as connection:
        limit = due.late_limit(connection, mailing.id)
    return timedelta(hours=project.settings.launch.late_hours) if limit is None else limit


def span(length: timedelta) -> str:
    """A length of time as people say it: ``40 minutes``, ``5 hours``, ``3 days``."""
    minutes = int(length.total_seconds() // 60)
    for size, unit in ((24 * 60 * 2, "day"), (60 * 2, "hour")):
        if minutes >= size:
            return f"{minutes // (size // 2):,} {unit}s"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
