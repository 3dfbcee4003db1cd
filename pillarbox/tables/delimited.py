"""Text files: encoding and delimiter found out, cells told apart, and the line where each row begins."""

from __future__ import annotations

import csv
import io
import re

from pillarbox.ground.errors import TableError
from pillarbox.tables.table import HEADINGS_WITHIN, SAVE_AS, SIZE_LIMIT, Known, Table, below_headings

_DELIMITERS = (",", ";", "\t", "|")


def table(content: bytes, name: str, known: Known) -> Table:
    """The rows of a text file.

    Raises:
        TableError: it is empty, no text, no table, or its cells cannot be told apart.
    """
    text, encoding, notes = _decoded(content, name)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if re.match(r"\s*<(!doctype|html|\?xml)", text, re.IGNORECASE):
        raise TableError("This is a web page or XML, not a table.", where=name, todo=SAVE_AS)
    csv.field_size_limit(SIZE_LIMIT)
    skipped = 0
    if hint := re.match(r'"?sep=([,;|:^~\t])"?\n', text, re.IGNORECASE):  # Excel's own hint in the first line
        text, skipped = text[hint.end():], 1
    if not text.strip():
        raise TableError("The file is empty.", where=name, todo="Export it again.")
    delimiter = hint.group(1) if hint else _delimiter(text, known)
    rows = _parsed(text, delimiter, name)
    # A quoted line break stays in its cell, so a row takes one line and one more for each break within it.
    lines, line = [], skipped + 1
    for row in rows:
        lines.append(line)
        line += 1 + sum(cell.count("\n") for cell in row)
    shown = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}.get(delimiter, delimiter)
    return below_headings(rows, lines, name, known, {"encoding": encoding, "delimiter": shown}, notes)


def _decoded(content: bytes, name: str) -> tuple[str, str, tuple[str, ...]]:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            try:
                return content.decode(encoding), encoding.removesuffix("-sig"), ()
            except UnicodeDecodeError as fault:
                raise TableError(f"The file begins as {encoding} but breaks off at byte {fault.start:,}.", where=name,
                                 todo="Export it again.") from None
    if content.count(b"\0") > len(content) // 10:
        raise TableError("The file is no text, or text in an encoding that it does not name.", where=name, todo=SAVE_AS)
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
        raise TableError("The file is text in an encoding that Pillarbox cannot tell.", where=name,
                         todo=SAVE_AS) from None


def _delimiter(text: str, known: Known) -> str:
    """The delimiter under which the most headings are recognised; else the one with the most even rows."""
    head = "\n".join(text.split("\n", 200)[:200])

    def fits(delimiter: str) -> tuple[tuple[bool, int], int]:
        rows = [row for row in csv.reader(io.StringIO(head), delimiter=delimiter) if any(cell.strip() for cell in row)]
        found = max(map(known, rows[:HEADINGS_WITHIN]), default=(False, 0))
        widths = [len(row) for row in rows]
        return found, sum(width == max(widths, default=0) > 1 for width in widths)

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
            raise TableError(f"A quotation mark is opened in row {int(row.group(1)) + 1} and never closed.", where=name,
                             todo="Close or delete it, or export it again.") from None
        near = re.search(r"line (\d+)", str(fault))
        raise TableError(f"The cells cannot be told apart near row {near.group(1) if near else '?'}.", where=name,
                         todo="See whether a quotation mark is out of place there, or export again.") from None
    return list(zip(*(frame[column].fillna("").tolist() for column in frame.columns), strict=True))
