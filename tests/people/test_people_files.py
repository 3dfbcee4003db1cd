"""List files are read as people have them, and what cannot be read is said plainly."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from pillarbox.ground.errors import ListError
from pillarbox.people import files, formats

ROWS = [["Email", "First name", "Surname"], ["zoe@example.org", "Zoë", "O'Brien"], ["bob@example.org", "Bob", "Smith"]]


def written(folder: Path, content: bytes | str, name: str = "list.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def csv_text(delimiter: str = ",") -> str:
    """The three rows as CSV with Windows line ends."""
    return "\r\n".join(delimiter.join(row) for row in ROWS) + "\r\n"


def workbook(folder: Path, sheets: dict[str, list[list[object]]], name: str = "list.xlsx") -> Path:
    """A real workbook."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(folder / name)
    return folder / name


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiter_and_encoding_are_found_out(tmp_path: Path, delimiter: str, encoding: str) -> None:
    """Comma, semicolon, tab or bar; UTF-8 with or without BOM, UTF-16, Windows: the same rows come out."""
    sheet = files.read(written(tmp_path, csv_text(delimiter).encode(encoding)), {})
    assert list(sheet.headings) == ROWS[0]
    assert [list(row) for row in sheet.rows] == ROWS[1:]
    assert list(sheet.lines) == [2, 3]


def test_what_excel_in_germany_writes_is_read(tmp_path: Path) -> None:
    """A sep= line, semicolons, Windows encoding, and a comma in a cell."""
    text = 'sep=;\r\nE-Mail;Vorname;Ort\r\nzoe@example.org;Zoë;"Bad Tölz, Bayern"\r\n'
    sheet = files.read(written(tmp_path, text.encode("cp1252")), {})
    assert sheet.headings == ("E-Mail", "Vorname", "Ort")
    assert list(sheet.rows[0]) == ["zoe@example.org", "Zoë", "Bad Tölz, Bayern"]
    assert (list(sheet.lines), sheet.about["encoding"], sheet.about["delimiter"]) == ([3], "windows-1252", "semicolon")


def test_lines_are_those_that_an_editor_shows(tmp_path: Path) -> None:
    """Line breaks inside quotes and blank lines count."""
    text = 'Email,Notes\na@example.org,"one\r\ntwo\nthree"\n\n\nb@example.org,x\n'
    sheet = files.read(written(tmp_path, text), {})
    at = {row[0]: line for row, line in zip(sheet.rows, sheet.lines, strict=True)}
    assert (at["a@example.org"], at["b@example.org"]) == (2, 7)


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\0\ufeff"), max_size=12)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=6), delimiter=st.sampled_from(",;\t|"))
def test_any_cells_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str) -> None:
    """Whatever a program writes into cells is read again cell by cell, with the line where its row begins."""
    held = io.StringIO(newline="")
    writer = csv.writer(held, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    lines = []
    writer.writerow(["Email", "Notes", "Town"])
    for row in rows:
        lines.append(held.getvalue().count("\n") + 1)
        writer.writerow([*row, "Leeds"])
    sheet = files.read(written(tmp_path_factory.mktemp("fuzz"), held.getvalue()), {})
    assert [list(row) for row in sheet.rows] == [[*row, "Leeds"] for row in rows]
    assert list(sheet.lines) == lines


def test_headings_are_found_below_a_title(tmp_path: Path) -> None:
    """A report's title and a blank line above the headings are left out, and said."""
    sheet = files.read(written(tmp_path, "Supporters,,\nAs of today,,\n\nEmail,Name,Town\na@example.org,A,B\n"), {})
    assert (sheet.headings, list(sheet.lines)) == (("Email", "Name", "Town"), [5])
    assert "line 4" in sheet.notes[0]


def test_an_email_in_a_title_does_not_hide_the_headings(tmp_path: Path) -> None:
    """A mapped column is enough to know the headings by."""
    sheet = files.read(written(tmp_path, "Courriel,Nom\na@example.org,A\n"), {"Courriel": "email"})
    assert sheet.headings == ("Courriel", "Nom")


def test_a_workbook_gives_its_first_filled_sheet(tmp_path: Path) -> None:
    """Empty sheets are passed over and others are named; numbers and dates are text as Excel shows them."""
    path = workbook(tmp_path, {"Cover": [], "People": [
        ["Email", "Phone", "Joined", "Member", "Gift"], [],
        ["a@example.org", 447700900123, date(2026, 3, 1), True, 12.5]], "Old": [["x"]]})
    sheet = files.read(path, {})
    assert sheet.about == {"sheet": "People"}
    assert "3 sheets" in sheet.notes[0]
    assert (list(sheet.rows[1]), sheet.lines[1]) == (["a@example.org", "447700900123", "2026-03-01", "yes", "12.5"], 3)


def test_a_sheet_of_words_before_the_list_is_passed_over(tmp_path: Path) -> None:
    """Many exports begin with a cover; the sheet with an email column is the list."""
    path = workbook(tmp_path, {"Read me": [["Made by the office. Do not pass it on."], ["5 March"]],
                               "List": [["Supporters"], [], ["E-mail", "Name"], ["a@example.org", "Ann Ash"]]})
    sheet = files.read(path, {})
    assert (sheet.about, sheet.headings) == ({"sheet": "List"}, ("E-mail", "Name"))
    assert "'List' was read" in sheet.notes[0]


def test_a_workbook_is_known_by_its_content(tmp_path: Path) -> None:
    """A workbook named .csv is still a workbook."""
    path = workbook(tmp_path, {"S": [["Email"], ["a@example.org"]]})
    assert files.read(path.rename(tmp_path / "list.csv"), {}).headings == ("Email",)


def packed(name: str) -> bytes:
    """A zip file that holds one small part."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, "x")
    return held.getvalue()


@pytest.mark.parametrize(("name", "content", "words"), [
    ("empty.csv", b"", "empty"),
    ("blank.csv", b"\xef\xbb\xbf\r\n \r\n", "empty"),
    ("commas.csv", b",,,\n,,,\n", "no rows"),
    ("fake.xlsx", b"Email\na@example.org\n", "no workbook"),
    ("locked.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "password"),
    ("page.csv", b"<!DOCTYPE html><html></html>", "web page"),
    ("photo.csv", b"\x89PNG\0\0\0\0\0\0\0\0\0\0", "no text"),
    ("half.csv", b"\xff\xfeE\0m\0a", "breaks off"),
    ("zip.xlsx", packed("readme.txt"), "no Excel workbook"),
    ("torn.xlsx", packed("xl/workbook.xml"), "damaged"),
    ("cut.xlsx", b"PK\x03\x04rubbish", "damaged"),
    ("quote.csv", b'Email,Notes\na@example.org,"never closed\n', "quotation mark"),
    ("bare.csv", b"a@example.org,Ann\nb@example.org,Bob\n", "no headings"),
])
def test_what_is_no_list_is_said_plainly(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """Each kind of wrong file has its own sentence, with the file's name and what to do."""
    with pytest.raises(ListError) as caught:
        files.read(written(tmp_path, content, name), {})
    assert words in caught.value.sentence()
    assert name in caught.value.sentence()
    assert "example.org" not in caught.value.sentence()


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """A slip in the name is no crash."""
    with pytest.raises(ListError, match="cannot be read"):
        files.read(tmp_path / "nothing.csv", {})


def test_a_workbook_of_empty_sheets_is_said(tmp_path: Path) -> None:
    """The sheets that were looked at are named."""
    with pytest.raises(ListError, match="looked at A, B"):
        files.read(workbook(tmp_path, {"A": [], "B": []}), {})


def columns(*headings: str, mapping: dict[str, str] | None = None) -> dict[str, str]:
    """Heading → where it goes."""
    found = formats.match(headings, format="auto", mapping=mapping or {}, where="list.csv")
    return dict(zip(headings, found.goes_to, strict=True))


@pytest.mark.parametrize("heading", ["email", "E-mail", "E-Mail Address", "EMAIL ADDRESS", "Primary Email", "e_mail"])
def test_an_email_column_has_many_names(heading: str) -> None:
    """Case, spaces and hyphens do not matter."""
    assert columns("X", heading)[heading] == "email"


def test_unknown_columns_become_fields() -> None:
    """Clean snake case, each once, none in the way of what a letter already has."""
    assert columns("Email", "Last Gift (£)", "Town / City", "Fields", "שם", "2024 total", "Notes!", "notes") == {
        "Email": "email", "Last Gift (£)": "last_gift", "Town / City": "town_city", "Fields": "fields_2",
        "שם": "column_5", "2024 total": "column_2024_total", "Notes!": "notes", "notes": "notes_2"}


def test_mailchimp_and_civicrm_are_known_by_their_columns() -> None:
    """Each export's own words are mapped, and what nobody needs of them is left behind."""
    mailchimp = columns("Email Address", "First Name", "OPTIN_TIME", "OPTIN_IP", "LEID", "EUID", "UNSUB_TIME")
    assert (mailchimp["OPTIN_TIME"], mailchimp["OPTIN_IP"], mailchimp["UNSUB_TIME"]) == (
        "obtained", "ignore", "opted_out")
    civicrm = columns("Contact ID", "Individual Prefix", "Email", "Do Not Email", "On Hold", "Email Greeting")
    assert civicrm == {"Contact ID": "contact_id", "Individual Prefix": "title", "Email": "email",
                       "Do Not Email": "opted_out", "On Hold": "bounced", "Email Greeting": "salutation"}


def test_a_mapping_wins() -> None:
    """--map sends a column where staff say, to a field of any name, or nowhere."""
    assert columns("Mail 1", "Email", "Region", "Junk", mapping={"mail 1": "email", "Region": "area", "Junk": "ignore"}
                   ) == {"Mail 1": "email", "Email": "email_2", "Region": "area", "Junk": "ignore"}


@pytest.mark.parametrize(("headings", "options", "words"), [
    (["Name", "Phone"], {}, "The columns are: Name, Phone. Call the column 'Email'"),
    (["Email"], {"format": "mailchump"}, "Known: auto, generic, mailchimp, civicrm"),
    (["Email"], {"mapping": {"Nmae": "x"}}, "no column 'Nmae' to map"),
    (["Email", "A", "B"], {"mapping": {"A": "x", "B": "x"}}, "Two columns are mapped to 'x'"),
    (["Email", "A"], {"mapping": {"A": "1;DROP"}}, "cannot be a field's name"),
    (["Email", *map(str, range(999))], {}, "1,000 columns"),
])
def test_columns_that_cannot_be_are_refused(headings: list[str], options: dict[str, object], words: str) -> None:
    """No email column, an unknown format or a bad mapping: a sentence with the way out."""
    with pytest.raises(ListError) as caught:
        formats.match(headings, **{"format": "auto", "mapping": {}, **options}, where="list.csv")  # type: ignore[arg-type]
    assert words in caught.value.sentence()
