"""store: the database backed up, restored, moved, adopted, upgraded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pillarbox.cli import printing
from pillarbox.cli.opening import opened
from pillarbox.ground.errors import Refused
from pillarbox.store import migrate
from pillarbox.store.project import open_project

if TYPE_CHECKING:
    from pillarbox.keeping.restore import Restored


@click.group()
def store() -> None:
    """The database: back it up, restore it, move it."""


@store.command()
@printing.json_option
@click.pass_context
def backup(ctx: click.Context, as_json: bool) -> None:
    """Write an encrypted copy of everything into the backups' folder, and read it back."""
    from pillarbox.keeping import backup as backups
    from pillarbox.keeping import journal

    with opened(ctx) as project:
        with printing.progress(None, "Backing up", quiet=as_json) as advance:
            path = backups.backup(project, on_progress=advance)
        kept = backups.known(journal.backups(project.settings), project.id)
        passphrase = bool(project.settings.backup.key.get_secret_value())
    if as_json:
        printing.as_json({"file": str(path), "bytes": path.stat().st_size, "kept": len(kept),
                          "key": "passphrase" if passphrase else "secret-key"})
        return
    printing.say("Backed up, and read back:")
    printing.to_copy(str(path))
    key = "passphrase in PILLARBOX_BACKUP_KEY" if passphrase else "project's secret key (pillarbox.key)"
    printing.say(f"Only the {key} opens it: keep that in another place. A backup on this disk alone is lost with the "
                 "disk: copy it elsewhere.")


@store.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--yes", is_flag=True, help="Replace a database that is newer, in use or damaged; it is kept beside.")
@click.option("--journal", "journals", multiple=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Another host's journal of launches (again for more).")
@printing.json_option
@click.pass_context
def restore(ctx: click.Context, file: Path, yes: bool, journals: tuple[Path, ...], as_json: bool) -> None:
    """Put a backup in place of the database. Nothing that was sent can be sent again.

    Every unfinished mailing is paused, and what nobody is sure of is in doubt. It says what to do next.
    """
    from pillarbox.keeping import restore as restoring

    with printing.progress(None, "Restoring", quiet=as_json) as advance:
        done = restoring.restore(ctx.obj, file, sure=yes, journals=journals, on_progress=advance)
    forgotten = _forget_again(ctx, done.aftermath.erased)
    if as_json:
        printing.as_json(done.to_json() | {"forgotten_again": forgotten})
        return
    _show_restored(done, forgotten)


def aftercare_steps(done: Restored) -> list[str]:
    """What staff do next."""
    from pillarbox.keeping import aftercare

    return aftercare.next_steps(done.aftermath)


def _forget_again(ctx: click.Context, addresses: tuple[str, ...]) -> int:
    """Who had asked to be forgotten, and came back with the backup, is forgotten at once."""
    if not addresses:
        return 0
    from pillarbox.people import rights

    with opened(ctx) as project:
        for address in addresses:
            rights.forget(project.store, secret=project.secret, email=address, actor="restore")
    return len(addresses)


def _show_restored(done: Restored, forgotten: int) -> None:
    after = done.aftermath
    printing.say(f"[bold]Restored[/] from the backup of {done.made_at:%d %B %Y, %H:%M} UTC: {done.rows:,} rows.")
    if done.kept:
        printing.say("What was there before is kept:")
        printing.to_copy(done.kept)
    if forgotten:
        printing.say(f"{forgotten:,} people who had asked to be forgotten came back with the backup, and were "
                     "forgotten again.")
    if after.suppressions:
        printing.say(f"{after.suppressions:,} who left since were taken over from the database that was replaced.")
    if after.paused:
        printing.say("\nUnfinished at the time of the backup, and sending nothing now:")
        printing.items(f"{one.mailing}: {one.state}; {one.in_doubt:,} not sure to have gone, "
                       f"{one.remaining:,} surely still here" for one in after.paused)
    if after.sent_since:
        printing.say("\nSent after the backup; who got them is not known here:")
        printing.items(f"{launch.mailing} ({launch.planned:,} messages, {launch.at:%d %B %Y, %H:%M} UTC)"
                       for launch in after.sent_since)
    printing.say("\n[bold]What to do now[/]")
    printing.items(aftercare_steps(done), mark="→")
    for command in after.schedules:
        printing.to_copy(command)


@store.command()
@click.argument("url")
@printing.json_option
@click.pass_context
def copy(ctx: click.Context, url: str, as_json: bool) -> None:
    """Move the project to another database, checked row by row; this one is sealed."""
    from pillarbox.keeping import copying

    with printing.progress(None, "Copying", quiet=as_json) as advance:
        done = copying.copy(ctx.obj, url, on_progress=advance)
    if as_json:
        printing.as_json(done.to_json())
        return
    total = sum(done.tables.values())
    printing.say("The copy was whole already, and is open now." if done.resumed else
                 f"{total:,} rows in {len(done.tables)} tables were copied, read on both sides, and are the same.")
    printing.say("The project lives here now:")
    printing.to_copy(done.target)
    printing.say("Name it in PILLARBOX_DATABASE_URL (or \\[project] database) wherever Pillarbox runs. The earlier "
                 "database is sealed: it can be read, and sends nothing.")


@store.command()
@click.option("--moved", is_flag=True,
              help="It was moved or renamed, and no other copy of it sent anything since: mailings go on as they were.")
@printing.json_option
@click.pass_context
def adopt(ctx: click.Context, moved: bool, as_json: bool) -> None:
    """Make this machine the home of a database that was copied or moved here.

    Its other copy may have sent since: every unfinished live mailing is paused, and what is left of it is in doubt.
    """
    from pillarbox.keeping import doubt

    paused: list[doubt.Paused] = []
    project = open_project(ctx.obj, adopt=True, settle=lambda connection: None if moved else paused.extend(
        doubt.settle_adopted(connection)))
    project.close()
    if as_json:
        printing.as_json({"project": project.id, "adopted": True, "paused": [
            {"mailing": one.mailing, "state": one.state, "in_doubt": one.in_doubt} for one in paused]})
        return
    printing.say("This is now the database's home. See that the other copy is out of use: two could both send.")
    if paused:
        printing.say("\nUnfinished; the other copy may have sent these since, so nothing of them leaves by itself:")
        printing.items(f"{one.mailing}: {one.state}; {one.in_doubt:,} not sure to have gone" for one in paused)
        printing.say("`pillarbox reconcile MAILING` settles what is not sure to have gone.")


@store.command()
@printing.json_option
@click.pass_context
def upgrade(ctx: click.Context, as_json: bool) -> None:
    """Bring the database to the tables that this version knows; opening a project does it too."""
    from pillarbox.runner import queue

    with opened(ctx) as project:
        if queue.usable(project.store):
            queue.make(project.store)
    if as_json:
        printing.as_json({"schema": migrate.head()})
    else:
        printing.say("The database is up to date.")


@store.command()
@click.argument("mailing", required=False)
@click.option("--check", is_flag=True, help="Only say whether anything differs; change nothing.")
@printing.json_option
@click.pass_context
def rebuild(ctx: click.Context, mailing: str | None, check: bool, as_json: bool) -> None:
    """Count the events of a mailing, or of all, from nothing, and put the kept figures right where they differ."""
    from pillarbox.store import mailings, tallies

    with opened(ctx) as project:
        with project.store.reading() as connection:
            chosen = {found.id: found.name for found in (
                [mailings.find(connection, mailing)] if mailing else mailings.all_of(connection))}
        found = {}
        with printing.progress(None, "Counting", quiet=as_json) as advance:
            for mailing_id, name in chosen.items():
                count = tallies.check if check else tallies.rebuild
                found[name] = count(project.store, mailing_id, advance)
    wrong = {name: one for name, one in found.items() if not one.equal}
    if as_json:
        printing.as_json({"mailings": [{"mailing": name, "messages": one.messages, "figures": one.tallies,
                                        "wrong_figures": one.wrong_tallies, "wrong_messages": one.wrong_messages}
                                       for name, one in found.items()], "equal": not wrong, "mended": not check})
    else:
        for name, one in wrong.items():
            printing.say(f"{name}: {one.wrong_tallies:,} of {one.tallies:,} figures and {one.wrong_messages:,} of "
                         f"{one.messages:,} messages differed from the recount.")
        printing.say(f"{len(found) - len(wrong):,} of {len(found):,} mailings are as a recount gives them."
                     + (" The others were put right." if wrong and not check else ""))
    if wrong and check:
        raise Refused("Kept figures differ from the recount.",
                      todo="`pillarbox store rebuild` puts them right. Please report it: it should not happen.")
