"""Donation exports become gifts; what is none is told with its line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.ground.money import Money
from pillarbox.model.records import Gift
from pillarbox.money.csv_file import Rejected, read

HEAD = "Donation ID,Date,First name,Last name,Email,Amount,Currency,Gift Aid,Frequency,Reference,Payment method\n"


@pytest.fixture(autouse=True)
def _after_them_all() -> Iterator[None]:
    """On a day after every date in these files."""
    with clock.freeze(datetime(2027, 1, 15, tzinfo=UTC)):
        yield


def gifts_of(tmp_path: Path, text: str | bytes, **options: dict[str, str]) -> tuple[Gift, ...]:
    """The gifts of a file that has nothing else."""
    gifts, rejected = reading(tmp_path, text, **options)
    assert rejected == ()
    return gifts


def reading(tmp_path: Path, text: str | bytes,
            **options: dict[str, str]) -> tuple[tuple[Gift, ...], tuple[Rejected, ...]]:
    path = tmp_path / "donations.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, **options)


def test_a_row_becomes_a_gift(tmp_path: Path) -> None:
    """Every known column finds its field."""
    (gift,) = gifts_of(tmp_path, HEAD + (
        "D1,10/12/2026 09:30,Alice,Example,Alice@Example.org,25.00,GBP,Yes,Monthly,abc123,Direct Debit\n"))
    assert gift == Gift(
        amount=Money(minor=2500), received=datetime(2026, 12, 10, 9, 30, tzinfo=UTC), source="csv", external_id="D1",
        address="alice@example.org", name="Alice Example", code="abc123", method="direct-debit", gift_aid=True,
        regular=True)


@pytest.mark.parametrize("dress", ["utf-8-sig", "cp1252", "utf-16", "semicolon", "tab", "crlf"])
def test_any_dress(tmp_path: Path, dress: str) -> None:
    """BOM, Windows' encoding, UTF-16, semicolons, tabs and CRLF make no difference."""
    text = "Date;Name;Amount\n10/12/2026;Zoë O’Brien;£1,250.50\n".replace(";", "\t" if dress == "tab" else ";")
    text = text.replace("\n", "\r\n") if dress == "crlf" else text
    (gift,) = gifts_of(tmp_path, text.encode(dress if dress in ("utf-8-sig", "cp1252", "utf-16") else "utf-8"))
    assert (gift.name, gift.amount) == ("Zoë O’Brien", Money(minor=125050))


def test_a_workbook(tmp_path: Path) -> None:
    """XLSX with real dates and numbers reads like the CSV."""
    book = Workbook()
    assert book.active is not None
    book.active.append(["Donation ID", "Date", "Donor email", "Amount", "Gift Aid"])
    book.active.append([17, datetime(2026, 12, 10, 9, 30), "bob@example.org", 25.5, True])  # noqa: DTZ001 - as Excel has it
    book.save(tmp_path / "donations.xlsx")
    (gift,), rejected = read(tmp_path / "donations.xlsx")
    assert rejected == ()
    assert (gift.external_id, gift.amount, gift.gift_aid) == ("17", Money(minor=2550), True)
    assert gift.received == datetime(2026, 12, 10, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(("written", "meant"), [
    ("03/04/2026 10:00", datetime(2026, 4, 3, 9, 0, tzinfo=UTC)),  # British Summer Time
    ("2026-12-10T09:30:00Z", datetime(2026, 12, 10, 9, 30, tzinfo=UTC)),
    ("2026-12-10 09:30:00 UTC", datetime(2026, 12, 10, 9, 30, tzinfo=UTC)),
    ("2026-07-10T09:30:00+02:00", datetime(2026, 7, 10, 7, 30, tzinfo=UTC)),
    ("10 December 2026", datetime(2026, 12, 10, 23, 59, 59, tzinfo=UTC)),
    ("10-Dec-26 2:05 PM", datetime(2026, 12, 10, 14, 5, tzinfo=UTC)),
    ("2026-07-10", datetime(2026, 7, 10, 22, 59, 59, tzinfo=UTC)),
])
def test_dates_are_british_or_iso(tmp_path: Path, written: str, meant: datetime) -> None:
    """The day comes first unless the year does; times are London's; a date alone means the end of that day."""
    (gift,) = gifts_of(tmp_path, f"Date,Amount\n{written},5\n")
    assert gift.received == meant


@pytest.mark.parametrize(("row", "reason"), [
    ("D1,10/12/2026,,,,-25.00,GBP,,,,", "A refund of £25.00"),
    ("D1,10/12/2026,,,,(25.00),GBP,,,,", "A refund of £25.00"),
    ("D1,10/12/2026,,,,0,GBP,,,,", "The amount is nothing"),
    ("D1,10/12/2026,,,,,GBP,,,,", "The amount is missing"),
    ("D1,10/12/2026,,,,twenty,GBP,,,,", "not an amount"),
    ("D1,10/12/2026,,,,1e9,GBP,,,,", "not an amount"),
    ("D1,10/12/2026,,,,1e999999999,GBP,,,,", "not an amount"),
    ("D1,10/12/2026,,,,1_000,GBP,,,,", "not an amount"),
    ("D1,10/12/2026,,,,99999999999999999999,GBP,,,,", "not an amount"),
    ("D1,05/12/2027,,,,5,GBP,,,,", "still to come"),
    ("D1,10/12/2026,,,,£5,EUR,,,,", "says GBP and the currency column EUR"),
    ("D1,12/25/2026,,,,5,GBP,,,,", "day first"),
    ("D1,soon,,,,5,GBP,,,,", "is not a date"),
    ("D1,10/12/2026,,,,5,pounds,,,,", "three letters"),
])
def test_what_is_no_donation_is_told_with_its_line(tmp_path: Path, row: str, reason: str) -> None:
    """The line and reason of a row that cannot count; the good row beside it counts."""
    good = 'D0,10/12/2026,"two\nlines",,,5,GBP,,,,\n'
    gifts, (rejected,) = reading(tmp_path, HEAD + good + row + "\n")
    assert len(gifts) == 1
    assert rejected.line == 4
    assert reason in rejected.reason


def test_money_that_never_came_is_no_donation(tmp_path: Path) -> None:
    """Failed and refunded payments stand in many exports."""
    gifts, rejected = reading(tmp_path, "Date,Amount,Status\n10/12/2026,5,Paid\n10/12/2026,5,Refunded\n")
    assert (len(gifts), [item.line for item in rejected]) == (1, [3])


def test_an_unreadable_address_does_not_lose_the_money(tmp_path: Path) -> None:
    """The donation counts, without an address and with a note."""
    (gift,) = gifts_of(tmp_path, "Date,Amount,Email\n10/12/2026,5,nobody at all\n")
    assert (gift.address, "could not be read" in gift.note) == ("", True)


def test_rows_without_an_id_get_a_steady_one(tmp_path: Path) -> None:
    """The same export read twice gives the same ids; two equal gifts in it are two."""
    text = "Date,Email,Amount\n10/12/2026,a@example.org,5\n10/12/2026,a@example.org,5\n"
    first, again = gifts_of(tmp_path, text), gifts_of(tmp_path, text)
    assert first == again
    assert len({gift.external_id for gift in first}) == 2


def test_staff_may_name_the_columns(tmp_path: Path) -> None:
    """A map wins over what is known, and a column or field that does not exist is refused."""
    text = "When,Gave,Total\n10/12/2026,5,999\n"
    (gift,) = gifts_of(tmp_path, text, mapping={"When": "date", "gave": "amount"})
    assert gift.amount == Money(minor=500)
    with pytest.raises(Refused, match=r"no column 'Gone'.*When, Gave, Total"):
        reading(tmp_path, text, mapping={"Gone": "date"})
    with pytest.raises(Refused, match="cannot be mapped to 'shoe size'"):
        reading(tmp_path, text, mapping={"When": "shoe size"})


@pytest.mark.parametrize("content", [
    b"", b"\n\n", b"Name,Email\na,b\n", b"PK\x03\x04broken", b"\x00\x01\x02", b'Date,Amount\n"x'])
def test_what_is_no_export_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, without an amount, damaged or binary: a sentence that names the file."""
    with pytest.raises(Refused, match=r"donations\.csv"):
        reading(tmp_path, content)
    with pytest.raises(Refused, match="cannot be read"):
        read(tmp_path / "gone.csv")


def test_headings_are_found_below_a_title(tmp_path: Path) -> None:
    """A report's title above the headings, and blank rows, are left out; lines are those of the file."""
    text = "Donations, 1 to 31 December 2026;;\n\n Date ;Amount;Note\n10/12/2026;5;\n;;\n10/12/2026;nil;\n"
    (gift,), (rejected,) = reading(tmp_path, text)
    assert (gift.amount, rejected.line) == (Money(minor=500), 6)


def test_a_mapped_column_helps_to_find_the_headings(tmp_path: Path) -> None:
    """Columns that nothing knows, of any script, are found below a title once staff say what they hold."""
    text = "Our gifts,,\nתאריך,סכום,שם\n10/12/2026,5,A\n"
    (gift,) = gifts_of(tmp_path, text, mapping={"תאריך": "date", "סכום": "amount", "שם": "name"})
    assert (gift.amount, gift.name) == (Money(minor=500), "A")


@pytest.mark.parametrize(("name", "content", "words"), [
    ("locked.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "password"),
    ("page.csv", b"<!DOCTYPE html><html></html>", "web page"),
    ("bare.csv", b"10/12/2026,5,a@example.org\n10/12/2026,6,b@example.org\n", "no headings"),
])
def test_each_wrong_file_has_its_own_sentence(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """A locked workbook, a saved login page, an export without headings: told apart, as for lists."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Refused, match=words):
        read(path)


def test_several_columns_may_carry_the_code(tmp_path: Path) -> None:
    """A platform's reference and the campaign of the link are both kept, to be looked up later."""
    (gift,) = gifts_of(tmp_path, "Date,Amount,Reference,utm_campaign\n10/12/2026,5,GIFT,UF26\n")
    assert gift.code == "GIFT UF26"


JUSTGIVING = ("Donation ref,Donation date,Donor first name,Donor surname,Donor e-mail,Donation amount,Gift Aid Status\n"
              "D1,10/12/2026 09:30:00,Alice,Example,alice@example.org,\"£1,025.00\",Eligible\n")
CAF = ("CAF Donate donations report\nReport generated,11/12/2026\n\nTransaction ID,Transaction Date,Donor Name,"
       "Donor Email,Gross Amount,Fee,Net Amount,Gift Aid\n"
       "T1,10/12/2026,Alice Example,alice@example.org,1025.00,1,1024,Yes\n")
STRIPE = ("id,Created date (UTC),Amount,Amount Refunded,Currency,Status,Customer Email,Customer Name\n"
          "ch_1,2026-12-10 09:30:00,1030.00,5.00,gbp,Paid,alice@example.org,Alice Example\n")
PAYPAL = "\ufeff" + "\r\n".join((
    '"Date","Time","Name","Type","Status","Currency","Gross","Fee","Net","From Email Address","Transaction ID"',
    '"10/12/2026","09:30:00","Alice Example","Donation Payment","Completed","GBP","1,025.00","-0.55","1,024.45",'
    '"alice@example.org","5XY"'))


@pytest.mark.parametrize("export", [JUSTGIVING, CAF, STRIPE, PAYPAL], ids=["justgiving", "caf", "stripe", "paypal"])
def test_the_common_platforms_are_known_as_they_export(tmp_path: Path, export: str) -> None:
    """Without a map, below a report's title, and less what was given back."""
    (gift,) = gifts_of(tmp_path, export)
    assert (gift.amount, gift.address, gift.name) == (Money(minor=102500), "alice@example.org", "Alice Example")
    assert gift.external_id in ("D1", "T1", "ch_1", "5XY")


def test_columns_that_are_not_known_are_listed(tmp_path: Path) -> None:
    """Who has to name a column sees which there are."""
    with pytest.raises(Refused, match=r"the amount\. The columns are: 'When', 'Gave'\..*COLUMN=amount"):
        reading(tmp_path, "When,Gave\n10/12/2026,5\n")


def test_what_was_given_back_whole_is_no_donation(tmp_path: Path) -> None:
    """A status may say "Paid" all the same."""
    _, (rejected,) = reading(tmp_path, "Date,Amount,Amount refunded,Status\n10/12/2026,5,5.00,Paid\n")
    assert "no money stayed" in rejected.reason
