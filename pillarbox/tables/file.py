"""A file of rows, in whatever dress people have it, told by its content."""

from __future__ import annotations

from pathlib import Path

from pillarbox.ground.errors import TableError
from pillarbox.tables import delimited, workbook
from pillarbox.tables.table import SAVE_AS, SIZE_LIMIT, Known, Table

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def read(path: Path, known: Known) -> Table:
    """Read a CSV file or workbook, finding out what it is from its content.

    Args:
        path: the file.
        known: what the columns are known by: it helps to tell the delimiter and find the headings.

    Raises:
        TableError: it is missing, empty, too large, protected, or nothing that holds a table.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise TableError("The file is larger than 512 MB.", where=path.name, todo="Split it and import the parts.")
        content = path.read_bytes()
    except OSError as fault:
        raise TableError(f"The file cannot be read: {fault.strerror or 'no answer'}.", where=path.name,
                         todo="See that the name is right and that you may open it.") from None
    if content.startswith(_OLE):
        raise TableError("This is a workbook with a password, or in Excel's format from before 2007.", where=path.name,
                         todo=SAVE_AS)
    if content.startswith(b"PK"):
        return workbook.table(content, path.name, known)
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls", ".ods"):
        raise TableError(f"The name ends in {path.suffix} but the file is no workbook.", where=path.name, todo=SAVE_AS)
    return delimited.table(content, path.name, known)
