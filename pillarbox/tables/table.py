"""What every file of rows comes to: rows of text below the headings that were found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from pillarbox.ground.errors import TableError

# Bytes, of the file or of what a workbook unpacks to: about two million supporters.
SIZE_LIMIT = 512 * 1024 * 1024
SAVE_AS = "Open it in your spreadsheet program and save it as CSV (UTF-8) or as an .xlsx workbook without a password."
HEADINGS_WITHIN = 25

Known = Callable[[Sequence[str]], tuple[bool, int]]
"""What a room makes of a row that may be the headings: whether the columns it cannot do without are among them, and how
many it knows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A file as rows of text under headings."""

    headings: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    """Every row below the headings, each as wide as the widest, empty ones as well."""
    lines: Sequence[int]
    """For each row the line (CSV) or row number (XLSX) where it begins, as an editor or Excel shows it."""
    about: Mapping[str, str]
    """What was found out: encoding and delimiter, or sheet."""
    notes: tuple[str, ...] = ()
    """What staff should know."""


def key(heading: str) -> str:
    """A heading reduced to what is compared: its letters and digits, of any script, letter case aside."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", heading).casefold())


def below_headings(
    rows: Sequence[Sequence[str]], lines: Sequence[int], name: str, known: Known, about: Mapping[str, str],
    notes: tuple[str, ...],
) -> Table:
    """The table whose headings are the row that ``known`` makes most of.

    Raises:
        TableError: nothing is filled, or addresses stand where the headings should.
    """
    filled = [place for place, row in enumerate(islice(rows, 1000)) if any(cell.strip() for cell in row)]
    if not filled:
        raise TableError("The file holds no rows.", where=name, todo="Export it again.")
    (complete, count), at = max((known(rows[place]), -place) for place in filled[:HEADINGS_WITHIN])
    place = -at if complete or count else filled[0]
    if not complete and any("@" in cell for cell in rows[filled[0]]):
        raise TableError(f"The file has no headings: line {lines[filled[0]]} already holds an address.", where=name,
                         todo="Put a first row above it that names the columns (Email, First name, …).")
    headings = [cell.strip() for cell in rows[place]]
    below = rows[place + 1:]
    while headings and not headings[-1] and _mostly_empty(below, len(headings) - 1):
        headings.pop()  # a column that stray delimiters made, not one that lost its heading
    if place != filled[0]:
        notes += (f"The headings were found in line {lines[place]}; what stands above them was left out.",)
    return Table(headings=tuple(headings), rows=below, lines=lines[place + 1:], about=about, notes=notes)


def _mostly_empty(rows: Sequence[Sequence[str]], column: int) -> bool:
    return 2 * sum(bool(row[column].strip()) for row in rows) <= len(rows)
