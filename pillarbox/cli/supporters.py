"""supporters: one person at a time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import click

from pillarbox.cli import printing
from pillarbox.cli.opening import opened
from pillarbox.model.states import Basis


@click.group()
def supporters() -> None:
    """Look at, add, export or forget one supporter."""


@supporters.command()
@click.argument("email")
@click.option("--list", "list_name", required=True, metavar="NAME", help="The list that they join.")
@click.option("--first-name", default="", metavar="NAME")
@click.option("--last-name", default="", metavar="NAME")
@click.option("--title", default="", metavar="TEXT")
@click.option("--basis", type=click.Choice(["consent", "soft-opt-in"]), help="Why they may be written to.")
@click.option("--source", default="", metavar="TEXT", help="Where the consent was given.")
@click.option("--obtained", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="When.")
@click.option("--tracking", type=click.Choice(["yes", "no"]), help="Whether they agreed to open and click tracking.")
@printing.json_option
@click.pass_context
def add(ctx: click.Context, email: str, list_name: str, first_name: str, last_name: str, title: str,
        basis: str | None, source: str, obtained: datetime | None, tracking: str | None, as_json: bool) -> None:
    """Add one supporter to a list, on the terms of an import."""
    from pillarbox.people import rights

    with opened(ctx) as project:
        done = rights.add(project.store, secret=project.secret, email=email, list_name=list_name, title=title,
                          first_name=first_name, last_name=last_name, basis=Basis(basis) if basis else None,
                          source=source or "added by staff", obtained=obtained.date() if obtained else None,
                          tracking=tracking == "yes" if tracking else None)
    if as_json:
        printing.as_json({"result": done})
    else:
        printing.say(f"{done.capitalize()}.")


@supporters.command()
@click.argument("email")
@click.pass_context
def show(ctx: click.Context, email: str) -> None:
    """Everything that is held of a person, as JSON."""
    _export(ctx, email)


@supporters.command()
@click.argument("email")
@click.pass_context
def export(ctx: click.Context, email: str) -> None:
    """The same, for a request to see it (UK GDPR, article 15)."""
    _export(ctx, email)


@supporters.command()
@printing.json_option
@click.pass_context
def joining(ctx: click.Context, as_json: bool) -> None:
    """Sign-ups that were confirmed for an address that is kept out: staff decide."""
    from pillarbox.people import joining as joins

    with opened(ctx) as project:
        found = joins.for_staff(project.store)
    if as_json:
        printing.as_json([{"address": address, "kept_out": reason, "confirmed_at": at}
                          for address, reason, at in found])
    elif not found:
        printing.say("No sign-up waits for a decision.")
    for address, reason, at in () if as_json else found:
        printing.to_copy(f"{address}  kept out: {reason}, confirmed on {at:%d %B %Y}")


def _export(ctx: click.Context, email: str) -> None:
    from pillarbox.people import rights

    with opened(ctx) as project:
        printing.as_json(rights.export(project.store, secret=project.secret, email=email))


@supporters.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@printing.json_option
@click.pass_context
def forget(ctx: click.Context, email: str, yes: bool, as_json: bool) -> None:
    """Erase a person; only a hash that keeps them out remains. It cannot be taken back."""
    from pillarbox.people import rights
    from pillarbox.rehearsal import letters

    if not yes:
        click.confirm("Erase everything that is held of this person? It cannot be taken back", abort=True)
    with opened(ctx) as project:
        done = rights.forget(project.store, secret=project.secret, email=email)
        letters.forget(project.folder)
    if as_json:
        printing.as_json(asdict(done))
        return
    printing.say(("Erased." if done.was_known or done.messages or done.donations else
                  "Nothing was held of this address; see that it is spelt right.")
                 + " A keyed hash of it remains, so that no import brings it back.")
    if done.not_reached:
        printing.say("\nNot reached, for you to erase:")
        printing.items(done.not_reached)
