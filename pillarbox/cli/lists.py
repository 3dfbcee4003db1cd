"""lists, segments, suppressions: who may be written to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.opening import opened
from pillarbox.ground.errors import Refused
from pillarbox.model.states import Basis, SuppressionReason

_REJECTED_SHOWN = 20


@click.group()
def lists() -> None:
    """Import lists of supporters, and look at them."""


@lists.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--list", "list_name", required=True, metavar="NAME", help="The list that they join.")
@click.option("--format", "format_", default="auto", show_default=True, metavar="NAME",
              help="auto, generic, mailchimp or civicrm.")
@click.option("--basis", type=click.Choice(["consent", "soft-opt-in"]), help="Why they may be written to.")
@click.option("--source", default="", metavar="TEXT", help='Where the consent was given: "paper form, gala 2026".')
@click.option("--obtained", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="When.")
@click.option("--tracking", type=click.Choice(["yes", "no"]), help="Whether they agreed to open and click tracking.")
@click.option("--map", "mapping", multiple=True, metavar="COL=FIELD", help="Say what a column holds.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@printing.json_option
@click.pass_context
def import_(ctx: click.Context, file: Path, list_name: str, format_: str, basis: str | None, source: str,
            obtained: datetime | None, tracking: str | None, mapping: tuple[str, ...], dry_run: bool,
            as_json: bool) -> None:
    """Read supporters from a CSV or Excel file.

    Nobody who left comes back, and no consent is replaced by less.
    """
    from pillarbox.people.intake import import_list

    with opened(ctx) as project:
        report = import_list(
            project.store, secret=project.secret, path=file, list_name=list_name, format=format_,
            mapping=parse_map(mapping), basis=Basis(basis) if basis else None, source=source,
            obtained=obtained.date() if obtained else None, tracking=tracking == "yes" if tracking else None,
            dry_run=dry_run)
    if as_json:
        printing.as_json(report.to_json())
        return
    if dry_run:
        printing.say("[bold]Dry run:[/] nothing was changed.")
    if report.list_created:
        printing.say(f"The list {escape(list_name)} {'would be' if dry_run else 'is'} new.")
    printing.counts([
        ("rows read", report.rows), ("added", report.added), ("updated", report.updated),
        ("unchanged", report.unchanged), ("the same person twice, merged", report.merged),
        ("rejected", len(report.rejected)), ("kept out", sum(report.kept_out.values())),
        *((f"  {escape(reason.replace('-', ' '))}", count) for reason, count in report.kept_out.items())])
    if report.rejected:
        printing.say("\nRejected:")
        printing.items(f"line {row.line}: {row.reason}" for row in report.rejected[:_REJECTED_SHOWN])
    if len(report.rejected) > _REJECTED_SHOWN:
        printing.say(f"  … and {len(report.rejected) - _REJECTED_SHOWN:,} more; --json lists them all.")
    read_as = ", ".join(f"{name} {value}" for name, value in report.about.items())
    columns = "; ".join(heading if heading == field else f"{heading or '(no heading)'} → {field}"
                        for heading, field in report.columns.items())
    printing.say(f"\n[dim]Read with {escape(read_as)}. Columns: {escape(columns)}.[/]")
    if report.warnings:
        printing.say("\nNote:")
        printing.items(report.warnings)


def parse_map(pairs: tuple[str, ...]) -> dict[str, str]:
    """``COL=FIELD`` options as a dictionary.

    Raises:
        click.BadParameter: an option without ``=``.
    """
    found = {}
    for pair in pairs:
        column, equals, field = pair.rpartition("=")
        if not equals or not column or not field:
            raise click.BadParameter(f"{pair!r} should be COLUMN=FIELD, e.g. --map \"E-mail 1=email\".")
        found[column] = field
    return found


@lists.command()
@click.argument("name", required=False)
@printing.json_option
@click.pass_context
def show(ctx: click.Context, name: str | None, as_json: bool) -> None:
    """How many are on each list, and how many of them can be written to."""
    from pillarbox.people import audience
    from pillarbox.store import lists as store_lists

    with opened(ctx) as project, project.store.reading() as connection:
        known = {each.name: each for each in store_lists.overview(connection)}
        if name and name not in known:
            raise Refused(f"There is no list called {name!r}.", todo=f"Known lists: {', '.join(known) or 'none'}.")
        found: list[dict[str, Any]] = []
        for each in [known[name]] if name else known.values():
            left_out = audience.left_out(connection, audience.Rule(lists=(each.name,)), {})
            people = each.on_it + each.left
            found.append({"list": each.name, "people": people, "can_be_written_to": people - sum(left_out.values()),
                          "left_out": left_out})
    if as_json:
        printing.as_json(found)
        return
    if not found:
        printing.say("There are no lists yet. `pillarbox lists import FILE --list NAME` makes one.")
        return
    table = printing.table("List", "People>", "Can be written to>", "Left out")
    for row in found:
        table.add_row(escape(row["list"]), f"{row['people']:,}", f"{row['can_be_written_to']:,}",
                      ", ".join(f"{count:,} {reason.replace('-', ' ')}" for reason, count in row["left_out"].items()))
    printing.console.print(table)


@click.group()
def segments() -> None:
    """Look at the saved rules of lists/segments.toml."""


@segments.command("show")
@click.argument("name", required=False)
@printing.json_option
@click.pass_context
def show_segments(ctx: click.Context, name: str | None, as_json: bool) -> None:
    """How many each rule finds today."""
    from pillarbox.mailings import letters
    from pillarbox.people import audience

    with opened(ctx) as project, project.store.reading() as connection:
        known = letters.read_segments(project)
        if name and name not in known:
            raise Refused(f"There is no segment called {name!r}.", todo=f"Known: {', '.join(sorted(known)) or 'none'}.")
        found = {}
        for each in [name] if name else sorted(known):
            rule = audience.Rule(lists=(), segments=(each,))
            found[each] = sum(1 for _ in audience.candidates(connection, rule, known))
    if as_json:
        printing.as_json(found)
    elif not found:
        printing.say("There are no segments yet: they are written in lists/segments.toml.")
    else:
        if not found:
            printing.say("There are no segments yet: write one in lists/segments.toml.")
            return
        printing.say("Can be written to today:")
        printing.counts((escape(each), count) for each, count in found.items())


@click.group()
def suppressions() -> None:
    """Addresses to which nothing may go."""


@suppressions.command("add")
@click.argument("email")
@click.option("--reason", type=click.Choice([reason.value for reason in SuppressionReason]), default="manual",
              show_default=True)
@click.pass_context
def add(ctx: click.Context, email: str, reason: str) -> None:
    """Let nothing more go to an address, whether it is on a list or not."""
    from pillarbox.people import rights

    with opened(ctx) as project:
        news = rights.suppress_address(project.store, secret=project.secret, email=email,
                                       reason=SuppressionReason(reason), source="staff")
    printing.say("Done: nothing goes to this address any more." if news
                 else "This address was kept out already, for the same reason.")


@suppressions.command("show")
@printing.json_option
@click.pass_context
def show_suppressions(ctx: click.Context, as_json: bool) -> None:
    """How many addresses are suppressed, by reason."""
    from pillarbox.store import suppressions as store_suppressions

    with opened(ctx) as project, project.store.reading() as connection:
        found = store_suppressions.counts(connection)
    if as_json:
        printing.as_json(found)
    elif not found:
        printing.say("No address is suppressed.")
    else:
        if not found:
            printing.say("No address is suppressed.")
            return
        printing.say("Nothing goes to:")
        printing.counts((f"{reason.replace('-', ' ')}", count) for reason, count in found.items())
