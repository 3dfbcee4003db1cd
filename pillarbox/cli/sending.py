"""send: now, or at a time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, cast

import click

from pillarbox.cli import departures, printing
from pillarbox.cli.mailings import mailing_argument, show_status
from pillarbox.cli.numbers import Within
from pillarbox.cli.opening import opened
from pillarbox.deliver.choose import transport as choose_transport
from pillarbox.deliver.transport import Transport
from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, Refused
from pillarbox.mailings import approval, closing, control, departure, drift, holding, launch, live, moments, refusals
from pillarbox.mailings import status as standing
from pillarbox.mailings.burying import bury_the_dead
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.model.states import MailingState
from pillarbox.runner.local import Run
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

if TYPE_CHECKING:
    from pillarbox.deliver.sendgrid.transport import SendgridTransport

_TAKERS = {"files": "the mail folder", "smtp": "the mail server", "sendgrid": "SendGrid"}


@click.command()
@mailing_argument
@click.option("--yes", is_flag=True, help="Ask nothing (practice mailings only).")
@click.option("--count", type=int, metavar="N", help="The number of messages, typed, for a live mailing in a script.")
@departures.at_option
@departures.hold_option
@click.option("--rate", type=Within(0, 100_000), metavar="N",
              help="At most N messages of it a second, over all senders; 0 takes an earlier limit away.")
@click.option("--now", is_flag=True,
              help="Everyone at once: no countdown, no first wave, no watch; also ends a watch that is under way.")
@click.option("--launch", "practise", is_flag=True, help="Launch a practice mailing as if it were live.")
@click.option("--as-approved", is_flag=True,
              help="Send it as it was approved, though its folder has changed since it was planned.")
@printing.json_option
@click.pass_context
def send(ctx: click.Context, name: str, yes: bool, count: int | None, at: str | None, hold: bool,
         rate: float | None, now: bool, practise: bool, as_approved: bool, as_json: bool) -> None:
    """Send a planned mailing, or continue one that was interrupted.

    Nothing is sent twice: what a crash left unclear is "not sure it went", and waits for `reconcile`.

    A live mailing is launched: after a countdown, which Ctrl-C stops with nothing sent, the most engaged supporters get
    it first. Then nothing leaves while it is watched whether letters bounce or are complained about; then everybody
    else gets it. It pauses itself and says why when something goes wrong. See [launch], [limits] and [brakes] in
    pillarbox.toml, and docs/launch.md.
    """
    if hold and at is None:
        raise click.UsageError("--hold-at-sendgrid needs --at: until when shall SendGrid keep it?")
    if now and practise:
        raise click.UsageError("--now and --launch contradict each other.")
    if at is not None and (now or practise):
        raise click.UsageError("--now and --launch are about sending at once; they do not go with --at.")
    with opened(ctx) as project:
        zone = project.settings.project.zone
        moment = moments.read_moment(at, zone, now=clock.now()) if at is not None else None
        mailing = _the_open_one(project, name)
        refusals.refuse_to_start(mailing)
        _see_approved(project, mailing, as_approved=as_approved)
        if moment and hold:
            holding.refuse_hold(project, mailing, moment)
        elif moment:
            departure.refuse_begun(mailing)
            departure.refuse_time(mailing, moment, zone)
            departure.refuse_unattended(project, moment)
        else:
            departure.refuse_closed(mailing, zone)
        with _closing(choose_transport(project.settings)) as transport:
            transport.check()
            bury_the_dead(project, mailing, repeatable=transport.repeatable)
            remaining = _confirm(project, mailing, yes=yes, count=count, when=moment)
            run = None
            if moment and not hold:
                departure.wait(project, mailing.name, at=moment, count=remaining, actor="staff", per_second=rate)
            else:
                if mailing.started_at is None and not mailing.practice:
                    from pillarbox.keeping import backup  # brings cryptography, which practice does without

                    live.refuse(project)  # before the backup and the countdown: nobody waits for a refusal
                    backup.before_send(project)
                if moment:
                    sendgrid = cast("SendgridTransport", transport)
                    mailing = holding.hold(project, mailing.name, sendgrid, at=moment, count=remaining, actor="staff")
                else:
                    if launch.is_fresh(mailing) and (practise or not mailing.practice) and not now:
                        _count_down(mailing, project.settings.launch.countdown_seconds)
                    mailing = control.start(project, mailing.name, actor="staff", per_second=rate, now=now,
                                            practise=practise)
                run = _run(project, mailing, transport, quiet=as_json)
        found = standing.status(project, mailing.name)
        if found.mailing.state is MailingState.SENDING and found.remaining and closing.look(project, found.mailing):
            found = standing.status(project, mailing.name)
        if as_json:
            printing.as_json(found.to_json())
        else:
            show_status(project, found)
        if run is None:
            return
        held = found.mailing.state in (MailingState.PAUSED, MailingState.CANCELLED)
        why = (not held and run.stopped_because) or refusals.why_unfinished(found.mailing, found.remaining,
                                                                           next_due=found.next_due)
        if why and found.mailing.state is not MailingState.SENT:
            raise PillarboxError(f"{mailing.name} stopped: {why}")


def _the_open_one(project: Project, name: str) -> Mailing:
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
    refusals.refuse_other_road(project, mailing)
    return mailing


def _see_approved(project: Project, mailing: Mailing, *, as_approved: bool) -> None:
    """See that enough people stand for a live mailing, and that whoever sends it knows which words leave.

    Raises:
        NotApprovedError: too few, or its folder says something else by now; with what has changed.
    """
    with project.store.reading() as connection:
        approval.refuse_unapproved(connection, project.settings, mailing)
    if drift.refuse(project, mailing, as_planned=as_approved, how="--as-approved sends it as it was planned"):
        printing.note(f"What {mailing.name} was planned from has changed since; what was planned leaves.")


@contextmanager
def _closing(transport: Transport) -> Iterator[Transport]:
    try:
        yield transport
    finally:
        transport.close()


def _confirm(project: Project, mailing: Mailing, *, yes: bool, count: int | None, when: datetime | None) -> int:
    """A practice mailing asks yes or no; a live one has its count typed. Returns how many messages were confirmed."""
    remaining = standing.status(project, mailing.name).remaining
    zone = project.settings.project.zone
    later = f" on {moments.in_words(when, zone)}" if when else ""
    if not when and mailing.send_at and mailing.send_at > clock.now() and not yes and count is None:
        click.echo(f"{mailing.name} waits to leave on {moments.in_words(mailing.send_at, zone)}; this sends it now.",
                   err=True)
    if mailing.practice:
        refusals.refuse_count(mailing, remaining, count)
        if not yes and count is None and remaining:
            click.confirm(f"PRACTICE: hand {remaining:,} messages to {_TAKERS[mailing.transport]}{later}? Nobody is "
                          "mailed.", default=True, abort=True)
        return remaining
    sender = project.settings.sender
    if count is None and yes:
        raise Refused(f"{mailing.name} is live: --yes does not answer for it, and nothing was sent.",
                      todo="Say how many messages shall go, with --count N.")
    if count is None:
        click.echo(f"LIVE, through {_TAKERS[mailing.transport]}: “{mailing.title}”\n"
                   f"from {sender.name} <{sender.email}> to {remaining:,} supporters{later}.", err=True)
        count = click.prompt("Type the number of messages to send them", type=int, err=True)
    refusals.refuse_count(mailing, remaining, count)
    return remaining


def _count_down(mailing: Mailing, seconds: float) -> None:
    """Leave time to think better of it.

    Raises:
        Refused: somebody stopped it; nothing was sent.
    """
    if not seconds:
        return
    with _draining(threading.Event().set) as asked:
        printing.count_down(seconds, f"{mailing.name} leaves in {{seconds}} s. Ctrl-C stops it, and nothing is sent.",
                            asked)
    if asked.is_set():
        raise Refused(f"{mailing.name} was stopped in its countdown; nothing was sent.")


def _run(project: Project, mailing: Mailing, transport: Transport, *, quiet: bool) -> Run:
    """Send in the foreground; Ctrl-C and SIGTERM drain: what is in flight finishes, nothing new starts."""
    remaining = standing.status(project, mailing.name).remaining
    with printing.progress(remaining, f"Sending {mailing.name}", quiet=quiet) as advance:
        def tell(why: str) -> None:
            if not quiet:
                printing.note(f"Waiting: {why}.")

        run = Run(dispatch=Dispatch.of(project, mailing, transport), on_progress=advance, on_wait=tell,
                  on_trouble=tell)

        def stop() -> None:
            if not (quiet or run.stopping.is_set()):
                printing.note_at_once("Stopping: what is on its way finishes first.")
            run.drain()

        with _draining(stop) as asked:
            run.to_the_end(project.settings.sendgrid.connections if transport.name == "sendgrid" else 1)
        if asked.is_set() and not run.stopped_because:
            then = (f"A worker goes on with it; `pillarbox pause {mailing.name}` holds it back"
                    if departures.attended(project) else "`send` again continues")
            run.stopped_because = f"you asked it to stop; what was in flight has finished. {then}."
    return run


@contextmanager
def _draining(drain: Callable[[], object]) -> Iterator[threading.Event]:
    asked = threading.Event()

    def told(_number: int, _frame: object) -> None:
        asked.set()
        drain()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
