"""demo: the whole road on made-up people, against a SendGrid of this machine's own."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.projects import make
from pillarbox.cli.serve import theme_of
from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, Refused
from pillarbox.standin import donations, events, following, webhook
from pillarbox.standin.behaviour import API_KEY, Behaviour
from pillarbox.standin.reactions import Reaction, reactions
from pillarbox.standin.server import Standin

MARK = ".pillarbox-demo"
_APPEAL = "uyghur-freedom"
_SEED = 2026
# The demo's mailing left so long ago: its events and gifts lie between then and now.
_AGO = timedelta(days=6)


@click.command()
@click.argument("folder", metavar="[DIR]", default="demo", type=click.Path(path_type=Path, file_okay=False))
def demo(folder: Path) -> None:
    """The whole road on made-up people: import, plan, send, events, report.

    Nobody is mailed: a SendGrid of this machine's own takes the letters, and its made-up supporters open, click, give.
    """
    _prepare(folder)
    begun = (clock.now() - _AGO - timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    signer = webhook.Signer()
    with Standin(Behaviour(letters=folder / "letters")) as standin, _environment(
            SENDGRID_API_KEY=API_KEY, PILLARBOX_TRANSPORT="sendgrid", PILLARBOX_SENDGRID_URL=standin.url,
            PILLARBOX_SENDGRID_WEBHOOK_KEY=signer.public_key), _served(folder) as base_url, _environment(
            PILLARBOX_BASE_URL=base_url):
        with clock.freeze(begun):
            _run(folder, "lists", "import", str(folder / "lists" / "sample-supporters.csv"), "--list", "supporters",
                 "--basis", "consent", "--source", "sample list")
            _run(folder, "check", _APPEAL, "--list", "supporters")
            _run(folder, "plan", _APPEAL, "--list", "supporters")
            _run(folder, "send", _APPEAL, "--yes")
        told = reactions(standin.messages, seed=_SEED, sent=begun, days=_AGO.days)
        _react(told, base_url, signer)
        export = _gifts(folder, told, base_url)
    _give(folder, export)
    page, workbook = folder / "report.html", folder / "report.xlsx"
    _run(folder, "report", _APPEAL, "--html", str(page), "--xlsx", str(workbook))
    printing.say("\n[bold]To look at:[/] the letters as people got them (any mail program opens them), and the report.")
    printing.to_copy(str(folder / "letters"))
    printing.to_copy(str(page))


def _prepare(folder: Path) -> None:
    """Make a fresh project; an earlier demo is replaced, anything else is left alone."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise Refused(f"{folder} is not empty, and no earlier demo made it.", todo="Name another folder.")
        shutil.rmtree(folder)
    make(folder)
    (folder / MARK).write_text("Made by `pillarbox demo`, which replaces this folder when it runs again.\n", "utf-8")


def _run(folder: Path, *arguments: str) -> None:
    """Show a command as staff would type it, and run it."""
    from pillarbox.cli.main import main  # the front door imports this module; here it is only used

    printing.say(f"\n[bold cyan]$[/] [bold]pillarbox {escape(shlex.join(arguments))}[/]")
    if main.main(["-C", str(folder), *arguments], standalone_mode=False):
        raise PillarboxError("The demo ended early.")


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Settings for the commands of the demo, put back afterwards."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The project's own web side on a free port of this machine; yields its URL."""
    from pillarbox.store.project import open_project
    from pillarbox.web.serve import background

    project = open_project(folder)
    try:
        with background(project.store, project.settings, project.id, theme=theme_of(project)) as url:
            yield url
    finally:
        project.close()


def _react(told: list[Reaction], base_url: str, signer: webhook.Signer) -> None:
    """What the made-up supporters did, posted and signed as SendGrid does."""
    now = clock.now()
    found = events.events_of(told, seed=_SEED, until=now)
    printing.say(f"\n[dim]… {_AGO.days} days pass. {len(found):,} signed events come in at /hooks/sendgrid …[/]")
    webhook.post(found, f"{base_url}/hooks/sendgrid", signer)
    webhook.post_one_click(url for when, url in events.leavers(told) if _past(when, now))


def _past(when: datetime, now: datetime) -> bool:
    return when <= now


def _gifts(folder: Path, told: list[Reaction], base_url: str) -> Path:
    """What a donation platform would export; donate links are followed, each at its moment, through our own pages."""
    def land(at: datetime, url: str) -> str:
        if not url.startswith(f"{base_url}/d/"):
            return url
        with clock.freeze(at):
            return following.landing(url)

    export = folder / "donations.csv"
    donations.write(donations.rows(told, seed=_SEED, parameter="ref", land=land), export)
    return export


def _give(folder: Path, export: Path) -> None:
    now = clock.now()
    _run(folder, "donations", "import", str(export))
    with clock.freeze(now - timedelta(days=1)):
        _run(folder, "donations", "add", "--amount", "£100", "--method", "caf-voucher", "--name", "A. Giver",
             "--mailing", _APPEAL, "--note", "by post")
