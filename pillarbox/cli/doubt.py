"""reconcile, correct: what is not known, and what went wrong."""

from __future__ import annotations

import getpass

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.mailings import mailing_argument
from pillarbox.cli.opening import opened
from pillarbox.cli.planning import show_plan
from pillarbox.ground.errors import Refused
from pillarbox.mailings import correct as correcting
from pillarbox.mailings import reconcile as reconciling
from pillarbox.mailings.reconcile import Assumption, Reconciled

_WAYS = {"events": "settled by events", "search": "found at SendGrid", "staff": "decided by staff"}


@click.command()
@mailing_argument
@click.option("--assume", type=click.Choice(["sent", "unsent"]),
              help="Your decision for what neither events nor SendGrid's record settle. `unsent` sends it again: some "
                   "may get it twice.")
@click.option("--by", metavar="NAME", help="Who decides; the name of the account on this computer when not said.")
@printing.json_option
@click.pass_context
def reconcile(ctx: click.Context, name: str, assume: Assumption | None, by: str | None, as_json: bool) -> None:
    """Settle what nobody is sure went.

    First by what SendGrid's events say, then by its message search where the account has it, then by your decision.
    """
    with opened(ctx) as project:
        done = reconciling.reconcile(project, name, assume=assume, actor=_account() if by is None else by)
    if as_json:
        printing.as_json(done.to_json())
    else:
        _show(done)


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such account, no such module: Python says it differently by system
        return "staff"


def _show(done: Reconciled) -> None:
    printing.say(f"[bold]{escape(done.mailing)}[/]")
    rows = [(words, done.ways[way]) for way, words in _WAYS.items() if done.ways[way]]
    if done.planned_again:
        rows.append(("left by a dead sender, planned again", done.planned_again))
    printing.counts([*rows, ("still not sure", done.in_doubt)])
    if done.search_said:
        printing.say(f"\n{escape(done.search_said)}")
    if done.by:
        printing.say(f"\nTaken as {done.assumed}, by decision of {escape(done.by)}.")
    if done.warning:
        printing.say(f"[yellow]{escape(done.warning)}[/]")
        printing.to_copy(f"pillarbox send {done.mailing}")
    if done.in_doubt:
        printing.say("\nEvents may come for a day or more and settle the rest by themselves. Or decide:")
        printing.to_copy(f'pillarbox reconcile {done.mailing} --assume sent --by "Your Name"')
        printing.to_copy(f'pillarbox reconcile {done.mailing} --assume unsent --by "Your Name"')


@click.command()
@mailing_argument
@click.option("--appeal", metavar="SLUG", help="The folder of the apology; begun for you when not said and not there.")
@printing.json_option
@click.pass_context
def correct(ctx: click.Context, name: str, appeal: str | None, as_json: bool) -> None:
    """Plan an apology to exactly those whom a mailing reached.

    Not to those who never got it, nor to those who have left since. Nothing leaves before `send`.
    """
    with opened(ctx) as project:
        with printing.progress(None, f"Composing the correction of {name}", quiet=as_json) as advance:
            done = correcting.correct(project, name, appeal=appeal, on_progress=advance)
        if isinstance(done, correcting.Begun):
            raise Refused(done.sentence)
    if as_json:
        printing.as_json(done.to_json() | {"corrects": name})
    else:
        show_plan(done)
