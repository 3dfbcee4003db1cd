"""Mailings that SendGrid keeps until their time: handed over now, cancellable until ten minutes before.

Rules: https://www.twilio.com/docs/sendgrid/api-reference/cancel-scheduled-sends (read 2026-11). No worker is needed at
that time; who unsubscribes after the handing over still gets the letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused, TransportError
from pillarbox.keeping import doubt, journal
from pillarbox.mailings import approval, control, departure, live, moments, refusals
from pillarbox.mailings.refusals import ASKED
from pillarbox.model.states import MailingState, MessageState
from pillarbox.people import frequency
from pillarbox.store import audit, due, mailings, messages
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

if TYPE_CHECKING:
    from pillarbox.deliver.sendgrid.transport import SendgridTransport

LAST_CANCEL = timedelta(minutes=10)
"""Later than this before its time SendGrid takes nothing back."""


def is_held(mailing: Mailing) -> bool:
    """Whether what was handed over of a mailing still lies at SendGrid."""
    return bool(mailing.provider_batch and mailing.send_at and clock.now() < mailing.send_at)


def refuse_hold(project: Project, mailing: Mailing, at: datetime) -> None:
    """See that SendGrid can keep a mailing until a time.

    Raises:
        Refused: another way out, too far ahead, or begun already.
    """
    if project.settings.project.transport != "sendgrid":
        raise Refused("Only SendGrid keeps letters until their time, and this project sends through "
                      f"{project.settings.project.transport}.",
                      todo="Leave --hold-at-sendgrid out, and a worker sends them then.")
    if at - clock.now() > departure.FARTHEST_HELD:
        raise Refused("SendGrid keeps letters for 72 hours at most, and "
                      f"{moments.in_words(at, project.settings.project.zone)} is farther away.",
                      todo="Leave --hold-at-sendgrid out, and a worker sends them then.")
    if mailing.state is not MailingState.PLANNED or mailing.started_at:
        raise Refused(f"{mailing.name} has begun to leave; SendGrid cannot keep the rest apart.",
                      todo=f"`pillarbox send {mailing.name}` goes on with it.")
    departure.refuse_time(mailing, at, project.settings.project.zone)


def hold(project: Project, name: str, transport: SendgridTransport, *, at: datetime, count: int, actor: str) -> Mailing:
    """Open the gate of a planned mailing whose messages SendGrid shall keep until ``at``; ``Run`` then hands them over.

    Raises:
        Refused: see ``refuse_hold`` and ``control.start``.
        TransportError: SendGrid gives no batch id; nothing was changed.
    """
    live.refuse(project)
    with project.store.reading() as connection:
        found = mailings.find(connection, name)
    doubt.refuse_gone_back(project, found)
    batch = transport.new_batch()
    with project.store.writing() as connection:
        mailing = mailings.find(connection, name)
        refusals.refuse_to_start(mailing)
        approval.refuse_unapproved(connection, project.settings, mailing)
        frequency.begin(connection)
        refuse_hold(project, mailing, at)
        journal.note(project, connection, mailing)
        if not mailings.move(connection, mailing.id, before=(MailingState.PLANNED,), after=MailingState.SENDING,
                             started_at=clock.now(), send_at=at, send_by=actor, provider_batch=batch):
            raise Refused(f"{mailing.name} is being sent already.")
        frequency.begin(connection)
        due.note_start(connection, mailing.id)
        audit.record(connection, actor=actor, action="hold", subject=mailing.name,
                     detail={"at": at.isoformat(), "count": count})
        held = mailings.by_id(connection, mailing.id)
    journal.confirm(project, held)
    return held


def cancel(project: Project, name: str, *, reason: str, actor: str = "staff") -> Mailing:
    """Cancel a mailing; what SendGrid keeps of it is taken back first, and nothing changes unless SendGrid confirms it.

    Raises:
        Refused: it was sent or cancelled, its time is too near, or SendGrid does not confirm.
    """
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
    if not is_held(mailing) or mailing.state is MailingState.CANCELLED:
        return control.cancel(project, mailing.name, reason=reason, actor=actor)
    _refuse_near(project, mailing)
    _take_back(project, mailing)
    return _taken_back(project, mailing, reason=reason, actor=actor)


def _taken_back(project: Project, mailing: Mailing, *, reason: str, actor: str) -> Mailing:
    with project.store.writing() as connection:
        if not mailings.move(connection, mailing.id, before=(*control.OPEN, MailingState.HELD),
                             after=MailingState.CANCELLED, reason=reason,
                             finished_at=min(clock.now(), mailing.send_at - LAST_CANCEL) if mailing.send_at else None):
            raise Refused(f"{mailing.name} was cancelled by somebody else at this moment.")
        messages.change_state(connection, mailing.id, before=MessageState.PLANNED, after=MessageState.CANCELLED,
                              detail=reason)
        discarded = control.discard(connection, mailing.id)
        audit.record(connection, actor=actor, action="cancel", subject=mailing.name,
                     detail={"reason": reason, "taken_back": discarded})
        return mailings.by_id(connection, mailing.id)


def _refuse_near(project: Project, mailing: Mailing) -> None:
    if mailing.send_at and clock.now() > mailing.send_at - LAST_CANCEL:
        when = moments.in_words(mailing.send_at, project.settings.project.zone)
        raise Refused(f"SendGrid sends {mailing.name} on {when}, and takes nothing back in the last 10 minutes.",
                      todo="Nothing was changed. If it must not stand, plan an apology with `pillarbox correct "
                           f"{mailing.name}`." if mailing.state is MailingState.HELD else
                           f"`pillarbox pause {mailing.name}` keeps back what has not been handed over.")


def _take_back(project: Project, mailing: Mailing) -> None:
    """Have SendGrid discard it; the wish is on record before it is asked, should we die between the two."""
    _note_wish(project, mailing)
    try:
        with _sendgrid(project) as transport:
            transport.cancel_batch(mailing.provider_batch)
    except TransportError as fault:
        if not fault.retry:
            _forget_wish(project, mailing)
        stands = ("What was not handed over yet is held back meanwhile."
                  if fault.retry and mailing.state is MailingState.SENDING else
                  "It still stands, and nothing was changed.")
        raise Refused(f"SendGrid has not confirmed that {mailing.name} is cancelled: {fault.what} {stands}",
                      todo="Try again, or cancel it in SendGrid's own pages.", retry=fault.retry) from None


def _note_wish(project: Project, mailing: Mailing) -> None:
    """What is being handed over stops, too: what SendGrid gets under the name of a cancelled batch, it discards."""
    with project.store.writing() as connection:
        for before, after in (((MailingState.HELD,), MailingState.HELD),
                              ((MailingState.SENDING, MailingState.PAUSED), MailingState.PAUSED)):
            mailings.move(connection, mailing.id, before=before, after=after, reason=ASKED)


def _forget_wish(project: Project, mailing: Mailing) -> None:
    with project.store.writing() as connection:
        mailings.move(connection, mailing.id, before=(MailingState.HELD, MailingState.PAUSED), after=mailing.state,
                      reason="" if mailing.state_reason == ASKED else mailing.state_reason)


@contextmanager
def _sendgrid(project: Project) -> Iterator[SendgridTransport]:
    from pillarbox.deliver.sendgrid.transport import SendgridTransport  # brings libraries that others do not need

    transport = SendgridTransport(project.settings.sendgrid)
    try:
        yield transport
    finally:
        transport.close()


def release(project: Project) -> list[str]:
    """Call sent what SendGrid has kept and whose time has come; returns the mailings' names. Harmless at any time.

    Where a cancel was begun and nobody knows how it ended, SendGrid is asked; until it answers, the mailing stays held.
    """
    moment = clock.now()
    with project.store.reading() as connection:
        found = [mailing for mailing in due.of_states(connection, MailingState.HELD, MailingState.PAUSED)
                 if mailing.send_at and mailing.send_at <= moment
                 and (mailing.state is MailingState.HELD or mailing.state_reason == ASKED)]
    released = []
    for mailing in found:
        if mailing.state_reason == ASKED:
            try:
                with _sendgrid(project) as transport:
                    cancelled = transport.batch_is_cancelled(mailing.provider_batch)
            except TransportError:
                continue
            if cancelled:
                _taken_back(project, mailing, reason="by staff", actor="SendGrid")
                continue
        with project.store.writing() as connection:
            mailings.hold(connection, mailing.id, alone=True)
            mailings.move(connection, mailing.id, before=(MailingState.PAUSED,), after=MailingState.PAUSED,
                          reason="SendGrid has not taken back what it had, and sent it")
            # What has not been handed over, whyever that is so, is not called sent: it leaves now.
            rest = due.unsettled(connection, mailing.id)
            if mailings.move(connection, mailing.id, before=(MailingState.HELD,),
                             after=MailingState.SENDING if rest else MailingState.SENT,
                             finished_at=None if rest else mailing.send_at) and not rest:
                released.append(mailing.name)
    return released
