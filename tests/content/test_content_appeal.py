"""An appeal's folder is read whole, and every fault is told at once."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

from pillarbox.content import templates
from pillarbox.content.appeal import read
from pillarbox.content.source import TEXT_BYTES, line_of
from pillarbox.model.states import Kind

TOML = 'title = "Spring"\nsubject = "Hello {{ supporter.name }}"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "appeals" / "spring"
    found.mkdir(parents=True)
    (found / "appeal.toml").write_text(TOML, "utf-8")
    (found / "letter.md").write_text("Dear you\n", "utf-8")
    return found


def codes(project: Path, slug: str = "spring") -> list[tuple[str, str, int | None]]:
    appeal, findings = read(project, slug)
    assert (appeal is None) == bool(findings)
    return [(each.code, each.file, each.line) for each in findings]


def test_the_smallest_appeal_is_settings_and_a_letter(tmp_path: Path, folder: Path) -> None:
    """Title, subject and letter.md are enough; the rest has sensible values."""
    appeal, findings = read(tmp_path, "spring")
    assert appeal is not None
    assert not findings
    assert (appeal.kind, appeal.layout, appeal.language, appeal.subject_line) == (Kind.APPEAL, "letter", "en-GB", 2)
    assert appeal.letter.content == "Dear you\n"
    assert appeal.is_markdown


def test_settings_links_and_facts_are_read(tmp_path: Path, folder: Path) -> None:
    """appeal.toml may set a date, links and facts of its own."""
    (folder / "appeal.toml").write_text(
        TOML + 'date = 2021-02-03\n[links]\ndonate = "https://example.org/"\n[facts]\nyear = 1948\n', "utf-8")
    appeal, _ = read(tmp_path, "spring")
    assert appeal is not None
    assert appeal.date == datetime.date(2021, 2, 3)
    assert appeal.links == {"donate": "https://example.org/"}
    assert appeal.facts == {"year": 1948}


def test_every_fault_is_told_at_once(tmp_path: Path, folder: Path) -> None:
    """A wrong kind, an unknown setting, a link without https and a letter in Latin-1 come in one answer, with lines."""
    (folder / "appeal.toml").write_text(
        TOML + 'kind = "proof"\ntitel = "x"\n\n[links]\ndonate = "http://example.org/"\n', "utf-8")
    (folder / "letter.md").write_bytes("One\nJos\xe9\n".encode("latin-1"))
    assert sorted(codes(tmp_path), key=str) == sorted([
        ("bad-setting", "appeals/spring/appeal.toml", 3), ("bad-setting", "appeals/spring/appeal.toml", 4),
        ("bad-setting", "appeals/spring/appeal.toml", 7), ("not-utf-8", "appeals/spring/letter.md", 2)], key=str)


@pytest.mark.parametrize("name", ["title", "subject", "preheader"])
def test_what_nobody_can_see_is_told(tmp_path: Path, folder: Path, name: str) -> None:
    """A control character in a line is a fault with file and line: no feed, header or spreadsheet can hold it."""
    said = {"title": "Spring", "subject": "Hello", "preheader": "Now", name: r"A bell \u0007 rings"}
    (folder / "appeal.toml").write_text("".join(f'{key} = "{words}"\n' for key, words in said.items()), "utf-8")
    appeal, findings = read(tmp_path, "spring")
    assert appeal is None
    (finding,) = findings
    assert (finding.line, "U+0007" in finding.message) == (list(said).index(name) + 1, True)


def test_a_broken_toml_names_its_line(tmp_path: Path, folder: Path) -> None:
    """What is no TOML is told with the line where reading stopped."""
    (folder / "appeal.toml").write_text('title = "Spring"\nsubject = "Hello\n', "utf-8")
    assert codes(tmp_path) == [("bad-toml", "appeals/spring/appeal.toml", 2)]


def test_a_wrong_choice_is_told_in_words(tmp_path: Path, folder: Path) -> None:
    """What may stand there, not how Python calls it."""
    (folder / "appeal.toml").write_text(TOML + 'kind = "leaflet"\nlayout = 4\n', "utf-8")
    said = [each.message for each in read(tmp_path, "spring")[1]]
    assert said == ["kind is one of appeal, newsletter, message or service.",
                    "layout is no text: put it between quotation marks, like layout = \"…\"."]


def test_names_that_are_no_text_are_told(tmp_path: Path, folder: Path) -> None:
    """Names in another encoding, or that move the cursor of a terminal, are findings that can be shown."""
    (folder / "images").mkdir()
    for name in (b"caf\xe9.png", b"a\n\x1b[31m.png"):
        Path(os.fsdecode(os.fsencode(folder / "images") + b"/" + name)).write_bytes(b"x")
    (folder / "images/photo.jpg~").write_bytes(b"an editor's copy")
    _, found = read(tmp_path, "spring")
    assert {each.code for each in found} == {"image-name"}
    assert len(found) == 2
    assert all(each.file.isprintable() for each in found)
    (tmp_path / "templates").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "templates") + b"/caf\xe9.html")).write_text("x", "utf-8")
    assert [each.code for each in templates.read(tmp_path)[1]] == ["template-name"]


def test_a_file_is_named_from_the_projects_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the project is named from where one stands, as on the command line."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/odd.html").write_bytes(b"\xff")
    monkeypatch.chdir(tmp_path)
    assert [each.file for each in templates.read(Path())[1]] == ["templates/odd.html"]


def test_missing_files_are_told(tmp_path: Path, folder: Path) -> None:
    """No settings and no letter: both are said."""
    (folder / "appeal.toml").unlink()
    (folder / "letter.md").unlink()
    assert [code for code, _, _ in codes(tmp_path)] == ["missing-file", "missing-file"]


def test_html_needs_its_text_part(tmp_path: Path, folder: Path) -> None:
    """letter.html without letter.txt is refused; with it, it is read."""
    (folder / "letter.md").rename(folder / "letter.html")
    assert [code for code, _, _ in codes(tmp_path)] == ["no-text-part"]
    (folder / "letter.txt").write_text("Dear you\n", "utf-8")
    assert codes(tmp_path) == []


def test_two_letters_are_refused(tmp_path: Path, folder: Path) -> None:
    """letter.md and letter.html together leave open which one is meant."""
    (folder / "letter.html").write_text("<p>Dear you</p>", "utf-8")
    (folder / "letter.txt").write_text("Dear you\n", "utf-8")
    assert [code for code, _, _ in codes(tmp_path)] == ["two-letters"]


@pytest.mark.parametrize("slug", ["../spring", "Spring", "spring/..", "", "a--b"])
def test_a_name_cannot_climb_out(tmp_path: Path, folder: Path, slug: str) -> None:
    """An appeal's name is small letters, digits and hyphens: no path."""
    assert [code for code, _, _ in codes(tmp_path, slug)] == ["bad-name"]


def test_a_link_cannot_lead_out(tmp_path: Path, folder: Path) -> None:
    """A symbolic link to a file outside the folder is refused, not read."""
    secret = tmp_path / "secret.txt"
    secret.write_text("x", "utf-8")
    (folder / "letter.md").unlink()
    (folder / "letter.md").symlink_to(secret)
    assert codes(tmp_path) == [("path-outside", "appeals/spring/letter.md", None)]


def test_sizes_and_kinds_are_held(tmp_path: Path, folder: Path) -> None:
    """A letter over the limit and an image that Outlook cannot show are refused."""
    (folder / "letter.md").write_text("a" * (TEXT_BYTES + 1), "utf-8")
    (folder / "images").mkdir()
    (folder / "images" / "a.svg").write_text("<svg/>", "utf-8")
    assert [code for code, _, _ in codes(tmp_path)] == ["too-big", "image-kind"]


def test_windows_files_are_read(tmp_path: Path, folder: Path) -> None:
    """A byte order mark and CRLF line ends, as Notepad writes them, do no harm."""
    (folder / "letter.md").write_bytes("\ufeffOne\r\nTwo\r\n".encode())
    appeal, _ = read(tmp_path, "spring")
    assert appeal is not None
    assert appeal.letter.content == "One\nTwo\n"


def test_a_toml_line_is_found_by_its_key() -> None:
    """The line of a key is found in its table, or else the table's own line."""
    source = 'title = "x"\n[links]\n# donate = "no"\ndonate = "y"\n[facts.deep]\n"a" = 1\n'
    assert line_of(source, ["links", "donate"]) == 4
    assert line_of(source, ["links", "share"]) == 2
    assert line_of(source, ["facts", "deep", "a"]) == 6
    assert line_of(source, ["subject"]) is None
