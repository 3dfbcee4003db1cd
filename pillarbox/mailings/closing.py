"""What becomes of a mailing that is being sent when its hours of the day end, or when nobody was there to send it.

One that ran until its hours ended goes on by itself next morning. One that was interrupted (its sender died, the host
was down) and is found outside its hours, or after having lain still for longer than the late limit, asks.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pillarbox.ground import clock
from pillarbox.mailings import asking, hours, moments
from pillarbox.mailings.status import Status, status
from pillarbox.model.states import MailingState
from pillarbox.store import due, mailings, notices, waves
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

_NEAR = timedelta(minutes=2)
"""Whoever was at it this shortly before its hours ended was at it when they ended."""


def look(project: Project, mailing: Mailing, *, since: datetime | None = None, died: bool = False) -> str:
    """Hold a mailing back if its time is over or it lay still; let one that waited for the morning go on.

    Args:
        project: the open project.
        mailing: in state ``sending``, with messages left.
        since: when anybody last looked after it, as far as the caller knows; its own attempts count too.
        died: whether a sender of it was just found dead.

    Returns:
        a sentence about what was done; empty when nothing was.
    """
    zone, moment = project.settings.project.zone, clock.now()
    with project.store.reading() as connection:
        seen = max((at for at in (since, due.last_activity(connection, mailing.id), mailing.started_at) if at),
                   default=moment)
        noted = due.closing_noted(connection, mailing.id)
        own = waves.longest_due(connection, mailing.id)
        if waves.next_group(connection, mailing.id) is None and waves.next_due(connection, mailing.id):
            return ""  # what is left waits for times of its own
    seen = max(seen, own) if own else seen
    if mailing.not_after and moment > mailing.not_after:
        return _ask(project, mailing, f"It was not to leave after {moments.in_words(mailing.not_after, zone)}.")
    if hours.may_leave(mailing, zone, moment):
        return _open(project, mailing, noted=noted, still=moment - seen)
    if noted or moments.within(mailing.hours, zone, moment):
        return ""
    closed = hours.last_closing(mailing.hours, zone, moment)
    if died or seen < closed - _NEAR:
        return _ask(project, mailing, f"It was interrupted, and its hours ({mailing.hours}) are over.")
    return _close(project, mailing, closed)


def _open(project: Project, mailing: Mailing, *, noted: datetime | None, still: timedelta) -> str:
    if noted:
        with project.store.writing() as connection:
            due.forget_closing(connection, mailing.id)
            mailings.move(connection, mailing.id, before=(MailingState.SENDING,), after=MailingState.SENDING)
        return f"{mailing.name} goes on: its hours have come."
    if still > asking.late_limit(project, mailing):
        return _ask(project, mailing, f"It was interrupted, and lay still for {asking.span(still)}.")
    return ""


def _close(project: Project, mailing: Mailing, closed: datetime) -> str:
    zone = project.settings.project.zone
    opens = moments.opening(mailing.hours, zone, clock.now())
    words = (f"Its hours ended on {moments.in_words(closed, zone)}: {_counts(status(project, mailing.name))}. It goes "
             f"on by itself on {moments.in_words(opens, zone)}, if a worker runs then.")
    with project.store.writing() as connection:
        if not mailings.move(connection, mailing.id, before=(MailingState.SENDING,), after=MailingState.SENDING,
                             reason=words):
            return ""
        due.note_closing(connection, mailing.id, closed)
        notices.add(connection, kind="hours", mailing_id=mailing.id, words=f"{mailing.name}: {words}")
    return f"{mailing.name}: {words}"


def _ask(project: Project, mailing: Mailing, why: str) -> str:
    words = f"{why} {_counts(status(project, mailing.name))}."
    if not asking.ask(project, mailing, reason=words, before=(MailingState.SENDING,)):
        return ""
    return f"{mailing.name} is paused: {words}"


def _counts(found: Status) -> str:
    """What went and what did not."""
    doubt = f", {found.in_doubt:,} nobody is sure of" if found.in_doubt else ""
    return f"{found.accepted:,} of {found.mailing.planned:,} were handed over{doubt}, {found.remaining:,} wait"
