"""events: what the provider reported, read from a file."""

from __future__ import annotations

from pathlib import Path

import click

from pillarbox.cli import printing
from pillarbox.cli.opening import opened


@click.group()
def events() -> None:
    """Read events from a file."""


@events.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@printing.json_option
@click.pass_context
def import_(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Read SendGrid's events (the JSON that its webhook posts) from a file; doing it twice changes nothing."""
    from pillarbox.events.importing import import_file

    with opened(ctx) as project:
        applied = import_file(project.store, file, project=project.id, secret=project.secret)
    if as_json:
        printing.as_json({"new": applied.new, "repeated": applied.repeated, "foreign": applied.foreign,
                          "unmatched": applied.unmatched, "alarms": len(applied.alarms)})
    else:
        printing.counts((("new events", applied.new), ("known already", applied.repeated),
                         ("of other senders", applied.foreign), ("of no letter of ours", applied.unmatched)))
        if applied.alarms:
            twice = sum(alarm.twice for alarm in applied.alarms)
            printing.say(f"[bold red]Letters that were taken as not sent did go: {len(applied.alarms):,}"
                         + (f", {twice:,} of them twice, or maybe twice" if twice else "") +
                         ". The audit log names them.[/]")
