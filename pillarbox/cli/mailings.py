"""plan, approve, send, status, pause, resume, cancel, reconcile."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.opening import opened
from pillarbox.deliver.choose import transport as choose_transport
from pillarbox.deliver.transport import Transport
from pillarbox.ground.errors import PillarboxError, Refused
from pillarbox.mailings import control, planning
from pillarbox.mailings import reconcile as reconciling
from pillarbox.mailings import status as standing
from pillarbox.mailings.submit import Dispatch, bury_the_dead
from pillarbox.model.states import MailingState
from pillarbox.people.audience import Rule
from pillarbox.reports.words import MAILING_STATE
from pillarbox.runner.local import Run
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

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
@printing.json_option
@click.pass_context
def plan(ctx: click.Context, slug: str, lists: tuple[str, ...], segments: tuple[str, ...], exclude: tuple[str, ...],
         for_date: datetime | None, again: str | None, as_json: bool) -> None:
    """Compose every message of a mailing; nothing leaves.

    One fault in one supporter's copy, and nothing is planned: the fault names supporter, field, file and line.
    """
    wish = planning.Wish(appeal=slug, rule=Rule(lists=lists, segments=segments, exclude=exclude),
                         for_date=for_date.date() if for_date else None, again=again)
    with opened(ctx) as project:
        with printing.progress(None, f"Composing {slug}", quiet=as_json) as advance:
            planned = planning.plan(project, wish, on_progress=advance)
        if as_json:
            printing.as_json(planned.to_json())
        else:
            _show_plan(planned)


def _show_plan(planned: planning.Planned) -> None:
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
@printing.json_option
@click.pass_context
def send(ctx: click.Context, name: str, yes: bool, count: int | None, as_json: bool) -> None:
    """Send a planned mailing, or continue one that was interrupted.

    Nothing is sent twice: what a crash left unclear is "not sure it went", and waits for `reconcile`.
    """
    with opened(ctx) as project:
        mailing = _the_open_one(project, name)
        control.refuse_to_start(mailing)
        with _closing(choose_transport(project.settings)) as transport:
            transport.check()
            bury_the_dead(project, mailing, repeatable=transport.repeatable)
            _confirm(project, mailing, yes=yes, count=count)
            if mailing.started_at is None:
                from pillarbox.keeping import backup  # brings cryptography, which `status` does without

                backup.before_send(project)
            mailing = control.start(project, mailing.name, actor="staff")
            run = _run(project, mailing, transport, quiet=as_json)
        found = standing.status(project, mailing.name)
        if as_json:
            printing.as_json(found.to_json())
        else:
            _show_status(found)
        why = run.stopped_because or control.why_unfinished(found.mailing, found.remaining)
        if why and found.mailing.state is not MailingState.SENT:
            raise PillarboxError(f"{mailing.name} stopped: {why}")


def _the_open_one(project: Project, name: str) -> Mailing:
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
    if mailing.transport != project.settings.project.transport or mailing.practice != project.settings.practice:
        raise Refused(f"{mailing.name} was planned for {_road(mailing.transport, mailing.practice)}, and the settings "
                      f"now say {_road(project.settings.project.transport, project.settings.practice)}.",
                      todo="Set the transport back, or plan it again.")
    return mailing


def _road(transport: str, practice: bool) -> str:
    return f"{transport} ({'practice' if practice else 'live'})"


@contextmanager
def _closing(transport: Transport) -> Iterator[Transport]:
    try:
        yield transport
    finally:
        transport.close()


def _confirm(project: Project, mailing: Mailing, *, yes: bool, count: int | None) -> None:
    """A practice mailing asks yes or no; a live one has its count typed."""
    remaining = standing.status(project, mailing.name).remaining
    if mailing.practice:
        _see_count(mailing, remaining, count)
        if not yes and count is None and remaining:
            click.confirm(f"PRACTICE: hand {remaining:,} messages to {_TAKERS[mailing.transport]}? Nobody is mailed.",
                          default=True, abort=True)
        return
    sender = project.settings.sender
    if count is None and yes:
        raise Refused(f"{mailing.name} is live: --yes does not answer for it, and nothing was sent.",
                      todo="Say how many messages shall go, with --count N.")
    if count is None:
        click.echo(f"LIVE, through {_TAKERS[mailing.transport]}: “{mailing.title}”\n"
                   f"from {sender.name} <{sender.email}> to {remaining:,} supporters.", err=True)
        count = click.prompt("Type the number of messages to send them", type=int, err=True)
    _see_count(mailing, remaining, count)


def _see_count(mailing: Mailing, remaining: int, count: int | None) -> None:
    if count is not None and count != remaining:
        raise Refused(f"{mailing.name} has {remaining:,} messages to send, not {count:,}; nothing was sent.")


def _run(project: Project, mailing: Mailing, transport: Transport, *, quiet: bool) -> Run:
    """Send in the foreground; Ctrl-C and SIGTERM drain: what is in flight finishes, nothing new starts."""
    remaining = standing.status(project, mailing.name).remaining
    with printing.progress(remaining, f"Sending {mailing.name}", quiet=quiet) as advance:
        run = Run(dispatch=Dispatch.of(project, mailing, transport), on_progress=advance)
        with _draining(run.stopping) as asked:
            run(project.settings.sendgrid.connections if transport.name == "sendgrid" else 1)
        if asked.is_set() and not run.stopped_because:
            run.stopped_because = "you asked it to stop; what was in flight has finished. `send` again continues"
    return run


@contextmanager
def _draining(stopping: threading.Event) -> Iterator[threading.Event]:
    asked = threading.Event()

    def drain(_number: int, _frame: object) -> None:
        asked.set()
        stopping.set()

    before = {number: signal.signal(number, drain) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command()
@click.argument("name", metavar="[MAILING]", required=False)
@printing.json_option
@click.pass_context
def status(ctx: click.Context, name: str | None, as_json: bool) -> None:
    """Where a mailing stands.

    The newest when none is named. The counts add up, or it says that they do not.
    """
    with opened(ctx) as project:
        found = standing.status(project, name)
    if as_json:
        printing.as_json(found.to_json())
    else:
        _show_status(found)


def _show_status(found: standing.Status) -> None:
    mailing = found.mailing
    if mailing.practice:
        printing.practice_banner()
    printing.say(f"[bold]{escape(mailing.title)}[/]")
    printing.say(f"[dim]{escape(mailing.name)}, {MAILING_STATE[mailing.state]}[/]")
    handed = {"sendgrid": "handed to SendGrid", "smtp": "handed to the mail server", "files": "written to files"}
    counted = ((handed[mailing.transport], found.accepted), ("still to go", found.remaining),
               ("not sure it went", found.in_doubt), ("refused", found.failed),
               ("left out since planning", found.withdrawn), ("cancelled", found.cancelled))
    printing.counts([("planned", mailing.planned), *((f"  {words}", number) for words, number in counted if number)])
    if found.details:
        printing.say("\nWhy:")
        printing.items(f"{number:,} × {words}" for words, number in found.details.items())
    if found.in_doubt:
        printing.say("\nWhat nobody is sure went is never sent again on a guess. Wait for events, or decide:")
        printing.to_copy(f"pillarbox reconcile {mailing.name} --assume sent")
        printing.to_copy(f"pillarbox reconcile {mailing.name} --assume unsent")


def _reins(name: str, help_text: str) -> click.Command:
    @click.command(name, help=help_text)
    @mailing_argument
    @click.option("--reason", default="", metavar="TEXT", help="Why, for those who look later.")
    @printing.json_option
    @click.pass_context
    def rein(ctx: click.Context, name: str, reason: str, as_json: bool) -> None:
        with opened(ctx) as project:
            match ctx.info_name:
                case "pause":
                    mailing = control.pause(project, name, reason=reason or "by staff")
                case "resume":
                    mailing = control.resume(project, name)
                case _:
                    mailing = control.cancel(project, name, reason=reason or "by staff")
        if as_json:
            printing.as_json({"mailing": mailing.name, "state": mailing.state.value})
        else:
            printing.say(f"{escape(mailing.name)} is now {MAILING_STATE[mailing.state]}.")

    return rein


pause = _reins("pause", "Hold a mailing back. What is in flight finishes.")
resume = _reins("resume", "Let a paused mailing go on. `send` then continues it.")
cancel = _reins("cancel", "End a mailing; what has left has left.")


@click.command()
@mailing_argument
@click.option("--assume", type=click.Choice(["sent", "unsent"]),
              help="Staff's decision for what no event has settled. `unsent` sends it again: some may get it twice.")
@printing.json_option
@click.pass_context
def reconcile(ctx: click.Context, name: str, assume: Literal["sent", "unsent"] | None, as_json: bool) -> None:
    """Settle what nobody is sure went."""
    with opened(ctx) as project:
        done = reconciling.reconcile(project, name, assume=assume)
    if as_json:
        printing.as_json(done.to_json())
    elif done.assumed:
        printing.say(f"{escape(done.mailing)}: {done.settled:,} messages are now taken as {done.assumed}.")
    elif done.in_doubt:
        printing.say(f"{escape(done.mailing)}: nobody is sure that {done.in_doubt:,} messages went.")
    else:
        printing.say(f"{escape(done.mailing)}: of every message it is known whether it went.")
