"""rehearse: the whole mailing, to a SendGrid of this machine's own."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

import click
import orjson
from rich.markup import escape

from pillarbox.cli import printing
from pillarbox.cli.audience import audience_options, date_option
from pillarbox.cli.opening import opened
from pillarbox.ground.errors import PillarboxError
from pillarbox.people.audience import Rule
from pillarbox.rehearsal import letters as pages
from pillarbox.rehearsal import rehearse as rehearsing
from pillarbox.rehearsal.rehearse import Rehearsal
from pillarbox.reports import words


@click.command()
@click.argument("slug")
@audience_options
@date_option
@click.option("--again", metavar="LABEL", help="Another edition of an appeal that was sent.")
@click.option("--letters", "most", type=click.IntRange(0, 500), default=rehearsing.LETTERS, show_default=True,
              metavar="N", help="So many random letters to look at.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False),
              help="Folder for them; var/rehearsals/SLUG when not said.")
@click.option("--left-out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write who is left out, and why, to this file (.csv or .json; - puts it into --json).")
@click.option("--no-crash", is_flag=True, help="Do not kill the sender in the middle.")
@printing.json_option
@click.pass_context
def rehearse(ctx: click.Context, slug: str, lists: tuple[str, ...], segments: tuple[str, ...],
             exclude: tuple[str, ...], for_date: datetime | None, again: str | None, most: int, out: Path | None,
             left_out: Path | None, no_crash: bool, as_json: bool) -> None:
    """Send a whole mailing to a SendGrid of this machine's own.

    Every message is composed and every request is made, to the byte; nobody is mailed, and nothing of it stands in the
    ledger. In the middle the process that sends is killed, to see what that does. Then it says how many messages,
    requests and bytes it was, how long it took, and who is left out and why; some random letters are kept to look at.
    """
    wish = rehearsing.Wish(
        appeal=slug, rule=Rule(lists=lists, segments=segments, exclude=exclude), again=again, letters=most,
        for_date=for_date.date() if for_date else None, crash=not no_crash, named=left_out is not None)
    in_json = left_out is not None and str(left_out) == "-"
    with opened(ctx) as project, _terminated():
        pages.refuse_taken(out or project.folder / pages.FOLDER / slug)
        if left_out is not None and not in_json:
            _open(left_out).close()  # a rehearsal takes minutes: that it cannot be written is said before
        done = rehearsing.rehearse(project, wish, lambda name, total: printing.progress(total, name, quiet=as_json))
        page = None
        if done.letters:
            page = pages.write(out or project.folder / pages.FOLDER / slug, done.letters, title=done.mailing.title,
                               words=f"{len(done.letters)} of {done.accepted:,} letters, drawn at random, from a "
                                     "rehearsal.", images=done.images)
    if left_out is not None and not in_json:
        _write(left_out, done)
    if as_json:
        data = done.to_json() | {"letters": str(page) if page else None}
        if not in_json:
            data.pop("left_out", None)
        printing.as_json(data)
    else:
        _show(done, page)
    if not done.sound:
        raise PillarboxError(f"The rehearsal of {slug} was not sound: {done.lost:,} letters lost, {done.twice:,} "
                             f"twice, {done.failed:,} refused.", todo="Do not send it; please report this.")


@contextmanager
def _terminated() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does: with everything cleared away."""
    def told(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _open(path: Path) -> TextIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="")


def _write(path: Path, done: Rehearsal) -> None:
    """Who is left out, and why; for this user's eyes only."""
    with _open(path) as file:
        if path.suffix == ".json":
            rows = [{"address": address, "reason": reason} for address, reason in done.left_out]
            file.write(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode() + "\n")
            return
        out = csv.writer(file)
        out.writerow(("address", "reason"))
        out.writerows(done.left_out)


def _show(done: Rehearsal, page: Path | None) -> None:
    mailing = done.mailing
    printing.say(f"[bold]{escape(mailing.title)}[/]")
    printing.say("[black on cyan] REHEARSAL [/] nobody was mailed, and nothing of it is in the ledger\n")
    rows = [("on the lists", mailing.audience_size)]
    rows += [(f"  left out: {escape(words.left_out(reason))}", count)
             for reason, count in sorted(mailing.excluded.items(), key=lambda item: -item[1])]
    rows += [("[bold]letters composed and sent[/]", done.accepted), ("versions of the letter", mailing.shapes)]
    for name, count in (("left out since planning", done.withdrawn), ("refused", done.failed),
                        ("composed one by one", mailing.slow_path)):
        if count:
            rows.append((name, count))
    rows += [("requests", done.requests), ("bytes in them", done.bytes)]
    printing.counts(rows)
    seconds = done.seconds
    printing.say(f"\nCopying took {seconds['copying']:.1f} s, composing {seconds['composing']:.1f} s, sending "
                 f"{seconds['sending']:.1f} s ({done.accepted / max(seconds['sending'], 0.001):,.0f} letters a second; "
                 "real SendGrid and your limits are slower).")
    _show_crash(done)
    if done.slow_reasons:
        printing.say("\nWhy one by one, which is slower:")
        printing.items(done.slow_reasons)
    if done.warnings:
        printing.say("\nBefore it can be live:")
        printing.items(done.warnings)
    if page:
        printing.say(f"\n{len(done.letters)} letters, drawn at random (delete them when you have looked):")
        printing.to_copy(str(page))


def _show_crash(done: Rehearsal) -> None:
    crash = done.crash
    if crash is None:
        return
    printing.say(f"\nThe process that sent was killed after {crash.after:,} letters. Another one went on:")
    told = [f"{crash.in_doubt:,} letters were “not sure it went”; none of them was sent again on a guess.",
            f"{crash.arrived:,} of those had gone, and {crash.recognised:,} were recognised by their events."]
    if crash.sent_again:
        told.append(f"{crash.sent_again:,} had not gone. `pillarbox reconcile` let them go, by a decision that is "
                    "written down.")
    printing.items(told)
    printing.say(f"[bold]Twice: {done.twice:,}. Lost: {done.lost:,}.[/]")
