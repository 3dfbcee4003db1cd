"""A mailing that leaves by itself at a time that staff named: a worker starts it then (``send --at``)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.mailings import approval, launch, live, moments, refusals
from pillarbox.model.states import MailingState
from pillarbox.store import audit, mailings, messages, workers
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

_MOMENT = timedelta(minutes=1)
_GOING = (MailingState.PLANNED, MailingState.SENDING, MailingState.SENT)

def wait(project: Project, name: str, *, at: datetime, count: int, actor: str,
         per_second: float | None = None) -> Mailing:
    """Have a worker start a planned mailing at a time; said again, the time is another.

    Args:
        project: the open project.
        name: the mailing.
        at: in UTC, to come.
        count: messages that staff confirmed; kept in the audit log. At that time there may be fewer, never more.
        actor: who asks.
        per_second: most messages of it a second; 0: no such limit; None: as it was.

    Raises:
        Refused: it cannot be sent, not at that time, no worker is there to do it, or the settings are not fit for it.
    """
    live.refuse(project)
    refuse_unattended(project, at)
    with project.store.writing() as connection:
        mailing = mailings.find(connection, name)
        refusals.refuse_to_start(mailing)
        approval.refuse_unapproved(connection, project.settings, mailing)
        refuse_begun(mailing)
        refuse_time(mailing, at, project.settings.project.zone)
        if not mailings.move(connection, mailing.id, before=(MailingState.PLANNED,), after=MailingState.PLANNED,
                             send_at=at, send_by=actor,
                             per_second=mailing.per_second if per_second is None else per_second or None):
            raise Refused(f"{mailing.name} is being sent already.")
        audit.record(connection, actor=actor, action="send-at", subject=mailing.name,
                     detail={"at": at.isoformat(), "count": count})
        return mailings.by_id(connection, mailing.id)


def at_once(project: Project, name: str, *, count: int, actor: str, page: str = "") -> Mailing:
    """Have a worker start a planned mailing as soon as it looks, within seconds.

    A live one that is launched leaves after its countdown ([launch] countdown_seconds), in which ``control.pause``
    stops it with nothing sent: what ``send`` does in a terminal, for who has none.

    Args:
        project: the open project.
        name: the mailing.
        count: messages that staff confirmed: what is left must be as many.
        actor: who asks.
        page: what marks the page whose button they pressed, kept in the audit log. Pressed twice, it is done once:
            the second press finds the mailing as the first left it (``gone_from``).

    Raises:
        Refused: it cannot be sent, not at this moment, not so many, no worker is there to do it, or the settings are
            not fit for it.
    """
    live.refuse(project)
    refuse_alone(project)
    with project.store.writing() as connection:
        mailing = mailings.hold(connection, mailings.find(connection, name).id, alone=True)
        if gone_from(connection, mailing, actor=actor, page=page):
            return mailing
        refusals.refuse_other_road(project, mailing)
        refusals.refuse_to_start(mailing)
        approval.refuse_unapproved(connection, project.settings, mailing)
        refuse_begun(mailing)
        refusals.refuse_count(mailing, messages.remaining(connection, mailing.id), count)
        at = clock.now()
        if launch.is_fresh(mailing) and not mailing.practice:
            at += timedelta(seconds=project.settings.launch.countdown_seconds)
        refuse_time(mailing, at, project.settings.project.zone)
        if not mailings.move(connection, mailing.id, before=(MailingState.PLANNED,), after=MailingState.PLANNED,
                             send_at=at, send_by=actor):
            raise Refused(f"{mailing.name} is being sent already.")
        audit.record(connection, actor=actor, action="send-now", subject=mailing.name,
                     detail={"at": at.isoformat(), "count": count, **({"page": page} if page else {})})
        return mailings.by_id(connection, mailing.id)


def gone_from(connection: Connection, mailing: Mailing, *, actor: str, page: str) -> bool:
    """Whether somebody set a mailing going from this very page a moment ago, and it has not been stopped since."""
    if not page or mailing.send_at is None or mailing.state not in _GOING:
        return False
    done = audit.newest(connection, action="send-now", subject=mailing.name)
    return (done is not None and done.actor == actor and done.detail.get("page") == page
            and clock.now() - done.at < _MOMENT)


def refuse_alone(project: Project) -> None:
    """See that a worker runs that could go on with a mailing now.

    Raises:
        Refused: none was seen lately; says how to start one.
    """
    with project.store.reading() as connection:
        if not workers.present(connection):
            raise Refused("No worker has been seen in the last 5 minutes, so nobody would send it.",
                          todo="Start one with `pillarbox worker`, and leave it running. Nothing was changed.")


def refuse_unattended(project: Project, at: datetime) -> None:
    """See that a worker runs that could start a mailing.

    Raises:
        Refused: none was seen lately; says how to start one.
    """
    with project.store.reading() as connection:
        if workers.present(connection):
            return
    todo = "Start one with `pillarbox worker`, and leave it running on a machine that is on at that time"
    if project.settings.project.transport == "sendgrid" and at - clock.now() <= FARTHEST_HELD:
        todo += "; or let SendGrid keep the letters until then, with --hold-at-sendgrid"
    raise Refused("No worker has been seen in the last 5 minutes, so nobody would send it at that time.",
                  todo=f"{todo}. Nothing was changed.")


def refuse_closed(mailing: Mailing, zone: str) -> None:
    """See that a mailing may leave at this moment.

    Raises:
        Refused: it is outside its hours of the day.
    """
    moment = clock.now()
    if mailing.provider_batch and mailing.send_at and moment < mailing.send_at:
        return
    if not moments.within(mailing.hours, zone, moment):
        opens = moments.opening(mailing.hours, zone, moment)
        raise Refused(f"{mailing.name} may leave within {mailing.hours} only, and now it is "
                      f"{moments.in_words(moment, zone)}.",
                      todo=f"From {moments.in_words(opens, zone)} on: `pillarbox send {mailing.name}`; or let a worker "
                           "do it, with --at.")


FARTHEST_HELD = timedelta(hours=72)
"""SendGrid takes ``send_at`` no farther ahead (Mail Send description, twilio/sendgrid-oai, read 2026-11)."""


def refuse_begun(mailing: Mailing) -> None:
    """See that a mailing has not begun to leave.

    Raises:
        Refused: it is being sent.
    """
    if mailing.state is MailingState.SENDING:
        raise Refused(f"{mailing.name} is being sent already; it cannot wait for a time any more.",
                      todo=f"`pillarbox pause {mailing.name}` holds back what is left.")


def refuse_time(mailing: Mailing, at: datetime, zone: str) -> None:
    """See that a mailing may leave at a time.

    Raises:
        Refused: outside its hours of the day, or before or after the times that it was planned with.
    """
    if mailing.not_before and at < mailing.not_before:
        raise Refused(f"{mailing.name} may not leave before {moments.in_words(mailing.not_before, zone)}.")
    if mailing.not_after and at > mailing.not_after:
        raise Refused(f"{mailing.name} was not to leave after {moments.in_words(mailing.not_after, zone)}.",
                      todo="Plan it again for a new date.")
    if not moments.within(mailing.hours, zone, at):
        raise Refused(f"{moments.in_words(at, zone)} lies outside the hours in which {mailing.name} may leave "
                      f"({mailing.hours}).", todo="Name a time within them.")
