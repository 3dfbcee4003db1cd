"""preview: a letter looked at before it is planned."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.opening import opened

if TYPE_CHECKING:
    from pillarbox.seeing.sight import Sight

_OUT = Path("preview")


@click.command()
@click.argument("slug")
@click.option("--as", "email", metavar="EMAIL", help="As this supporter will see it.")
@click.option("--list", "lists", multiple=True, metavar="NAME", help="Read by supporters of a list, picked to differ.")
@click.option("--segment", "segments", multiple=True, metavar="NAME", help="Read by supporters of a saved rule.")
@click.option("--serve/--write", "serves", default=None,
              help="Serve the page, which reloads as files change, or write it; by default a terminal is served.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write the page and the letters into this folder (preview).")
@click.option("--png", is_flag=True, help="Take pictures too, with this machine's Chromium, Chrome or Edge.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Serve on this port.")
@click.pass_context
def preview(ctx: click.Context, slug: str, email: str | None, lists: tuple[str, ...], segments: tuple[str, ...],
            serves: bool | None, out: Path | None, png: bool, port: int) -> None:
    """See a letter as supporters will, on one page.

    Desktop and phone, light, dark and forced to invert, without images, as plain text and as source; in the inbox;
    read by supporters picked to differ (made-up ones, unless --as, --list or --segment names real ones); and beside it
    what `check` finds. The page reloads as files change; --out writes it to a folder instead. A service letter
    (confirm, welcome …) is shown in the same way.
    """
    from pillarbox.people.audience import Rule
    from pillarbox.seeing.sight import Sight, Whom

    if email and (lists or segments):
        raise click.UsageError("--as names one supporter; it does not go with --list or --segment.")
    if serves and (out or png):
        raise click.UsageError("--serve shows the page, --out and --png write it: ask for one of them.")
    rule = Rule(lists=lists, segments=segments) if lists or segments else None
    with opened(ctx) as project:
        sight = Sight(project=project, slug=slug, whom=Whom(email=email, rule=rule))
        if serves or (serves is None and not (out or png) and sys.stdin.isatty() and sys.stdout.isatty()):
            _serve(sight, port)
        else:
            if not _write(sight, out or _OUT, png=png):
                ctx.exit(1)


def _serve(sight: Sight, port: int) -> None:
    from pillarbox.seeing.server import serve

    def ready(address: str) -> None:
        printing.say("Open this in a browser; it reloads as the letter changes:")
        printing.to_copy(address)
        printing.say("[dim]Only this machine can reach it. Ctrl-C ends it.[/]")
        sys.stdout.flush()

    serve(sight, port=port, ready=ready)


def _write(sight: Sight, out: Path, *, png: bool) -> bool:
    """Write the page, and say where; whether any copy could be composed."""
    from pillarbox.seeing import files, pictures

    if png:
        pictures.browser()  # without one nothing is written
    written = files.write(sight, out)
    printing.say("The letter, on one page:")
    printing.to_copy(str(written.index))
    for page in written.faulty:
        printing.say(f"[bold red]The copy for {escape(page.who)} cannot be composed:[/]")
        printing.findings([page.fault])
    if written.faulty and not (sight.whom.email or sight.whom.rule):
        printing.say("Made-up supporters have names, a language and a country: --list NAME reads it with yours.")
    if not written.copies:
        return False
    first = written.copies[0][1].stem
    beside = [f"the letter of {len(written.copies)} supporters as HTML and text ({first}.html, {first}.txt …)"
              if len(written.copies) > 1 else f"the letter as HTML and text ({first}.html, {first}.txt)"]
    if png:
        total = len(pictures.shots_of(written.names))
        with printing.progress(total, "Taking pictures", quiet=False) as advance:
            taken = pictures.take(written.index, out, written.names, on_taken=advance)
        beside.append(f"{len(taken)} pictures ({taken[0].name} …)")
    printing.say(f"Beside it: {escape(', '.join(beside))}.")
    return True
