"""plan, approve, send, status, pause, resume, cancel."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import click
from rich.markup import escape

from pillarbox.cli import departures, printing
from pillarbox.cli.opening import opened
from pillarbox.deliver.choose import transport as choose_transport
from pillarbox.deliver.transport import Transport
from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, Refused
from pillarbox.keeping import backup
from pillarbox.mailings import closing, control, departure, holding, launch, moments, planning
from pillarbox.mailings import status as standing
from pillarbox.mailings.submit import Dispatch, bury_the_dead
from pillarbox.model.states import MailingState
from pillarbox.people.audience import Rule
from pillarbox.reports.words import MAILING_STATE
from pillarbox.runner.local import Run
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

if TYPE_CHECKING:
    from pillarbox.deliver.sendgrid.transport import SendgridTransport

_TAKERS = {"files": "the mail folder", "smtp": "the mail server", "sendgrid": "SendGrid"}
mailing_argument = click.argument("name", metavar="MAILING")


@click.command()
@click.argument("slug")
@click.option("--list", "lists", multiple=True, metavar="NAME", help="A list to write to (again for more).")
@click.option("--segment", "segments", multiple=True, metavar="NAME", help="A saved rule to write to.")
@click.option("--exclude", multiple=True, metavar="NAME", help="A list or segment to leave out.")
@click.option("--for", "for_date", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="The day that the letter speaks of (2026-12-10); today when not said.")
@click.option("--again", metavar="LABEL", help="Plan another edition of an appeal that was sent.")
@click.option("--span", "span_hours", type=click.FloatRange(0, 24 * 31), metavar="HOURS",
              help="Leave out whoever got another mailing within as many hours; 0: nobody. Else as in [limits].")
@printing.json_option
@click.pass_context
def plan(ctx: click.Context, slug: str, lists: tuple[str, ...], segments: tuple[str, ...], exclude: tuple[str, ...],
         for_date: datetime | None, again: str | None, span_hours: float | None, as_json: bool) -> None:
    """Compose every message of a mailing; nothing leaves.

    One fault in one supporter's copy, and nothing is planned: the fault names supporter, field, file and line.
    """
    wish = planning.Wish(appeal=slug, rule=Rule(lists=lists, segments=segments, exclude=exclude),
                         for_date=for_date.date() if for_date else None, again=again, span_hours=span_hours)
    with opened(ctx) as project:
        with printing.progress(None, f"Composing {slug}", quiet=as_json) as advance:
            planned = planning.plan(project, wish, on_progress=advance)
        if as_json:
            printing.as_json(planned.to_json())
        else:
            show_plan(planned)


def show_plan(planned: planning.Planned) -> None:
    """What was planned, and what comes next."""
    mailing = planned.mailing
    if mailing.practice:
        printing.practice_banner()
    printing.say(f"[bold]{escape(mailing.title)}[/]")
    printing.say(f"[dim]{escape(mailing.name)}[/]")
    rows = [("on the lists", mailing.audience_size)]
    rows += ((f"left out: {escape(reason.replace('-', ' '))}", count)
             for reason, count in sorted(mailing.excluded.items(), key=lambda item: -item[1]))
    rows += [("[bold]messages composed[/]", mailing.planned), ("versions of the letter", mailing.shapes)]
    if mailing.slow_path:
        rows.append(("composed one by one", mailing.slow_path))
    printing.counts(rows)
    if planned.slow_reasons:
        printing.say("\nWhy one by one, which is slower:")
        printing.items(planned.slow_reasons)
    if mailing.practice and planned.warnings:
        printing.say("\nBefore it can be live:")
        printing.items(planned.warnings)
    printing.say("\nNothing has left. Next:")
    if not mailing.practice:
        printing.to_copy(f'pillarbox approve {mailing.name} --by "Your Name"')
    printing.to_copy(f"pillarbox send {mailing.name}")


@click.command()
@mailing_argument
@click.option("--by", required=True, metavar="NAME", help="Who approves.")
@printing.json_option
@click.pass_context
def approve(ctx: click.Context, name: str, by: str, as_json: bool) -> None:
    """Stand for a planned mailing, by name. A live mailing cannot be sent without."""
    with opened(ctx) as project:
        mailing = control.approve(project, name, by=by)
    if as_json:
        printing.as_json({"mailing": mailing.name, "approved_by": mailing.approved_by})
    else:
        printing.say(f"{escape(mailing.name)} is approved by {escape(mailing.approved_by or '')}.")


@click.command()
@mailing_argument
@click.option("--yes", is_flag=True, help="Ask nothing (practice mailings only).")
@click.option("--count", type=int, metavar="N", help="The number of messages, typed, for a live mailing in a script.")
@departures.at_option
@departures.hold_option
@click.option("--rate", type=click.FloatRange(min=0), metavar="N",
              help="At most N messages of it a second, over all senders; 0 takes an earlier limit away.")
@click.option("--now", is_flag=True,
              help="Everyone at once: no countdown, no first wave, no watch; also ends a watch that is under way.")
@click.option("--launch", "practise", is_flag=True, help="Launch a practice mailing as if it were live.")
@printing.json_option
@click.pass_context
def send(ctx: click.Context, name: str, yes: bool, count: int | None, at: str | None, hold: bool,
         rate: float | None, now: bool, practise: bool,
         as_json: bool) -> None:
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
        control.refuse_to_start(mailing)
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
                if mailing.started_at is None:
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
            _show_status(project, found)
        if run is None:
            return
        held = found.mailing.state in (MailingState.PAUSED, MailingState.CANCELLED)
        why = (not held and run.stopped_because) or control.why_unfinished(found.mailing, found.remaining,
                                                                           next_due=found.next_due)
        if why and found.mailing.state is not MailingState.SENT:
            raise PillarboxError(f"{mailing.name} stopped: {why}")


def _the_open_one(project: Project, name: str) -> Mailing:
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
    control.refuse_other_road(project, mailing)
    return mailing


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
        _see_count(mailing, remaining, count)
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
    _see_count(mailing, remaining, count)
    return remaining


def _see_count(mailing: Mailing, remaining: int, count: int | None) -> None:
    if count is not None and count != remaining:
        raise Refused(f"{mailing.name} has {remaining:,} messages to send, not {count:,}; nothing was sent.")


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
        run = Run(dispatch=Dispatch.of(project, mailing, transport), on_progress=advance,
                  on_wait=lambda why: None if quiet else printing.note(f"Waiting: {why}."))
        with _draining(run.drain) as asked:
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


@click.command()
@click.argument("name", metavar="[MAILING]", required=False)
@click.option("--watch", is_flag=True, help="Show it again and again until the mailing has ended.")
@printing.json_option
@click.pass_context
def status(ctx: click.Context, name: str | None, watch: bool, as_json: bool) -> None:
    """Where a mailing stands.

    The newest when none is named. The counts add up, or it says that they do not.
    """
    with opened(ctx) as project:
        def look() -> standing.Status:
            holding.release(project)
            return standing.status(project, name)

        if watch:
            name = look().mailing.name
            departures.watch(look, partial(_show_status, project), as_json=as_json)
        elif as_json:
            printing.as_json(look().to_json())
        else:
            _show_status(project, look())


def _show_status(project: Project, found: standing.Status) -> None:
    mailing = found.mailing
    if mailing.practice:
        printing.practice_banner()
    printing.say(f"[bold]{escape(mailing.title)}[/]")
    printing.say(f"[dim]{escape(mailing.name)}, {MAILING_STATE[mailing.state]}[/]")
    if words := departures.said(project, mailing):
        printing.say(escape(words))
    handed = {"sendgrid": "handed to SendGrid", "smtp": "handed to the mail server", "files": "written to files"}
    counted = ((handed[mailing.transport], found.accepted), ("still to go", found.remaining),
               ("not sure it went", found.in_doubt), ("refused", found.failed),
               ("left out since planning", found.withdrawn), ("cancelled", found.cancelled))
    printing.counts([("planned", mailing.planned), *((f"  {words}", number) for words, number in counted if number)])
    if waiting := launch.words(mailing, project.settings.project.zone):
        printing.say(f"\nWaiting: {escape(waiting)}.")
    if found.details:
        printing.say("\nWhy:")
        printing.items(f"{number:,} × {words}" for words, number in found.details.items())
    if found.notices:
        zone = ZoneInfo(project.settings.project.zone)
        printing.say("\nWhat happened by itself, newest first:")
        printing.items(f"{moment.astimezone(zone):%d %b %H:%M}: {words}" for moment, words in found.notices)
    if found.in_doubt:
        printing.say("\nWhat nobody is sure went is never sent again on a guess. Wait for events, or look into it:")
        printing.to_copy(f"pillarbox reconcile {mailing.name}")


def _reins(name: str, help_text: str) -> click.Command:
    @click.command(name, help=help_text)
    @mailing_argument
    @click.option("--reason", default="", metavar="TEXT", help="Why, for those who look later.")
    @printing.json_option
    @click.pass_context
    def rein(ctx: click.Context, name: str, reason: str, as_json: bool) -> None:
        words = ""
        with opened(ctx) as project:
            match ctx.info_name:
                case "pause":
                    mailing = control.pause(project, name, reason=reason or "by staff")
                case "resume":
                    mailing = control.resume(project, name)
                    words = departures.said(project, mailing)
                case _:
                    mailing = holding.cancel(project, name, reason=reason or "by staff")
        if as_json:
            printing.as_json({"mailing": mailing.name, "state": mailing.state.value})
        else:
            printing.say(f"{escape(mailing.name)} is now {MAILING_STATE[mailing.state]}.")
            if ctx.info_name == "resume" and words:
                printing.say(escape(words))

    return rein


pause = _reins("pause", "Hold a mailing back. What is in flight finishes.")
resume = _reins("resume", "Let a paused mailing go on. `send` then continues it.")
cancel = _reins("cancel", "End a mailing; what has left has left.")
