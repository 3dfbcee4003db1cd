"""publish: a letter for anybody to read."""

from __future__ import annotations

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.mailings import mailing_argument
from pillarbox.cli.opening import opened


@click.command()
@mailing_argument
@click.option("--withdraw", is_flag=True, help="Take it back: its address says that it is gone.")
@click.option("--slug", default="", metavar="NAME", help="Its name in its address; the appeal's when not said.")
@click.option("--by", default="staff", show_default=True, metavar="NAME", help="Who publishes it.")
@printing.json_option
@click.pass_context
def publish(ctx: click.Context, name: str, withdraw: bool, slug: str, by: str, as_json: bool) -> None:
    """Put a letter on the web for anybody, or take it back.

    It is composed from what the mailing was planned with, for a reader without a name, and has no personal link.
    """
    from pillarbox.mailings import publishing

    with opened(ctx) as project:
        if withdraw:
            gone = publishing.withdraw(project, name, by=by)
            if as_json:
                printing.as_json({"slug": gone, "withdrawn": True})
            else:
                printing.say(f"The letter {escape(gone)} is withdrawn.")
            return
        done = publishing.publish(project, name, slug=slug, by=by)
    if as_json:
        printing.as_json(done.to_json())
        return
    if done.practice:
        printing.practice_banner()
    printing.say(f"{escape(done.mailing)} can be read by anybody{'' if done.news else ' as it is now'}:")
    printing.to_copy(done.url)
