"""Tables to take away: no formula runs, nobody is named unless asked, numbers stay numbers."""

from __future__ import annotations

import csv
import io

import pytest

from pillarbox.reports import exports
from pillarbox.reports.exports import Table
from pillarbox.reports.report import gather
from pillarbox.store.connect import Store
from tests.reports.builders import Builder

FORMULAS = ("=1+1", "+44 20", "-2+3", "@SUM(1)", "\t=1", " =1", "＝1", '=HYPERLINK("https://evil.example")')


def rows(store: Store, built: Builder, table: Table, *, named: bool) -> list[list[str]]:
    """A table as a program reads it from CSV."""
    with store.snapshot() as connection:
        sheet = exports.sheet(connection, lambda: gather(connection, built.mailing_id), built.mailing_id,
                              "Europe/London", table, named=named)
        text = b"".join(exports.csv_parts(sheet)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_csv_is_a_formula(store: Store, formula: str) -> None:
    """A supporter's name that begins like one is text."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message(to_name=formula)
        built.gift(10_00, name=formula, method=formula[:24])
    for table in (Table.MESSAGES, Table.DONATIONS):
        for row in rows(store, built, table, named=True):
            assert not [cell for cell in row if cell.lstrip(" \t").startswith(("=", "+", "-", "@", "＝"))]
    assert any(f"'{formula}" in row for row in rows(store, built, Table.MESSAGES, named=True))


def test_nobody_is_named_unless_it_is_asked_for(store: Store) -> None:
    """Neither name nor address, in any table."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message(address="alice@example.org", to_name="Alice Bold")
        built.gift(10_00, name="Alice Bold", address="alice@example.org", code="alicecode")
    for table in Table:
        assert "alice" not in str(rows(store, built, table, named=False)).lower()
    assert "alice@example.org" in str(rows(store, built, Table.DONATIONS, named=True))


def test_amounts_are_pounds_and_shares_fractions(store: Store) -> None:
    """As programs read them, without signs or separators."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message()
        built.gift(123_456)
        built.gift(-5_00)
    figures = {row[0]: row for row in rows(store, built, Table.FIGURES, named=False)}
    assert figures["Raised"][1] == "1229.56"
    assert figures["Delivered, rate"][1] == "1.000000"
    assert [row[1] for row in rows(store, built, Table.DONATIONS, named=False)][1:] == ["1234.56", "-5.00"]
