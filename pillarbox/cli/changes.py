"""What differs between two versions of a letter, on a terminal: a heading a thing, what was and what is below it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pillarbox.cli import printing
from pillarbox.mailings.changes import Change, Line

_MOST = 40
"""Lines shown of one change; --json has all."""
_STYLE = {"-": "red", "+": "green"}


def show(found: Iterable[Change], *, error: bool = False) -> None:
    """Print changes; what was has a minus, what is a plus, and on a terminal the words that differ stand out."""
    out = printing.console_of(error=error)
    for change in found:
        out.print(Text(change.what, style="bold"), soft_wrap=not out.is_terminal)
        for line in change.lines[:_MOST]:
            _show_line(out, line)
        if hidden := max(0, len(change.lines) - _MOST) + change.more:
            out.print(f"    … and {hidden:,} lines more", style="dim")


def _show_line(out: Console, line: Line) -> None:
    number = f"{line.number:>4}" if line.number else ""
    if not out.is_terminal:
        out.print(f"  {line.sign}{number} {line.text}", markup=False, soft_wrap=True)
        return
    words = Text()
    for part in line.parts:
        words.append(part.text, style=f"bold {_STYLE[line.sign]}" if part.changed else _STYLE[line.sign])
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(f"{line.sign}{number}", style=_STYLE[line.sign]), words)
    out.print(Padding(grid, (0, 0, 0, 2)))
