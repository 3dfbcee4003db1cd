"""Excel workbooks: the first visible sheet that holds anything, each cell as the spreadsheet shows it."""

from __future__ import annotations

import io
import warnings
import zipfile
from datetime import date, datetime, time
from typing import Any

from pillarbox.ground.errors import TableError
from pillarbox.tables.table import SAVE_AS, SIZE_LIMIT, Known, Table, below_headings

# Rows of a sheet in which its headings are sought: a cover sheet has none.
_SHEET_HEAD = 100


def table(content: bytes, name: str, known: Known) -> Table:
    """The rows of a workbook.

    Raises:
        TableError: it is no workbook, damaged, empty, or unpacks to too much.
    """
    import pandas as pd

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if "xl/workbook.xml" not in packed.namelist():
                raise TableError("This is a packed file but no Excel workbook.", where=name, todo=SAVE_AS)
            if sum(part.file_size for part in packed.infolist()) > SIZE_LIMIT:
                raise TableError("The workbook unpacks to more than 512 MB.", where=name, todo="Save it as CSV.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and drop-downs that do not matter here
            with pd.ExcelFile(io.BytesIO(content), engine="openpyxl") as workbook:
                return _first_sheet(workbook.book, name, known)
    except TableError:
        raise
    except Exception as fault:  # noqa: BLE001 - a damaged workbook raises whatever its damage leads to
        raise TableError(f"The workbook is damaged ({type(fault).__name__}).", where=name, todo=SAVE_AS) from None


def _first_sheet(book: Any, name: str, known: Known) -> Table:
    """The first visible sheet with the columns that cannot be done without; else the first that holds anything."""
    seen, chosen = [], None
    for tab in book.worksheets:
        if tab.sheet_state != "visible":
            continue
        tab.reset_dimensions()  # some programs write wrong ones
        rows = [tuple(map(_shown, row)) for row in tab.iter_rows(values_only=True)]
        seen.append(tab.title)
        if not any(any(row) for row in rows):
            continue
        if any(known(row)[0] for row in rows[:_SHEET_HEAD]):
            chosen = tab.title, rows
            break
        chosen = chosen or (tab.title, rows)
    if chosen is None:
        raise TableError(f"No sheet of the workbook holds anything (looked at {', '.join(seen) or 'none'}).",
                         where=name, todo="Put the table on the first sheet.")
    title, rows = chosen
    width = max(map(len, rows))
    padded = [row + ("",) * (width - len(row)) for row in rows]
    notes = () if len(book.worksheets) == 1 else (
        f"The workbook has {len(book.worksheets)} sheets; only {title!r} was read.",)
    return below_headings(padded, range(1, len(padded) + 1), name, known, {"sheet": title}, notes)


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
