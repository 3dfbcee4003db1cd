"""Tables to take away: as CSV for any program, as XLSX for a spreadsheet; no cell is ever run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from pillarbox.reports import workbook
from pillarbox.reports.report import Report
from pillarbox.reports.workbook import Sheet

MOST_IN_A_WORKBOOK = 100_000
"""Messages: a workbook is made whole, at some 10,000 rows a second, before its first byte leaves."""
_LINES_AT_ONCE = 2_000


class Table(StrEnum):
    """What can be taken away."""

    FIGURES = "figures"
    VARIANTS = "variants"
    OVER_TIME = "over-time"
    LINKS = "links"
    DONATIONS = "donations"
    MESSAGES = "messages"


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A table that can be taken away, in staff's words."""

    label: str
    says: str
    of_people: bool
    """Whether it may be taken with names and addresses."""


OFFERS = {
    Table.FIGURES: Offer(label="Figures", says="every number of this page, rates with their ranges", of_people=False),
    Table.VARIANTS: Offer(label="Variants", says="each variant of the letter, and what it did", of_people=False),
    Table.OVER_TIME: Offer(label="Over time", says="by the hour, day or week", of_people=False),
    Table.LINKS: Offer(label="Links", says="who followed which: people, and scanners", of_people=False),
    Table.DONATIONS: Offer(label="Donations", says="each gift with its evidence", of_people=True),
    Table.MESSAGES: Offer(label="Messages", says="each letter, and what became of it", of_people=True),
}


def sheet(connection: Connection, report: Callable[[], Report], mailing_id: int, zone: str, table: Table, *,
          named: bool) -> Sheet:
    """One table. Its rows are read from the connection while they are written.

    Args:
        report: gathers the report, where the table needs one.
        named: with names and addresses, where the table has them.
    """
    match table:
        case Table.FIGURES:
            return workbook.summary(report())
        case Table.VARIANTS:
            return workbook.of_variants(report().variants)
        case Table.OVER_TIME:
            return workbook.over_time(report())
        case Table.LINKS:
            return workbook.links(report())
        case Table.DONATIONS:
            return workbook.gifts(connection, mailing_id, zone, with_addresses=named)
        case Table.MESSAGES:
            return workbook.letters(connection, mailing_id, zone, with_addresses=named)


def xlsx(sheet: Sheet) -> bytes:
    """The table as a workbook of one sheet."""
    target = io.BytesIO()
    workbook.write((sheet,), target)
    return target.getvalue()


def csv_parts(sheet: Sheet) -> Iterator[bytes]:
    """The table as CSV (RFC 4180, UTF-8 with the mark by which Excel knows it), a part at a time."""
    text = io.StringIO()
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow(sheet.head)
    for number, row in enumerate(sheet.rows, start=1):
        writer.writerow([_plain(value) for value in row])
        if number % _LINES_AT_ONCE == 0:
            yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    part = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return part


def _plain(value: Any) -> str | int | float:
    """A cell: words that no program runs as a formula; pounds, shares and times as numbers and dates are written."""
    if isinstance(value, workbook.Pounds):
        return f"{value / 100:.2f}"
    if isinstance(value, workbook.Share):
        return f"{float(value):.6f}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, str):
        return workbook.safe(value)
    return "" if value is None else value
