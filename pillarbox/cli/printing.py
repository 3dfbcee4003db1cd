"""How the terminal speaks: one console, JSON as promised, progress as a bar or as plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pillarbox.model.records import Finding, Level

console = Console(highlight=False)
_errors = Console(stderr=True, highlight=False)
_STYLE = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.ADVICE: "cyan"}
_PLAIN_SECONDS = 5.0

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""For every command whose answer a script may want; the command then prints with ``as_json``."""


def as_json(data: object) -> None:
    """Print data as one JSON document."""
    click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def say(text: str) -> None:
    """Print a line; Rich's markup applies, so texts from outside go through ``rich.markup.escape``."""
    console.print(text)


def pairs(rows: Iterable[tuple[str, str]]) -> None:
    """Print a few words and what is said of them, indented; long sentences stay in a column of their own."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for head, words in rows:
        table.add_row(Text(f"  {head}"), Text(words))
    if table.row_count:
        console.print(table)


def findings(found: Iterable[object], *, error: bool = False) -> None:
    """Print findings, a line each: place, level, what and what to do."""
    out = _errors if error else console
    for finding in found:
        if not isinstance(finding, Finding):
            continue
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        out.print(f"[{_STYLE[finding.level]}]{finding.level.value}[/] ", end="")
        out.print(f"{place}: {finding.message} ({finding.code})", markup=False, soft_wrap=True)


def practice_banner() -> None:
    """Say that nobody is mailed."""
    console.print("[bold black on yellow] PRACTICE [/] nobody was mailed, and nobody will be", highlight=False)


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
