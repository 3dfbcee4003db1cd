"""How the terminal speaks: one console, JSON as promised, progress as a bar or as plain lines."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby

import click
import orjson
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pillarbox.model.records import Finding, Level

console = Console(highlight=False)
_errors = Console(stderr=True, highlight=False)
_STYLE = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.ADVICE: "cyan"}
_PLAIN_SECONDS = 5.0
_LINE = "\r\x1b[2K"

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""For every command whose answer a script may want; the command then prints with ``as_json``."""


def console_of(*, error: bool) -> Console:
    """The console of stdout, or of stderr."""
    return _errors if error else console


def as_json(data: object) -> None:
    """Print data as one JSON document."""
    click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def json_line(data: object) -> None:
    """Print data as one line of JSON, at once: for what goes on and on."""
    click.echo(orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS).decode())
    sys.stdout.flush()


def say(text: str = "") -> None:
    """Print a line; Rich's markup applies, so texts from outside go through ``rich.markup.escape``.

    It wraps between words on a terminal, and stays one line in a file or a pipe.
    """
    console.print(text, soft_wrap=not console.is_terminal)


def to_copy(text: str) -> None:
    """Print a command or a path as it stands, for copying: no markup, and no line ends of our own."""
    console.print(f"  {text}", markup=False, soft_wrap=True)


def items(texts: Iterable[str], *, mark: str = "•", style: str = "yellow", error: bool = False) -> None:
    """Print sentences below each other, each with a mark; what wraps lines up with its first word."""
    out = _errors if error else console
    for text in texts:
        if out.is_terminal:
            line = Table.grid(padding=(0, 1))
            line.add_column(no_wrap=True)
            line.add_column(overflow="fold")
            line.add_row(Text(f"  {mark}", style=style), Text(text))
            out.print(line)
        else:
            out.print(f"  {mark} {text}", markup=False, soft_wrap=True)


def below(text: str, *, indent: int = 3) -> None:
    """Print dim words below a heading; what wraps lines up with its first word."""
    if console.is_terminal:
        console.print(Padding(Text(text, style="dim"), (0, 0, 0, indent)))
    else:
        console.print(" " * indent + text, markup=False, soft_wrap=True)


def counts(rows: Iterable[tuple[str, int]]) -> None:
    """Print what was counted, the numbers in one column; words may hold markup."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(justify="right", no_wrap=True)
    for words, number in rows:
        grid.add_row(f"  {words}", f"{number:,}")
    console.print(grid)


def facts(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and what is said of each below each other; texts from outside may stand there."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for name, words in rows:
        if console.is_terminal:
            grid.add_row(f"  {name}", Text(words))
        else:
            console.print(f"  {name}: {words}", markup=False, soft_wrap=True)
    if console.is_terminal:
        console.print(grid)


def table(*titles: str) -> Table:
    """A table without lines; a title that ends in ``>`` heads a column of numbers."""
    made = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for title in titles:
        number = title.endswith(">")
        made.add_column(title.removesuffix(">"), justify="right" if number else "left", no_wrap=number)
    return made


def variants(rows: Iterable[tuple[str, int, str]]) -> None:
    """Print who gets what: a line for each variant of a letter, its label, how many, and what it says."""
    say("\nVariants, given out by lot:")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, number, words in rows:
        grid.add_row(f"  {label}", f"{number:,}", Text(words))
    console.print(grid)


def refused(sentence: str) -> None:
    """Print on stderr why a command was refused, broken between words on a terminal."""
    _errors.print(f"pillarbox: {sentence}", markup=False, soft_wrap=not _errors.is_terminal)


def findings(found: Iterable[object], *, error: bool = False) -> None:
    """Print findings: on a terminal a file's together, below its name; elsewhere a line each, with its place."""
    out = _errors if error else console
    told = [finding for finding in found if isinstance(finding, Finding)]
    if not out.is_terminal:
        for finding in told:
            place = f"{finding.file}:{finding.line}" if finding.line else finding.file
            out.print(f"{finding.level.value} {place}: {finding.message} ({finding.code})", markup=False,
                      soft_wrap=True)
        return
    for file, those in groupby(told, key=lambda finding: finding.file):
        out.print(f"\n[bold]{escape(file)}[/]")
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(justify="right", no_wrap=True, min_width=4)
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for finding in those:
            words = Text(finding.message)
            words.append(f" {finding.code}", style="dim")
            grid.add_row(Text(str(finding.line or ""), style="dim"),
                         Text(finding.level.value, style=_STYLE[finding.level]), words)
        out.print(grid)


def tally(found: Iterable[Finding], *, silenced: int = 0) -> str:
    """How many findings of each level there are: "1 error, 3 warnings"; empty when there are none."""
    levels = Counter(finding.level for finding in found)
    told = [f"{count:,} {words if count == 1 else words + 's'}" for level, words in (
        (Level.ERROR, "error"), (Level.WARNING, "warning")) if (count := levels[level])]
    if count := levels[Level.ADVICE]:
        told.append(f"{count:,} {'piece' if count == 1 else 'pieces'} of advice")
    if silenced:
        told.append(f"{silenced:,} not told, as appeal.toml asks ([check] ignore)")
    return escape(", ".join(told) + ".") if told else ""


def practice_banner() -> None:
    """Say that nobody is mailed."""
    console.print("[bold black on yellow] PRACTICE [/] nobody was mailed, and nobody will be\n", highlight=False)


def note(sentence: str) -> None:
    """Say on stderr what goes on, while long work shows its progress there."""
    _errors.print(sentence, markup=False, soft_wrap=not _errors.is_terminal)


def note_at_once(sentence: str) -> None:
    """The same from within a signal's handler, where no buffer and no lock may be touched."""
    os.write(sys.stderr.fileno(), f"{_LINE if _errors.is_terminal else ''}{sentence}\n".encode())


def count_down(seconds: float, words: str, stopped: threading.Event) -> None:
    """Let time pass; say on stderr how long it takes, and on a terminal count down below that.

    The line that counts is short: one that wraps could not be drawn over, and would fill the screen.

    Args:
        seconds: how long.
        words: a sentence with ``{seconds}`` in it.
        stopped: when it is set, the time is over.
    """
    until = time.monotonic() + seconds
    note(words.format(seconds=math.ceil(seconds)))
    while (left := until - time.monotonic()) > 0 and not stopped.is_set():
        if _errors.is_terminal:
            click.echo(f"{_LINE}  {math.ceil(left)} s", nl=False, err=True)
        stopped.wait(min(left, 1.0))
    if _errors.is_terminal:
        click.echo(_LINE, nl=False, err=True)


@contextmanager
def progress(total: int | None, words: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show how far long work has come: a bar on a terminal, a line every few seconds elsewhere.

    Yields:
        a function to call with the number of items just done; safe from any thread.
    """
    if quiet:
        yield lambda _done: None
    elif _errors.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=_errors, transient=True) as bar:
            task = bar.add_task(words, total=total)
            yield lambda done: bar.advance(task, done)
    else:
        yield _plain(total, words)


def _plain(total: int | None, words: str) -> Callable[[int], None]:
    done, told = 0, time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, told
        done += count
        if time.monotonic() - told >= _PLAIN_SECONDS:
            told = time.monotonic()
            print(f"{words}: {done:,}" + (f" of {total:,}" if total else ""), file=sys.stderr, flush=True)

    return advance
