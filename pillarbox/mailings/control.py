"""The reins of a mailing: approve, start, pause, resume, cancel, finish. Each is one conditional update."""

from __future__ import annotations

from sqlalchemy import Connection

from pillarbox.events.apply import tie_late
from pillarbox.ground import clock, logs
from pillarbox.ground.errors import Refused
from pillarbox.keeping import doubt, journal
from pillarbox.mailings import approval, approving, brakes, launch, live, refusals
from pillarbox.model.states import MailingState, MessageState
from pillarbox.people import frequency
from pillarbox.store import audit, due, mailings, messages
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

log = logs.get("mailings")

OPEN = (MailingState.PLANNED, MailingState.SENDING, MailingState.PAUSED)


def approve(project: Project, name: str, *, by: str, via: str = "terminal") -> Mailing:
    """Record that somebody looked at a planned mailing and stands for it as it is.

    Args:
        project: the project.
        name: the mailing's, or its appeal's.
        by: who.
        via: where they said so: ``terminal`` or ``dashboard``.

    Returns:
        the mailing; it bears their name once as many stand for it as [approval] needs.

    Raises:
        Refused: no name given, somebody who may not, or the mailing can no longer be sent.
    """
    with project.store.writing() as connection:
        mailing = mailings.find(connection, name)
        if mailing.state not in OPEN:
            raise Refused(f"{mailing.name} is {mailing.state}; there is nothing left to approve.")
        approving.give(connection, project.settings, mailings.hold(connection, mailing.id, alone=True), by=by,
                      via=via)
        approved = mailings.by_id(connection, mailing.id)
    log.info("mailing.approved", mailing=approved.name, planned=approved.planned)
    return approved


def withdraw(project: Project, name: str, *, by: str, reason: str = "", via: str = "terminal") -> Mailing:
    """Record that somebody who approved a mailing no longer does. One that waits for its time does not go then.

    Args:
        project: the project.
        name: the mailing's, or its appeal's.
        by: who.
        reason: why, for those who look later.
        via: where they said so: ``terminal`` or ``dashboard``.

    Raises:
        Refused: they have not approved it, or it is leaving: that is for ``pause`` and ``cancel``.
    """
    with project.store.writing() as connection:
        mailing = mailings.hold(connection, mailings.find(connection, name).id, alone=True)
        if mailing.state not in (MailingState.PLANNED, MailingState.PAUSED):
            raise refusals.no_hold(mailing, "take back")
        approving.take_back(connection, project.settings, mailing, by=by, reason=reason, via=via)
        withdrawn = mailings.by_id(connection, mailing.id)
    log.info("mailing.approval-withdrawn", mailing=withdrawn.name)
    return withdrawn


def start(project: Project, name: str, *, actor: str, per_second: float | None = None, now: bool = False,
          practise: bool = False) -> Mailing:
    """Open a mailing's gate: what is planned in it may be claimed. Also continues one that a crash interrupted.

    A live mailing that begins is launched: first the most engaged, then a watch, then the rest.

    Args:
        project: the project.
        name: the mailing's, or its appeal's.
        actor: who does it, for the audit.
        per_second: most messages of it a second from now on; 0: no such limit; None: as it was.
        now: everyone at once, also when its launch has begun.
        practise: launch it though it is a practice mailing.

    Raises:
        Refused: it has been sent, was cancelled, is paused, is live and not approved, its time has not come, or it is
            live and the settings are no longer fit for it.
    """
    live.refuse(project)
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
    doubt.refuse_gone_back(project, mailing)
    opening = launch.opening(project, mailing, now=now, practise=practise)
    with project.store.writing() as connection:
        mailing = mailings.by_id(connection, mailing.id)
        refusals.refuse_to_start(mailing)
        approval.refuse_unapproved(connection, project.settings, mailing)
        moment = clock.now()
        if mailing.not_before and moment < mailing.not_before:
            raise Refused(f"{mailing.name} may not leave before {mailing.not_before:%d %B %Y %H:%M} UTC.")
        if mailing.not_after and moment > mailing.not_after:
            raise Refused(f"{mailing.name} was not to leave after {mailing.not_after:%d %B %Y %H:%M} UTC.",
                          todo="Plan it again for a new date.")
        if mailing.started_at is None:
            journal.note(project, connection, mailing)
        if opening:
            launch.begin(connection, mailing, opening)
        elif now:
            launch.skip(connection, mailing)
        # Sent now: a later time that it waited for holds no longer. One that SendGrid keeps goes on as it began.
        keeps = mailing.provider_batch or mailing.send_at is None or mailing.send_at <= moment
        mailings.move(connection, mailing.id, before=(MailingState.PLANNED, MailingState.SENDING),
                      after=MailingState.SENDING, started_at=mailing.started_at or moment,
                      per_second=mailing.per_second if per_second is None else per_second or None,
                      send_at=mailing.send_at if keeps else None, send_by=mailing.send_by if keeps else "")
        frequency.begin(connection)
        due.note_start(connection, mailing.id)
        due.forget_closing(connection, mailing.id)
        audit.record(connection, actor=actor, action="send", subject=mailing.name)
        started = mailings.by_id(connection, mailing.id)
    if mailing.started_at is None:
        journal.confirm(project, started)
    _told(started, before=mailing.state)
    return started


def pause(project: Project, name: str, *, reason: str, actor: str = "staff") -> Mailing:
    """Close the gate; what is in flight finishes.

    Raises:
        Refused: the mailing is not being sent.
    """
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
    if mailing.state is MailingState.HELD:
        raise Refused(f"{mailing.name} lies at SendGrid and cannot be paused.",
                      todo=f"`pillarbox cancel {mailing.name}` takes it back, until 10 minutes before its time.")
    return _move(project, name, before=(MailingState.PLANNED, MailingState.SENDING), after=MailingState.PAUSED,
                 reason=reason, actor=actor, action="pause")


def resume(project: Project, name: str, *, actor: str = "staff") -> Mailing:
    """Open the gate of a paused mailing again; a worker, or `send`, then continues it.

    One that waits for its time goes on waiting. One that had begun, or whose time is over, is due from now on: that it
    may go is what staff say hereby.

    What is known of it at this moment is thereby accepted: the brakes do not stop it for that again.

    Raises:
        Refused: the mailing is not paused, an apology for it was planned, or it would leave at once, unapproved.
    """
    with project.store.writing() as connection:
        mailing = mailings.find(connection, name)
        if mailing.state is MailingState.PAUSED and (apology := mailings.correction(connection, mailing)):
            raise refusals.corrected(mailing, apology)
        if mailing.state is MailingState.PAUSED and mailing.state_reason == refusals.ASKED:
            raise Refused(f"SendGrid was asked to take {mailing.name} back, and may have: what it is handed now may be "
                          "discarded.", todo=f"`pillarbox cancel {mailing.name}` finds out.")
        moment = clock.now()
        at, by, after = mailing.send_at, mailing.send_by, MailingState.PLANNED
        if mailing.provider_batch and at and moment < at:
            approval.refuse_unapproved(connection, project.settings, mailing)
            after = MailingState.SENDING
        elif mailing.started_at or (at and at <= moment):
            at, by = moment, actor
        if not mailings.move(connection, mailing.id, before=(MailingState.PAUSED,), after=after, send_at=at,
                             send_by=by):
            raise refusals.no_hold(mailing, "resume")
        audit.record(connection, actor=actor, action="resume", subject=mailing.name,
                     detail={"accepted": brakes.known(connection, mailing)})
        resumed = mailings.by_id(connection, mailing.id)
    _told(resumed, before=mailing.state)
    return resumed


def cancel(project: Project, name: str, *, reason: str, actor: str = "staff") -> Mailing:
    """Nothing more of this mailing leaves; what was handed over stays handed over.

    Raises:
        Refused: the mailing has been sent or cancelled.
    """
    with project.store.writing() as connection:
        mailing = mailings.find(connection, name)
        cancel_within(connection, mailing, reason=reason, actor=actor)
        cancelled = mailings.by_id(connection, mailing.id)
    _told(cancelled, before=mailing.state)
    return cancelled


def cancel_within(connection: Connection, mailing: Mailing, *, reason: str, actor: str) -> None:
    """Cancel in the caller's transaction. What a provider keeps until its time is cancelled by ``holding.cancel``."""
    if (mailing.state is not MailingState.CANCELLED
            and mailing.provider_batch and mailing.send_at and clock.now() < mailing.send_at):
        raise Refused(f"{mailing.name} lies at SendGrid, in part or whole, until its time.",
                      todo=f"`pillarbox cancel {mailing.name}` takes it back.")
    if not mailings.move(connection, mailing.id, before=OPEN, after=MailingState.CANCELLED, reason=reason,
                         finished_at=clock.now()):
        raise refusals.no_hold(mailing, "cancel")
    messages.change_state(connection, mailing.id, before=MessageState.PLANNED, after=MessageState.CANCELLED,
                          detail=reason)
    audit.record(connection, actor=actor, action="cancel", subject=mailing.name, detail={"reason": reason})


def cancel_rest(connection: Connection, mailing_id: int) -> None:
    """In a cancelled mailing, cancel what came back after it: was on its way then, and surely did not leave."""
    if mailings.state(connection, mailing_id) is MailingState.CANCELLED:
        messages.change_state(connection, mailing_id, before=MessageState.PLANNED, after=MessageState.CANCELLED,
                              detail="came back after the mailing was cancelled")
        mailing = mailings.by_id(connection, mailing_id)
        if mailing.provider_batch and mailing.send_at and mailing.finished_at and mailing.finished_at < mailing.send_at:
            discard(connection, mailing_id)


def discard(connection: Connection, mailing_id: int) -> int:
    """Cancel what a provider had of a mailing that was taken back in time; returns how many messages.

    SendGrid discards all that bears the batch's name: also what came to it after the cancel, and what nobody is sure
    reached it.
    """
    return sum(messages.change_state(connection, mailing_id, before=state, after=MessageState.CANCELLED,
                                     detail="taken back from SendGrid before its time")
               for state in (MessageState.ACCEPTED, MessageState.IN_DOUBT))


def _move(project: Project, name: str, *, before: tuple[MailingState, ...], after: MailingState, reason: str,
          actor: str, action: str) -> Mailing:
    with project.store.writing() as connection:
        mailing = mailings.find(connection, name)
        if not mailings.move(connection, mailing.id, before=before, after=after, reason=reason):
            raise refusals.no_hold(mailing, action)
        detail = {"reason": reason}
        audit.record(connection, actor=actor, action=action, subject=mailing.name, detail=detail)
        moved = mailings.by_id(connection, mailing.id)
    _told(moved, before=mailing.state)
    return moved


def _told(mailing: Mailing, *, before: MailingState) -> None:
    """Into the log, once it is committed; why stands in the ledger, in words."""
    log.info("mailing.moved", mailing=mailing.name, practice=mailing.practice, before=before, after=mailing.state)


def finish_if_done(project: Project, mailing: Mailing) -> bool:
    """Close a mailing of which nothing is planned or on its way any more; returns whether it is closed.

    It is sent then, or lies at a provider that keeps it until its time.
    """
    tie_late(project.store)  # what came before the receipts that name it
    with project.store.writing() as connection:
        # Held before its messages are counted: what comes back at this moment comes before that, or sees it closed.
        mailing = mailings.hold(connection, mailing.id, alone=True)
        held = mailing.provider_batch and mailing.send_at and clock.now() < mailing.send_at
        cancel_rest(connection, mailing.id)
        standing = messages.states(connection, mailing.id)
        if standing.get(MessageState.PLANNED) or standing.get(MessageState.SUBMITTING):
            return False
        after, when = (MailingState.HELD, None) if held else (MailingState.SENT, clock.now())
        closed = mailings.move(connection, mailing.id, before=(MailingState.SENDING,), after=after, finished_at=when)
    if closed:
        counts = {state.value: number for state, number in standing.items()}
        if held:
            log.info("mailing.held", mailing=mailing.name, practice=mailing.practice, **counts)
        else:
            log.info("mailing.sent", mailing=mailing.name, practice=mailing.practice, **counts)
    return closed
