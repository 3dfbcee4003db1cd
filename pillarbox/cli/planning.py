"""plan, approve."""

from __future__ import annotations

from datetime import datetime

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.mailings import mailing_argument
from pillarbox.cli.numbers import Within
from pillarbox.cli.opening import opened
from pillarbox.content import variants
from pillarbox.mailings import control, planning
from pillarbox.people.audience import Rule


@click.command()
@click.argument("slug")
@click.option("--list", "lists", multiple=True, metavar="NAME", help="A list to write to (again for more).")
@click.option("--segment", "segments", multiple=True, metavar="NAME", help="A saved rule to write to.")
@click.option("--exclude", multiple=True, metavar="NAME", help="A list or segment to leave out.")
@click.option("--for", "for_date", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="The day that the letter speaks of (2026-12-10); today when not said.")
@click.option("--again", metavar="LABEL", help="Plan another edition of an appeal that was sent.")
@click.option("--span", "span_hours", type=Within(0, 24 * 31), metavar="HOURS",
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
    if mailing.variants:
        printing.variants((label, said["planned"], variants.words(label, said))
                          for label, said in mailing.variants.items())
    if planned.slow_reasons:
        printing.say("\nWhy one by one, which is slower:")
        printing.items(planned.slow_reasons)
    if planned.findings:
        printing.say(f"\nThe check has {printing.tally(planned.findings)} Read them with:")
        printing.to_copy(f"pillarbox check {mailing.appeal}")
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
    """Stand for a planned mailing, by name. A live mailing cannot be sent without.

    A service letter (confirm, welcome …) is approved once, as it is now: after any change of its words again.
    """
    from pillarbox.mailings import service

    with opened(ctx) as project:
        if service.is_meant(project, name):
            letter = service.approve(project, name, by=by)
            if as_json:
                printing.as_json({"service": name, "content_hash": letter.content_hash, "approved_by": by.strip()})
            else:
                printing.say(f"The service letter {escape(name)} is approved by {escape(by.strip())}, as it is now.")
            return
        mailing = control.approve(project, name, by=by)
    if as_json:
        printing.as_json({"mailing": mailing.name, "approved_by": mailing.approved_by})
    else:
        printing.say(f"{escape(mailing.name)} is approved by {escape(mailing.approved_by or '')}.")
