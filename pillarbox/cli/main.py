"""The command line's front door: finds the command, translates faults into sentences and exit codes."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from pillarbox import __version__
from pillarbox.ground.errors import LetterError, PillarboxError

# name → (module:attribute, one line for --help). Modules are imported when their command is used: help stays instant.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("pillarbox.cli.projects:init", "Make a project folder."),
    "demo": ("pillarbox.cli.demo:demo", "The whole road on made-up people: import, plan, send, events, report."),
    "doctor": ("pillarbox.cli.doctor:doctor", "Say what is wrong with this project, in plain words."),
    "lists": ("pillarbox.cli.lists:lists", "Import lists of supporters, and look at them."),
    "segments": ("pillarbox.cli.lists:segments", "Look at the saved rules of lists/segments.toml."),
    "suppressions": ("pillarbox.cli.lists:suppressions", "Addresses to which nothing may go."),
    "supporters": ("pillarbox.cli.supporters:supporters", "Look at, add, export or forget one supporter."),
    "new": ("pillarbox.cli.writing:new", "Begin a letter: a folder that already reads like one."),
    "check": ("pillarbox.cli.letters:check", "Find every fault of a letter before it is planned."),
    "preview": ("pillarbox.cli.seeing:preview", "See a letter as supporters will, on one page."),
    "proof": ("pillarbox.cli.proofs:proof", "Send real proofs of a letter to addresses that you name."),
    "rehearse": ("pillarbox.cli.rehearsing:rehearse", "Send a whole mailing to a SendGrid of this machine's own."),
    "plan": ("pillarbox.cli.planning:plan", "Compose every message of a mailing; nothing leaves."),
    "approve": ("pillarbox.cli.approving:approve", "Stand for a planned mailing, by name."),
    "send": ("pillarbox.cli.sending:send", "Send a planned mailing, or continue one that was interrupted."),
    "publish": ("pillarbox.cli.publishing:publish", "Put a letter on the web for anybody, or take it back."),
    "status": ("pillarbox.cli.mailings:status", "Where a mailing stands."),
    "pause": ("pillarbox.cli.mailings:pause", "Hold a mailing back."),
    "resume": ("pillarbox.cli.mailings:resume", "Let a paused mailing go on."),
    "cancel": ("pillarbox.cli.mailings:cancel", "End a mailing; what has left has left."),
    "correct": ("pillarbox.cli.doubt:correct", "Plan an apology to exactly those whom a mailing reached."),
    "reconcile": ("pillarbox.cli.doubt:reconcile", "Settle what nobody is sure went."),
    "events": ("pillarbox.cli.events:events", "Read events from a file."),
    "donations": ("pillarbox.cli.donations:donations", "Import and add donations; see what raised them."),
    "report": ("pillarbox.cli.reports:report", "What a mailing did, and what it raised."),
    "serve": ("pillarbox.cli.serve:serve", "Answer supporters and SendGrid: unsubscribe, letters, events."),
    "worker": ("pillarbox.cli.worker:worker", "Send what is due: what waits for its time, what was left over."),
    "schedule": ("pillarbox.cli.schedules:schedule", "Mailings that come back: added, listed, removed."),
    "calendar": ("pillarbox.cli.schedules:calendar", "What is due in the next weeks."),
    "users": ("pillarbox.cli.users:users", "Who may log in to the dashboard, and what they may do there."),
    "tokens": ("pillarbox.cli.tokens:tokens", "Which programs and web sites may read the API."),
    "store": ("pillarbox.cli.store:store", "The database: back it up, restore it, move it."),
}


class Doors(click.Group):
    """A group that imports a command only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - Click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PillarboxError as fault:
            _tell(fault)
            ctx.exit(1)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            raise click.Abort from None
        except OSError as fault:
            _tell_file(fault) if fault.filename else _tell_bug(fault)
            ctx.exit(1)
        except Exception as fault:  # noqa: BLE001 - the last door: no trace with supporters' data reaches a screen
            _tell_bug(fault)
            ctx.exit(1)


@click.group(cls=Doors, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="pillarbox")
@click.option("-C", "folder", metavar="DIR", default=".", type=click.Path(path_type=Path, file_okay=False),
              help="Run in another project folder.")
@click.pass_context
def main(ctx: click.Context, folder: Path) -> None:
    """Pillarbox carries appeals and newsletters to every supporter's inbox, exactly once, and says what they raised."""
    ctx.obj = folder


def _tell(fault: PillarboxError) -> None:
    from pillarbox.cli import printing  # Rich, only where something is printed with it

    if isinstance(fault, LetterError) and fault.findings:
        printing.findings(fault.findings, error=True)
    if changes := getattr(fault, "changes", ()):
        from pillarbox.cli import changes as differences

        differences.show(changes, error=True)
    printing.refused(fault.sentence())


def _tell_file(fault: OSError) -> None:
    """A file or folder that cannot be read or written: a full disk, a folder that belongs to somebody else."""
    click.echo(f"pillarbox: {fault.filename}: This cannot be read or written ({fault.strerror or 'no reason given'}). "
               "See that the disk has room and that the folder is yours to write in, then try again.", err=True)


def _tell_bug(fault: Exception) -> None:
    if os.environ.get("PILLARBOX_DEBUG"):
        traceback.print_exc()
    last = traceback.extract_tb(fault.__traceback__)[-1]
    click.echo(f"pillarbox: Something broke inside Pillarbox ({type(fault).__name__} at {Path(last.filename).name}:"
               f"{last.lineno}). Nothing is lost; `pillarbox status` tells where a mailing stands. "
               "PILLARBOX_DEBUG=1 shows the whole trace, which may hold supporters' data.", err=True)
    sys.stderr.flush()
