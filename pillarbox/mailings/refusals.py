"""Why a mailing may not be sent, moved or has not ended: the sentences that staff read."""

from __future__ import annotations

from datetime import datetime

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.mailings import moments
from pillarbox.model.states import MailingState
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

ASKED = "SendGrid was asked to take it back"
"""Why a mailing stands while nobody knows whether SendGrid will discard what it has of it."""


def refuse_to_start(mailing: Mailing) -> None:
    """See that a mailing may be sent now.

    Raises:
        Refused: sent, cancelled or paused. Whether enough people stand for it is ``approval``'s question.
    """
    if mailing.state is MailingState.SENT:
        when = f" on {mailing.finished_at:%d %B %Y}" if mailing.finished_at else ""
        raise Refused(f"{mailing.name} has been sent already{when}; nothing was sent again.",
                      todo=f"To send another edition: `pillarbox plan {mailing.appeal} --again LABEL …`.")
    if mailing.state is MailingState.CANCELLED:
        raise Refused(f"{mailing.name} was cancelled: {mailing.state_reason or 'by staff'}.", todo="Plan it again.")
    if mailing.state is MailingState.HELD:
        when = f" until {moments.in_words(mailing.send_at, 'UTC')} UTC" if mailing.send_at else ""
        raise Refused(f"{mailing.name} lies at SendGrid, which keeps it{when}; nothing was sent again.",
                      todo=f"`pillarbox cancel {mailing.name}` takes it back, until 10 minutes before.")
    if mailing.state is MailingState.PAUSED:
        raise Refused(f"{mailing.name} is paused: {(mailing.state_reason or 'by staff').rstrip('.')}.",
                      todo=f"When that is settled: `pillarbox resume {mailing.name}`, then send.")


def refuse_count(mailing: Mailing, remaining: int, count: int | None) -> None:
    """See that somebody who names a number means what would be sent.

    Raises:
        Refused: another number than what is left.
    """
    if count is not None and count != remaining:
        raise Refused(f"{mailing.name} has {remaining:,} messages to send, not {count:,}; nothing was sent.")


def refuse_other_road(project: Project, mailing: Mailing) -> None:
    """See that a mailing leaves by the way out that it was planned for.

    Raises:
        Refused: the settings name another one, or live has become practice.
    """
    settings = project.settings
    if mailing.transport != settings.project.transport or mailing.practice != settings.practice:
        raise Refused(f"{mailing.name} was planned for {_road(mailing.transport, mailing.practice)}, and the settings "
                      f"now say {_road(settings.project.transport, settings.practice)}.",
                      todo="Set the transport back, or plan it again.")


def _road(transport: str, practice: bool) -> str:
    return f"{transport} ({'practice' if practice else 'live'})"


def why_unfinished(mailing: Mailing, remaining: int, *, next_due: datetime | None = None) -> str:
    """Why a run ended before its mailing was done; empty when it is done.

    Args:
        remaining: its messages that are planned or on their way.
        next_due: when the next of those comes that wait for a time of their own.
    """
    why = mailing.state_reason.rstrip(".")
    match mailing.state:
        case MailingState.PAUSED:
            return f"it was paused: {why}. `pillarbox resume {mailing.name}`, then `send`, goes on."
        case MailingState.CANCELLED:
            return f"it was cancelled: {why}. Nothing more of it leaves."
        case MailingState.SENDING if mailing.state_reason:
            return mailing.state_reason
        case MailingState.PLANNED if mailing.started_at and remaining:
            return (f"it was paused and resumed meanwhile; {remaining:,} messages are still to go. A worker goes on "
                    f"with it, or `pillarbox send {mailing.name}`.")
    if not remaining:
        return ""
    if mailing.not_after and clock.now() > mailing.not_after:
        return f"its time is over; {remaining:,} messages stay behind."
    if next_due:
        return (f"{remaining:,} messages wait for their own time, the next at {next_due:%d %B %Y %H:%M} UTC. A worker "
                "sends them then, or `send` again.")
    return (f"{remaining:,} messages are held by another process. When that one has ended, `send` again sees to what "
            "it left.")


def no_hold(mailing: Mailing, action: str) -> Refused:
    """That a rein does not hold: why, and what to do instead."""
    match mailing.state:
        case MailingState.CANCELLED:
            why = f"was cancelled ({mailing.state_reason or 'by staff'})"
        case MailingState.SENT:
            why = "has been sent"
        case MailingState.PAUSED:
            why = f"is paused already ({mailing.state_reason or 'by staff'})"
        case _:
            why = f"is {mailing.state}, not paused" if action == "resume" else f"is {mailing.state}"
    return Refused(f"{mailing.name} {why}: there is nothing to {action}; nothing was changed.",
                   todo=_INSTEAD.get((action, mailing.state), ""))


def corrected(mailing: Mailing, apology: str) -> Refused:
    """That a mailing cannot go on, because whoever it reached from now on would get no apology."""
    return Refused(f"{apology} apologises for {mailing.name}, to those whom it had reached by then; whoever it reached "
                   "from now on would get no apology. Nothing was changed.",
                   todo=f"`pillarbox cancel {mailing.name}` ends it; the letter, put right, can then be planned again "
                        f"for those whom it has not reached. Or, if nothing was wrong with it: `pillarbox cancel "
                        f"{apology}`, then resume.")


_INSTEAD = {
    ("resume", MailingState.CANCELLED): "A cancelled mailing never leaves: plan it again. Those whom it reached keep "
                                        "their letter.",
    ("resume", MailingState.PLANNED): "`pillarbox send` starts it.",
    ("cancel", MailingState.SENT): "What has left has left; `pillarbox correct` plans an apology.",
    ("take back", MailingState.SENDING): "`pillarbox pause` holds back what is left, `pillarbox cancel` ends it.",
    ("take back", MailingState.HELD): "`pillarbox cancel` takes it back from SendGrid, until 10 minutes before its "
                                      "time.",
    ("take back", MailingState.SENT): "What has left has left; `pillarbox correct` plans an apology.",
    ("pause", MailingState.SENT): "What has left has left; `pillarbox correct` plans an apology.",
}
