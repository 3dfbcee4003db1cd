"""The report as a workbook."""

from __future__ import annotations

from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook

from pillarbox.reports.report import gather
from pillarbox.reports.workbook import safe, workbook
from pillarbox.store.connect import Store
from tests.reports.builders import Builder
from tests.reports.samples import sample_mailing


def opened(store: Store, mailing: int, **more: bool) -> Workbook:
    """The workbook of a mailing, read back."""
    with store.reading() as connection:
        return load_workbook(BytesIO(workbook(gather(connection, mailing), connection, mailing, **more)))


def cells(book: Workbook) -> list[object]:
    """Every value of every sheet."""
    return [value for sheet in book.worksheets for row in sheet.iter_rows(values_only=True) for value in row]


def test_the_sheets_hold_the_figures(store: Store) -> None:
    """Six sheets; money as pounds, rates as per cent, one row a message and a gift."""
    with store.writing() as connection:
        mailing = sample_mailing(connection, 300)
        report = gather(connection, mailing)
    book = opened(store, mailing)
    assert book.sheetnames == ["Summary", "Over time", "Links", "Donations", "Messages", "Definitions"]
    summary = {row[0]: row for row in book["Summary"].iter_rows(values_only=True)}
    assert summary["Raised"][1] == report.figures.donations.amount_pence / 100
    assert summary["Opened by people"][1] == report.figures.opened_human
    rate = report.figures.rates["opened"]
    assert rate is not None
    assert summary["Opened by people, rate"][1:3] == (rate.value, rate.of)
    assert book["Messages"].max_row == 1 + report.figures.planned
    assert book["Donations"].max_row == 1 + report.figures.donations.count


def test_nobody_is_named_unless_asked(store: Store) -> None:
    """Addresses and names stand in the sheets only when staff ask for them."""
    with store.writing() as connection:
        mailing = sample_mailing(connection, 100)
    assert not [value for value in cells(opened(store, mailing)) if "@" in str(value)]
    named = cells(opened(store, mailing, with_addresses=True))
    assert sum("@example.org" in str(value) for value in named) == 100


def test_unknown_is_not_no(store: Store) -> None:
    """For supporters who did not agree to tracking, opened and clicked are not known."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message(tracked=False)
        built.opened(built.message())
    rows = list(opened(store, built.mailing_id)["Messages"].iter_rows(min_row=2, values_only=True))
    assert [row[4:6] for row in rows] == [("not known", "not known"), ("by a person", "no")]


@pytest.mark.parametrize("text", ["=1+1", "+44", "-2", "@SUM(A1)", "\t=1", " =1", "＝1", "\u200b=1"])
def test_formulas_are_text(text: str) -> None:
    """Nothing that a stranger wrote can run as a formula."""
    assert safe(text).startswith("'")


def test_a_formula_in_a_name_is_neutralised(store: Store) -> None:
    """A supporter called =HYPERLINK(…) is a text cell in the file itself."""
    with store.writing() as connection:
        built = Builder(connection, title="=cmd|'/C calc'!A0")
        built.message(to_name='=HYPERLINK("https://evil.example","x")', detail="-1+1\x0b")
        built.gift(10_00, name="@SUM(1)", method="+1")
    book = opened(store, built.mailing_id, with_addresses=True)
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert not str(cell.value if cell.value is not None else "").startswith(("=", "+", "@"))
    assert "'=HYPERLINK" in str(cells(book))


def test_practice_is_the_first_line(store: Store) -> None:
    """A workbook that leaves the screen still says that nobody was mailed."""
    with store.writing() as connection:
        built = Builder(connection, practice=True)
    assert opened(store, built.mailing_id)["Summary"]["A2"].value == "PRACTICE: nobody was mailed"
