"""What comes next of a mailing that is neither being sent at this moment nor done, in words for staff."""

from __future__ import annotations

from pillarbox.ground import clock
from pillarbox.mailings import approval, holding, hours, moments
from pillarbox.mailings.occurrences import BY
from pillarbox.model.states import MailingState
from pillarbox.store import workers
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project


def said(project: Project, mailing: Mailing, *, commands: bool = True) -> str:
    """Where a mailing stands; empty of one that is being sent or done, unless it says why it waits.

    Args:
        commands: whether to name the commands that would change it.
    """
    zone, moment = project.settings.project.zone, clock.now()
    match mailing.state:
        case MailingState.HELD if mailing.send_at and moment > mailing.send_at - holding.LAST_CANCEL:
            return (f"SendGrid sends it on {moments.in_words(mailing.send_at, zone)} ({zone}), and takes nothing back "
                    "in the last 10 minutes.")
        case MailingState.HELD if mailing.send_at:
            last = moments.in_words(mailing.send_at - holding.LAST_CANCEL, zone)
            kept = f"SendGrid keeps it until {moments.in_words(mailing.send_at, zone)} ({zone}). "
            return kept + (f"`pillarbox cancel {mailing.name}` takes it back, until {last}." if commands else
                           f"It can be taken back until {last}.")
        case MailingState.PLANNED if mailing.send_at and mailing.send_at > moment:
            asked = "its schedule says" if mailing.send_by == BY else f"{mailing.send_by or 'staff'} asked"
            return (f"It waits to leave on {moments.in_words(mailing.send_at, zone)} ({zone}), as {asked}."
                    f"{_unapproved(project, mailing, commands=commands)}{_unattended(project)}")
        case MailingState.PLANNED if mailing.send_at:
            opens = hours.first_moment(mailing, zone, moment)
            when = f"goes on {moments.in_words(opens, zone)}" if opens > moment else "is due now"
            if unapproved := _unapproved(project, mailing, commands=commands):
                return f"It {when}.{unapproved}"
            here = f" Or send it from here: `pillarbox send {mailing.name}`." if commands and opens <= moment else ""
            return f"It {when}.{_unattended(project) or ' A worker takes it up.'}{here}"
        case MailingState.PAUSED:
            return f"It is paused: {mailing.state_reason}"
        case MailingState.SENDING if mailing.state_reason:
            return mailing.state_reason
    return ""


def _unapproved(project: Project, mailing: Mailing, *, commands: bool) -> str:
    """What a schedule planned needs an approval, in practice too."""
    if mailing.send_by != BY and not approval.is_asked(mailing):
        return ""
    with project.store.reading() as connection:
        found = approval.standing(connection, project.settings, mailing)
    if found.complete:
        return ""
    how = f": `pillarbox approve {mailing.name} --by NAME`" if commands else ""
    return f" But {found.why_not}, and unapproved it is not sent{how}."


def _unattended(project: Project) -> str:
    with project.store.reading() as connection:
        if workers.present(connection):
            return ""
    return " But no worker has been seen in the last 5 minutes: start one with `pillarbox worker`."
