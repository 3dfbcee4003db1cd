"""List files: CSV in any common dress and XLSX, read into rows of text with the line that a person sees."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from pillarbox.ground.errors import ListError
from pillarbox.people import formats

# Bytes, of the file or of what a spreadsheet unpacks to: about two million supporters.
SIZE_LIMIT = 512 * 1024 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_HEADER_WITHIN = 25
# Rows of a sheet in which its headings are sought, and the score of headings with an email column among them.
_SHEET_HEAD = 100
_WITH_EMAIL = 100
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_SAVE_AS = "Open it in your spreadsheet program and save it as CSV (UTF-8) or as an .xlsx workbook without a password."


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A list file as rows of text under headings."""

    headings: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    """Every row below the headings, each as wide as the widest, empty ones as well."""
    lines: Sequence[int]
    """For each row the line (CSV) or row number (XLSX) where it begins, as an editor or Excel shows it."""
    about: Mapping[str, str]
    """What was found out: encoding and delimiter, or sheet."""
    notes: tuple[str, ...] = ()
    """What staff should know."""


def read(path: Path, mapping: Mapping[str, str]) -> Sheet:
    """Read a list file, finding out what it is from its content.

    Args:
        path: the file.
        mapping: columns that staff mapped: they help to find the headings.

    Raises:
        ListError: it is missing, empty, too large, protected, or nothing that holds a list.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise ListError("The file is larger than 512 MB.", where=path.name, todo="Split it and import the parts.")
        content = path.read_bytes()
    except OSError as fault:
        raise ListError(f"The file cannot be read: {fault.strerror or 'no answer'}.", where=path.name,
                        todo="See that the name is right and that you may open it.") from None
    if content.startswith(_OLE):
        raise ListError("This is a workbook with a password, or in Excel's format from before 2007.", where=path.name,
                        todo=_SAVE_AS)
    if content.startswith(b"PK"):
        return _workbook(content, path.name, mapping)
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls", ".ods"):
        raise ListError(f"The name ends in {path.suffix} but the file is no workbook.", where=path.name, todo=_SAVE_AS)
    return _text(content, path.name, mapping)


# ---------------------------------------------------------------------------------------------- text


def _text(content: bytes, name: str, mapping: Mapping[str, str]) -> Sheet:
    text, encoding, notes = _decoded(content, name)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if not text.strip():
        raise ListError("The file is empty.", where=name, todo="Export the list again.")
    if re.match(r"\s*<(!doctype|html|\?xml)", text, re.IGNORECASE):
        raise ListError("This is a web page or XML, not a list.", where=name, todo=_SAVE_AS)
    csv.field_size_limit(SIZE_LIMIT)
    skipped = 0
    if hint := re.match(r'"?sep=(.)"?\n', text, re.IGNORECASE):  # Excel's own hint in the first line
        text, skipped = text[hint.end():], 1
    delimiter = hint.group(1) if hint else _delimiter(text, mapping)
    rows = _parsed(text, delimiter, name)
    # A quoted line break stays in its cell, so a row takes one line and one more for each break within it.
    lines, line = [], skipped + 1
    for row in rows:
        lines.append(line)
        line += 1 + sum(cell.count("\n") for cell in row)
    shown = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}.get(delimiter, delimiter)
    return _below_headings(rows, lines, name, mapping, {"encoding": encoding, "delimiter": shown}, notes)


def _decoded(content: bytes, name: str) -> tuple[str, str, tuple[str, ...]]:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            try:
                return content.decode(encoding), encoding.removesuffix("-sig"), ()
            except UnicodeDecodeError as fault:
                raise ListError(f"The file begins as {encoding} but breaks off at byte {fault.start:,}.", where=name,
                                todo="Export it again.") from None
    if content.count(b"\0") > len(content) // 10:
        raise ListError("The file is no text, or text in an encoding that it does not name.", where=name, todo=_SAVE_AS)
    try:
        return content.decode("utf-8"), "utf-8", ()
    except UnicodeDecodeError:
        pass
    mended = content.decode("utf-8", "replace")
    broken = mended.count("\ufffd")
    if sum(not c.isascii() for c in mended) - broken > broken:
        return mended, "utf-8", (f"{broken:,} characters in the file are not valid UTF-8 and show as \ufffd.",)
    try:
        return content.decode("cp1252"), "windows-1252", ()
    except UnicodeDecodeError:
        raise ListError("The file is text in an encoding that Pillarbox cannot tell.", where=name,
                        todo=_SAVE_AS) from None


def _delimiter(text: str, mapping: Mapping[str, str]) -> str:
    """The delimiter under which the most headings are recognised; else the one with the most even rows."""
    head = "\n".join(text.split("\n", 200)[:200])

    def fits(delimiter: str) -> tuple[int, int]:
        rows = [row for row in csv.reader(io.StringIO(head), delimiter=delimiter) if any(cell.strip() for cell in row)]
        known = max((formats.recognised(row, mapping) for row in rows[:_HEADER_WITHIN]), default=0)
        widths = [len(row) for row in rows]
        return known, sum(width == max(widths, default=0) > 1 for width in widths)

    return max(_DELIMITERS, key=fits)


def _parsed(text: str, delimiter: str, name: str) -> list[tuple[str, ...]]:
    import pandas as pd

    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    width = max(map(len, reader))  # pandas wants to know the widest row beforehand
    try:
        frame = pd.read_csv(io.StringIO(text), sep=delimiter, header=None, names=range(width), dtype=str,
                            index_col=False, keep_default_na=False, na_filter=False, skip_blank_lines=False)
    except pd.errors.ParserError as fault:
        if row := re.search(r"inside string starting at row (\d+)", str(fault)):
            raise ListError(f"A quotation mark is opened in row {int(row.group(1)) + 1} and never closed.", where=name,
                            todo="Close or delete it, or export the list again.") from None
        near = re.search(r"line (\d+)", str(fault))
        raise ListError(f"The cells cannot be told apart near row {near.group(1) if near else '?'}.", where=name,
                        todo="See whether a quotation mark is out of place there, or export again.") from None
    return list(zip(*(frame[column].fillna("").tolist() for column in frame.columns), strict=True))


# ---------------------------------------------------------------------------------------------- workbooks


def _workbook(content: bytes, name: str, mapping: Mapping[str, str]) -> Sheet:
    import pandas as pd

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if "xl/workbook.xml" not in packed.namelist():
                raise ListError("This is a packed file but no Excel workbook.", where=name, todo=_SAVE_AS)
            if sum(part.file_size for part in packed.infolist()) > SIZE_LIMIT:
                raise ListError("The workbook unpacks to more than 512 MB.", where=name, todo="Save the list as CSV.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and drop-downs that do not matter here
            with pd.ExcelFile(io.BytesIO(content), engine="openpyxl") as workbook:
                return _first_sheet(workbook.book, name, mapping)
    except ListError:
        raise
    except Exception as fault:  # noqa: BLE001 - a damaged workbook raises whatever its damage leads to
        raise ListError(f"The workbook is damaged ({type(fault).__name__}).", where=name, todo=_SAVE_AS) from None


def _first_sheet(book: Any, name: str, mapping: Mapping[str, str]) -> Sheet:
    """The first visible sheet with an email column; else the first that holds anything."""
    seen, filled = [], None
    for tab in book.worksheets:
        if tab.sheet_state != "visible":
            continue
        tab.reset_dimensions()  # some programs write wrong ones
        rows = [tuple(map(_shown, row)) for row in tab.iter_rows(values_only=True)]
        seen.append(tab.title)
        if not any(any(row) for row in rows):
            continue
        if any(formats.recognised(row, mapping) >= _WITH_EMAIL for row in rows[:_SHEET_HEAD]):
            filled = tab.title, rows
            break
        filled = filled or (tab.title, rows)
    if filled is None:
        raise ListError(f"No sheet of the workbook holds anything (looked at {', '.join(seen) or 'none'}).",
                        where=name, todo="Put the list on the first sheet.")
    title, rows = filled
    width = max(map(len, rows))
    padded = [row + ("",) * (width - len(row)) for row in rows]
    notes = () if len(book.worksheets) == 1 else (
        f"The workbook has {len(book.worksheets)} sheets; only {title!r} was read.",)
    return _below_headings(padded, range(1, len(padded) + 1), name, mapping, {"sheet": title}, notes)


def _shown(value: object) -> str:
    """A cell as the spreadsheet shows it, as near as can be."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time.min:
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
        case _:
            return str(value)


# ---------------------------------------------------------------------------------------------- both


def _below_headings(
    rows: Sequence[Sequence[str]], lines: Sequence[int], name: str, mapping: Mapping[str, str],
    about: Mapping[str, str], notes: tuple[str, ...],
) -> Sheet:
    filled = [place for place, row in enumerate(_first(rows, 1000)) if any(cell.strip() for cell in row)]
    if not filled:
        raise ListError("The file holds no rows.", where=name, todo="Export the list again.")
    scores = [(formats.recognised(rows[place], mapping), -place) for place in filled[:_HEADER_WITHIN]]
    best, at = max(scores)
    place = -at if best else filled[0]
    if best < _WITH_EMAIL and any("@" in cell for cell in rows[filled[0]]):
        raise ListError(f"The list has no headings: line {lines[filled[0]]} already holds an address.", where=name,
                        todo="Put a first row above it that names the columns (Email, First name, …).")
    headings = [cell.strip() for cell in rows[place]]
    below = rows[place + 1:]
    while headings and not headings[-1] and _mostly_empty(below, len(headings) - 1):
        headings.pop()  # a column that stray delimiters made, not one that lost its heading
    if place != filled[0]:
        notes += (f"The headings were found in line {lines[place]}; what stands above them was left out.",)
    return Sheet(headings=tuple(headings), rows=below, lines=lines[place + 1:], about=about, notes=notes)


def _first(rows: Iterable[Sequence[str]], count: int) -> Iterator[Sequence[str]]:
    for number, row in enumerate(rows):
        if number == count:
            return
        yield row


def _mostly_empty(rows: Sequence[Sequence[str]], column: int) -> bool:
    return 2 * sum(bool(row[column].strip()) for row in rows) <= len(rows)
