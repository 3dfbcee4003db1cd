"""What `send --at` and `status` say of mailings that leave later, and of those who see to it."""

from __future__ import annotations

import time
from collections.abc import Callable

import click
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from pillarbox.cli import printing
from pillarbox.ground import clock
from pillarbox.mailings import holding, hours, moments
from pillarbox.mailings.occurrences import BY
from pillarbox.mailings.status import Status
from pillarbox.model.states import MailingState
from pillarbox.reports.words import MAILING_STATE
from pillarbox.store import workers
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

WATCH_SECONDS = 1.0
at_option = click.option("--at", "at", metavar="WHEN",
                         help='A worker sends it then, in the charity\'s zone: "10 Dec 2026 08:00".')
hold_option = click.option("--hold-at-sendgrid", "hold", is_flag=True,
                           help="With --at: hand it over now; SendGrid keeps it until then (72 hours at most).")


def said(project: Project, mailing: Mailing) -> str:
    """Where a mailing stands that is neither being sent at this moment nor done; empty of any other."""
    zone, moment = project.settings.project.zone, clock.now()
    match mailing.state:
        case MailingState.HELD if mailing.send_at and moment > mailing.send_at - holding.LAST_CANCEL:
            return (f"SendGrid sends it on {moments.in_words(mailing.send_at, zone)} ({zone}), and takes nothing back "
                    "in the last 10 minutes.")
        case MailingState.HELD if mailing.send_at:
            last = moments.in_words(mailing.send_at - holding.LAST_CANCEL, zone)
            return (f"SendGrid keeps it until {moments.in_words(mailing.send_at, zone)} ({zone}). "
                    f"`pillarbox cancel {mailing.name}` takes it back, until {last}.")
        case MailingState.PLANNED if mailing.send_at and mailing.send_at > moment:
            asked = "its schedule says" if mailing.send_by == BY else f"{mailing.send_by or 'staff'} asked"
            return (f"It waits to leave on {moments.in_words(mailing.send_at, zone)} ({zone}), as {asked}."
                    f"{_unapproved(mailing)}{_unattended(project)}")
        case MailingState.PLANNED if mailing.send_at:
            opens = hours.first_moment(mailing, zone, moment)
            when = f"goes on {moments.in_words(opens, zone)}" if opens > moment else "is due now"
            if unapproved := _unapproved(mailing):
                return f"It {when}.{unapproved}"
            here = f" Or send it from here: `pillarbox send {mailing.name}`." if opens <= moment else ""
            return f"It {when}.{_unattended(project) or ' A worker takes it up.'}{here}"
        case MailingState.PAUSED:
            return f"It is paused: {mailing.state_reason}"
        case MailingState.SENDING if mailing.state_reason:
            return mailing.state_reason
    return ""


def state_words(mailing: Mailing) -> str:
    """A mailing's state; one that was paused in mid-send and resumed is planned again, but no longer "not sent"."""
    if mailing.state is MailingState.PLANNED and mailing.started_at:
        return "begun, and waits to go on"
    return MAILING_STATE[mailing.state]


def _unapproved(mailing: Mailing) -> str:
    """What a schedule planned needs an approval, in practice too."""
    if mailing.send_by != BY or mailing.approved_by:
        return ""
    return f" But nobody has approved it, and unapproved it is not sent: `pillarbox approve {mailing.name} --by NAME`."


def _unattended(project: Project) -> str:
    with project.store.reading() as connection:
        if workers.present(connection):
            return ""
    return " But no worker has been seen in the last 5 minutes: start one with `pillarbox worker`."


def attended(project: Project) -> bool:
    """Whether a worker is there to go on with what is left."""
    with project.store.reading() as connection:
        return bool(workers.present(connection))


def watch(look: Callable[[], Status], draw: Callable[[Status], None], *, as_json: bool) -> None:
    """Show where a mailing stands until it has ended, redrawn on a terminal; Ctrl-C ends the watching alone."""
    ends = (MailingState.SENT, MailingState.CANCELLED)
    try:
        if as_json or not printing.console.is_terminal:
            _lines(look, ends, as_json=as_json)
            return
        # A console of its own: Live adds its picture to whatever its console prints, captured or not.
        with Live(console=Console(highlight=False), auto_refresh=False, transient=True) as live:
            while (found := look()).mailing.state not in ends:
                with printing.console.capture() as drawn:
                    draw(found)
                live.update(Text.from_ansi(drawn.get(), no_wrap=True, overflow="crop"), refresh=True)
                time.sleep(WATCH_SECONDS)
        draw(found)
    except KeyboardInterrupt:
        return


def _lines(look: Callable[[], Status], ends: tuple[MailingState, ...], *, as_json: bool) -> None:
    """A line for each change."""
    before: dict[str, object] = {}
    while True:
        found = look()
        told = found.to_json()
        if told != before:
            before = told
            if as_json:
                printing.json_line(told)
            else:
                printing.say(f"{escape(found.mailing.name)}: {found.mailing.state.value}, {found.accepted:,} of "
                             f"{found.mailing.planned:,} handed over, {found.remaining:,} to go, {found.in_doubt:,} in "
                             "doubt")
        if found.mailing.state in ends:
            return
        time.sleep(WATCH_SECONDS)
