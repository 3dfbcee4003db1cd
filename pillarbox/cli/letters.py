"""check: a letter before it is planned."""

from __future__ import annotations

from datetime import datetime

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.opening import opened


@click.command()
@click.argument("slug")
@click.option("--list", "lists", multiple=True, metavar="NAME", help="Compose it for everyone on a list.")
@click.option("--segment", "segments", multiple=True, metavar="NAME", help="Compose it for a saved rule.")
@click.option("--for", "for_date", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="The day that the letter will speak of (2026-12-10); today when not said.")
@click.option("--online", is_flag=True, help="Ask for the pages that it leads to: are they there? (half a minute)")
@printing.json_option
@click.pass_context
def check(ctx: click.Context, slug: str, lists: tuple[str, ...], segments: tuple[str, ...],
          for_date: datetime | None, online: bool, as_json: bool) -> None:
    """Find every fault of a letter before it is planned.

    Errors stop a plan; warnings want a look; advice makes a letter better. Without a list it is tried with two
    made-up supporters, one of them without a name. With --online the public pages that every copy leads to are asked
    for, once each; no supporter's own link is.
    """
    from pillarbox.checking import spam
    from pillarbox.mailings import check as checking
    from pillarbox.people.audience import Rule

    rule = Rule(lists=lists, segments=segments) if lists or segments else None
    with opened(ctx) as project:
        checked = checking.check(project, slug, rule, day=for_date.date() if for_date else None, go_online=online)
    if as_json:
        printing.as_json(checked.to_json())
    else:
        printing.findings(checked.findings)
        if checked.findings:
            printing.say()
        if told := printing.tally(checked.findings, silenced=checked.silenced):
            printing.say(told)
        if not spam.command():
            printing.say(f"[dim]{spam.NOT_INSTALLED}[/]")
        printing.say(f"[green]{escape(slug)} can be planned[/] ({checked.copies:,} copies composed)." if checked.ok
                     else f"[bold red]{escape(slug)} cannot be planned as it is.[/]")
    if not checked.ok:
        ctx.exit(1)
