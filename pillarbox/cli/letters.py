"""check: a letter before it is planned."""

from __future__ import annotations

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.opening import opened


@click.command()
@click.argument("slug")
@click.option("--list", "lists", multiple=True, metavar="NAME", help="Compose it for everyone on a list.")
@click.option("--segment", "segments", multiple=True, metavar="NAME", help="Compose it for a saved rule.")
@printing.json_option
@click.pass_context
def check(ctx: click.Context, slug: str, lists: tuple[str, ...], segments: tuple[str, ...], as_json: bool) -> None:
    """Find every fault of a letter before it is planned.

    Without a list it is tried with two made-up supporters, one of them without a name.
    """
    from pillarbox.mailings import check as checking
    from pillarbox.people.audience import Rule

    rule = Rule(lists=lists, segments=segments) if lists or segments else None
    with opened(ctx) as project:
        checked = checking.check(project, slug, rule)
    if as_json:
        printing.as_json(checked.to_json())
    else:
        printing.findings(checked.findings)
        printing.say(f"[green]{escape(slug)} can be planned[/] ({checked.copies:,} copies composed)." if checked.ok
                     else f"[bold red]{escape(slug)} cannot be planned as it is.[/]")
    if not checked.ok:
        ctx.exit(1)
