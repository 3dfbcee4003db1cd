"""A donation file as rows of text: CSV in any common encoding, or the first sheet of a workbook."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from pillarbox.ground.errors import Refused

SIZE_LIMIT = 64 * 1024 * 1024
"""Bytes; an export of some hundred thousand donations."""
_SAVE_AS = "Save it as CSV (UTF-8) or as an .xlsx workbook and import that."


def read_rows(path: Path) -> tuple[tuple[str, ...], list[tuple[int, tuple[str, ...]]]]:
    """The headings, and each filled row with the line (CSV) or row number (XLSX) where it begins.

    Raises:
        Refused: missing, empty, too large, or no table.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise Refused(f"The file is larger than {SIZE_LIMIT // 1024 // 1024} MB.", where=path.name,
                          todo="Split it and import the parts.")
        content = path.read_bytes()
    except OSError as fault:
        raise Refused(f"The file cannot be read: {fault.strerror or 'no answer'}.", where=path.name,
                      todo="See that the name is right and that you may open it.") from None
    rows = list(_workbook(content, path.name) if content.startswith(b"PK") else _text(content, path.name))
    filled = [(line, cells) for line, cells in rows if any(cells)]
    if not filled:
        raise Refused("The file is empty.", where=path.name, todo="Export the donations again.")
    return filled[0][1], filled[1:]


def _text(content: bytes, name: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    import pandas as pd

    text = _decoded(content, name).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        return
    head = text.split("\n", 25)[:25]
    delimiter = max(",;\t|", key=lambda mark: max(line.count(mark) for line in head))
    width = max(map(len, csv.reader(io.StringIO(text), delimiter=delimiter)))
    try:
        frame = pd.read_csv(io.StringIO(text), sep=delimiter, header=None, names=range(width), dtype=str,
                            index_col=False, keep_default_na=False, na_filter=False, skip_blank_lines=False)
    except pd.errors.ParserError:
        raise Refused("A quotation mark is opened and never closed.", where=name,
                      todo="Close or delete it, or export the donations again.") from None
    line = 1
    for row in frame.fillna("").itertuples(index=False, name=None):
        yield line, tuple(str(cell).strip() for cell in row)
        # A quoted line break stays in its cell: the next row begins so many lines further down.
        line += 1 + sum(str(cell).count("\n") for cell in row)


def _decoded(content: bytes, name: str) -> str:
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused("The file is no text and no .xlsx workbook.", where=name, todo=_SAVE_AS)
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused("The file is in an encoding that Pillarbox cannot tell.", where=name, todo=_SAVE_AS)


def _workbook(content: bytes, name: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and drop-downs that do not matter here
            frame = pd.read_excel(io.BytesIO(content), header=None, dtype=object, keep_default_na=False,
                                  na_filter=False, engine="openpyxl")
    except Exception as fault:  # noqa: BLE001 - a damaged workbook raises whatever its damage leads to
        raise Refused(f"The workbook cannot be read ({type(fault).__name__}).", where=name, todo=_SAVE_AS) from None
    for line, row in enumerate(frame.itertuples(index=False, name=None), start=1):
        yield line, tuple(_shown(cell) for cell in row)


def _shown(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() if cell.time() == time.min:
            return cell.date().isoformat()
        case datetime():
            return cell.isoformat(" ")
        case date():
            return cell.isoformat()
    return str(cell).strip()
