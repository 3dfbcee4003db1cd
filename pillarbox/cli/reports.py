"""report: what a mailing did, and what it raised."""

from __future__ import annotations

from pathlib import Path

import click

from pillarbox.cli import printing
from pillarbox.cli.opening import opened
from pillarbox.ground.errors import Refused
from pillarbox.store.project import Project


@click.command()
@click.argument("name", metavar="[MAILING]", required=False)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page.")
@click.option("--xlsx", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a workbook.")
@click.option("--with-addresses", is_flag=True, help="Put supporters' addresses into the workbook.")
@printing.json_option
@click.pass_context
def report(ctx: click.Context, name: str | None, html: Path | None, xlsx: Path | None, with_addresses: bool,
           as_json: bool) -> None:
    """What a mailing did, and what it raised. Without a mailing: a line for each."""
    with opened(ctx) as project:
        if name is None:
            if html or xlsx:
                raise Refused("A page or workbook tells of one mailing.", todo="Name it: pillarbox report MAILING …")
            _all(project, as_json=as_json)
            return
        _one(project, name, html=html, xlsx=xlsx, with_addresses=with_addresses, as_json=as_json)


def _all(project: Project, *, as_json: bool) -> None:
    from pillarbox.reports import terminal
    from pillarbox.reports.across import all_mailings

    with project.store.reading() as connection:
        lines = all_mailings(connection)
    if as_json:
        printing.as_json([line.to_json() for line in lines])
    else:
        terminal.show_all(lines, terminal.console())


def _one(project: Project, name: str, *, html: Path | None, xlsx: Path | None, with_addresses: bool,
         as_json: bool) -> None:
    from pillarbox.reports import page, terminal, workbook
    from pillarbox.reports.report import gather
    from pillarbox.store import mailings

    with project.store.reading() as connection:
        mailing_id = mailings.find(connection, name).id
        gathered = gather(connection, mailing_id, project.settings.project.zone)
        if xlsx:
            xlsx.write_bytes(workbook.workbook(gathered, connection, mailing_id, with_addresses=with_addresses))
    if html:
        html.write_text(page.html(gathered), "utf-8")
    if as_json:
        printing.as_json(gathered.to_json())
        return
    terminal.show(gathered, terminal.console())
    written = [path for path in (html, xlsx) if path]
    if written:
        printing.say("\nWritten:")
    for path in written:
        printing.to_copy(str(path))
