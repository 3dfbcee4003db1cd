"""Files of rows are read as people have them, and what cannot be read is said plainly."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from pillarbox.ground.errors import TableError
from pillarbox.tables import file
from pillarbox.tables.table import Table

ROWS = [["Email", "First name", "Surname"], ["zoe@example.org", "Zoë", "O'Brien"], ["bob@example.org", "Bob", "Smith"]]


def read(path: Path, *also: str) -> Table:
    """The table of a file whose reader cannot do without Email, and knows these columns besides."""

    def known(headings: Sequence[str]) -> tuple[bool, int]:
        found = {heading.replace("-", "").casefold() for heading in headings} & {"email", "name", "town", *also}
        return bool(found & {"email", *also}), len(found)

    return file.read(path, known)


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
    sheet = read(written(tmp_path, csv_text(delimiter).encode(encoding)))
    assert list(sheet.headings) == ROWS[0]
    assert [list(row) for row in sheet.rows] == ROWS[1:]
    assert list(sheet.lines) == [2, 3]


def test_what_excel_in_germany_writes_is_read(tmp_path: Path) -> None:
    """A sep= line, semicolons, Windows encoding, and a comma in a cell."""
    text = 'sep=;\r\nE-Mail;Vorname;Ort\r\nzoe@example.org;Zoë;"Bad Tölz, Bayern"\r\n'
    sheet = read(written(tmp_path, text.encode("cp1252")))
    assert sheet.headings == ("E-Mail", "Vorname", "Ort")
    assert list(sheet.rows[0]) == ["zoe@example.org", "Zoë", "Bad Tölz, Bayern"]
    assert (list(sheet.lines), sheet.about["encoding"], sheet.about["delimiter"]) == ([3], "windows-1252", "semicolon")


def test_lines_are_those_that_an_editor_shows(tmp_path: Path) -> None:
    """Line breaks inside quotes and blank lines count."""
    text = 'Email,Notes\na@example.org,"one\r\ntwo\nthree"\n\n\nb@example.org,x\n'
    sheet = read(written(tmp_path, text))
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
    sheet = read(written(tmp_path_factory.mktemp("fuzz"), held.getvalue()))
    assert [list(row) for row in sheet.rows] == [[*row, "Leeds"] for row in rows]
    assert list(sheet.lines) == lines


def test_headings_are_found_below_a_title(tmp_path: Path) -> None:
    """A report's title and a blank line above the headings are left out, and said."""
    sheet = read(written(tmp_path, "Supporters,,\nAs of today,,\n\nEmail,Name,Town\na@example.org,A,B\n"))
    assert (sheet.headings, list(sheet.lines)) == (("Email", "Name", "Town"), [5])
    assert "line 4" in sheet.notes[0]


def test_what_the_reader_knows_decides(tmp_path: Path) -> None:
    """The headings are the row of which the reader makes most, also where a title above them holds an address."""
    sheet = read(written(tmp_path, "Ask office@example.org,\nCourriel,Nom\na@example.org,A\n"), "courriel")
    assert sheet.headings == ("Courriel", "Nom")


def test_a_workbook_gives_its_first_filled_sheet(tmp_path: Path) -> None:
    """Empty sheets are passed over and others are named; numbers and dates are text as Excel shows them."""
    path = workbook(tmp_path, {"Cover": [], "People": [
        ["Email", "Phone", "Joined", "Member", "Gift"], [],
        ["a@example.org", 447700900123, date(2026, 3, 1), True, 12.5]], "Old": [["x"]]})
    sheet = read(path)
    assert sheet.about == {"sheet": "People"}
    assert "3 sheets" in sheet.notes[0]
    assert (list(sheet.rows[1]), sheet.lines[1]) == (["a@example.org", "447700900123", "2026-03-01", "yes", "12.5"], 3)


def test_a_sheet_of_words_before_the_list_is_passed_over(tmp_path: Path) -> None:
    """Many exports begin with a cover; the sheet with an email column is the list."""
    path = workbook(tmp_path, {"Read me": [["Made by the office. Do not pass it on."], ["5 March"]],
                               "List": [["Supporters"], [], ["E-mail", "Name"], ["a@example.org", "Ann Ash"]]})
    sheet = read(path)
    assert (sheet.about, sheet.headings) == ({"sheet": "List"}, ("E-mail", "Name"))
    assert "'List' was read" in sheet.notes[0]


def test_a_workbook_is_known_by_its_content(tmp_path: Path) -> None:
    """A workbook named .csv is still a workbook."""
    path = workbook(tmp_path, {"S": [["Email"], ["a@example.org"]]})
    assert read(path.rename(tmp_path / "list.csv")).headings == ("Email",)


def packed(name: str) -> bytes:
    """A zip file that holds one small part."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, "x")
    return held.getvalue()


@pytest.mark.parametrize(("name", "content", "words"), [
    ("empty.csv", b"", "empty"),
    ("hint.csv", b"sep=;\r\n\r\n", "empty"),
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
def test_what_is_no_table_is_said_plainly(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """Each kind of wrong file has its own sentence, with the file's name and what to do."""
    with pytest.raises(TableError) as caught:
        read(written(tmp_path, content, name))
    assert words in caught.value.sentence()
    assert name in caught.value.sentence()
    assert "example.org" not in caught.value.sentence()


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """A slip in the name is no crash."""
    with pytest.raises(TableError, match="cannot be read"):
        read(tmp_path / "nothing.csv")


def test_a_workbook_of_empty_sheets_is_said(tmp_path: Path) -> None:
    """The sheets that were looked at are named."""
    with pytest.raises(TableError, match="looked at A, B"):
        read(workbook(tmp_path, {"A": [], "B": []}))
