"""plan."""

from __future__ import annotations

from datetime import datetime

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.approving import show_since, to_approve
from pillarbox.cli.audience import audience_options, date_option
from pillarbox.cli.numbers import Within
from pillarbox.cli.opening import opened
from pillarbox.content import variants
from pillarbox.mailings import approval, planning
from pillarbox.people.audience import Rule
from pillarbox.people.values import one_line


@click.command()
@click.argument("slug")
@audience_options
@date_option
@click.option("--again", metavar="LABEL", help="Plan another edition of an appeal that was sent.")
@click.option("--span", "span_hours", type=Within(0, 24 * 31), metavar="HOURS",
              help="Leave out whoever got another mailing within as many hours; 0: nobody. Else as in [limits].")
@click.option("--by", metavar="NAME", help="Who plans; where two pairs of eyes are asked for, others approve it.")
@printing.json_option
@click.pass_context
def plan(ctx: click.Context, slug: str, lists: tuple[str, ...], segments: tuple[str, ...], exclude: tuple[str, ...],
         for_date: datetime | None, again: str | None, span_hours: float | None, by: str | None,
         as_json: bool) -> None:
    """Compose every message of a mailing; nothing leaves.

    One fault in one supporter's copy, and nothing is planned: the fault names supporter, field, file and line.
    """
    wish = planning.Wish(appeal=slug, rule=Rule(lists=lists, segments=segments, exclude=exclude),
                         for_date=for_date.date() if for_date else None, again=again, span_hours=span_hours,
                         actor=one_line(by or "") or "staff")
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
    if approval.is_asked(mailing) and planned.before:
        printing.say()
        show_since(planned.before)
    if planned.approved.counted:
        printing.say(f"\nStill approved by {escape(planned.approved.by)}: nothing that they stand for has changed."
                     if planned.approved.complete else
                     f"\nStill approved by {escape(planned.approved.by)}; one more person must.")
    printing.say("\nNothing has left. Next:")
    if approval.is_asked(mailing) and not planned.approved.complete:
        to_approve(mailing.name)
        if planned.approved.others and not planned.approved.planned_by:
            printing.below("Who planned it is not known, so two different people must approve it. Say it with --by.")
    printing.to_copy(f"pillarbox send {mailing.name}")
