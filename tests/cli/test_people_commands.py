"""Lists, segments, supporters and donations from the command line: what staff see, and what changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import projects
from tests.projects import TestProject


@pytest.fixture
def project(tmp_path: Path) -> TestProject:
    """An empty project."""
    return projects.make(tmp_path / "project")


def test_segments_are_read_where_they_are_kept(project: TestProject, tmp_path: Path) -> None:
    """lists/segments.toml, as `init` and the documentation have it: shown, and a plan can name them."""
    assert "no segments yet" in project.run("segments", "show").stdout
    (project.folder / "lists").mkdir()
    (project.folder / "lists" / "segments.toml").write_text("[agreed]\ntracking = true\n", "utf-8")
    listed = projects.write_list(tmp_path / "list.csv", projects.crowd(9))
    project.run("lists", "import", str(listed), "--list", "all", "--basis", "consent", "--source", "test")
    assert project.json("segments", "show") == {"agreed": 3}
    assert project.json("plan", "harbour", "--list", "all", "--segment", "agreed")["planned"] == 3


@pytest.mark.parametrize("amount", ["1e9", "1e999999999", "1_000", "99999999999999999999", "٢٥"])
def test_an_absurd_amount_is_said_to_be_none(project: TestProject, amount: str) -> None:
    """Nothing breaks, and nothing is added."""
    said = project.run("donations", "add", "--amount", amount, "--name", "A Giver", expect=2).stderr
    assert "is not an amount of money" in said
    assert project.json("donations", "list") == []


def test_a_donation_is_never_of_a_day_to_come(project: TestProject) -> None:
    """A slip in the year would put it outside every report."""
    said = project.run("donations", "add", "--amount", "5", "--name", "A", "--received", "2999-01-02", expect=1).stderr
    assert "02 January 2999 is still to come" in said


def test_a_reference_that_is_known_is_said(project: TestProject) -> None:
    """Two givers' cheques may carry one number: staff learn that the second was not added, and what to do."""
    cheque = ("donations", "add", "--amount", "5", "--name", "A Giver", "--reference", "100017")
    project.run(*cheque)
    assert "give it another reference" in " ".join(project.run(*cheque).stdout.split())
    assert len(project.json("donations", "list")) == 1


def test_two_platforms_ids_that_meet_are_told(project: TestProject, tmp_path: Path) -> None:
    """The same id with another amount is no repetition: staff learn of it, and how to count it."""
    for name, amount in (("one.csv", "5"), ("two.csv", "7")):
        (tmp_path / name).write_text(f"ID,Date,Name,Amount\n1001,2026-03-01,A,{amount}\n", "utf-8")
    project.run("donations", "import", str(tmp_path / "one.csv"))
    assert "another amount" not in project.run("donations", "import", str(tmp_path / "one.csv")).stdout
    assert project.json("donations", "import", str(tmp_path / "two.csv"))["differing"] == 1
    assert "another amount" in project.run("donations", "import", str(tmp_path / "two.csv")).stdout
    project.run("donations", "import", str(tmp_path / "two.csv"), "--map", "ID=note")
    assert [row["amount_minor"] for row in project.json("donations", "list")] == [700, 500]


def test_an_import_says_how_it_read_the_file(project: TestProject, tmp_path: Path) -> None:
    """A new list, a wrong encoding or a column that went astray can be seen at once, before it is done in earnest."""
    listed = tmp_path / "list.csv"
    listed.write_bytes("E-mail;Vorname\nzoe@example.org;Zo\u00eb\n".encode("cp1252"))
    arguments = ("lists", "import", str(listed), "--list", "all", "--basis", "consent")
    said = " ".join(project.run(*arguments, "--dry-run").stdout.split())
    assert "The list all would be new" in said
    assert "Read with encoding windows-1252, delimiter semicolon. Columns: E-mail → email; Vorname → vorname." in said
    project.run(*arguments)
    assert " new" not in project.run(*arguments).stdout


def test_a_dry_run_leaves_the_database_byte_for_byte(project: TestProject, tmp_path: Path) -> None:
    """Not even a number is used up."""
    database = project.folder / "var" / "pillarbox.db"
    project.run("lists", "show")
    before = database.read_bytes()
    listed = projects.write_list(tmp_path / "list.csv", projects.crowd(9))
    project.run("lists", "import", str(listed), "--list", "all", "--basis", "consent", "--dry-run")
    assert database.read_bytes() == before


def test_forgetting_a_stranger_is_said(project: TestProject) -> None:
    """A slip in the address must not pass for an erasure that was done."""
    said = project.run("supporters", "forget", "nobody@example.org", "--yes").stdout
    assert said.startswith("Nothing was held of this address")
    project.run("supporters", "add", "ann@example.org", "--list", "all")
    assert project.run("supporters", "forget", "ann@example.org", "--yes").stdout.startswith("Erased.")
    refused = project.run("supporters", "add", "Ann@Example.org", "--list", "other", expect=1).stderr
    assert "kept out (erased)" in refused


def test_nothing_to_show_is_said(project: TestProject) -> None:
    """An empty answer could be taken for a fault."""
    assert "No address is suppressed" in project.run("suppressions", "show").stdout
    assert "There are no lists yet" in project.run("lists", "show").stdout
    assert "There are no donations" in project.run("donations", "list").stdout


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    """In a folder that is in use: what staff wrote stays, and the key never enters their git."""
    folder = tmp_path / "charity"
    (folder / "templates").mkdir(parents=True)
    (folder / "appeals" / "uyghur-freedom").mkdir(parents=True)
    ours = {folder / "templates" / "theme.toml": "# ours\n",
            folder / "appeals" / "uyghur-freedom" / "letter.md": "ours"}
    for path, words in ours.items():
        path.write_text(words, "utf-8")
    (folder / ".gitignore").write_text("*.bak\n", "utf-8")
    TestProject(folder=tmp_path, environment={}).run("init", str(folder))
    assert {path: path.read_text("utf-8") for path in ours} == ours
    ignored = (folder / ".gitignore").read_text("utf-8").splitlines()
    assert {"*.bak", "pillarbox.key", "var/"} <= set(ignored)
    assert (folder / "appeals" / "uyghur-freedom" / "appeal.toml").exists()


def test_a_place_that_cannot_be_written_is_named(project: TestProject, tmp_path: Path) -> None:
    """A file or folder that refuses is no fault of Pillarbox's: the sentence names it."""
    (tmp_path / "taken").write_text("a file, no folder", "utf-8")
    said = project.run("preview", "harbour", "--out", str(tmp_path / "taken" / "x"), expect=1).stderr
    assert str(tmp_path / "taken") in said
    assert "cannot be read or written" in said


def test_a_slip_in_an_appeals_name_lists_the_known_ones(project: TestProject) -> None:
    """And points to no command that there is not."""
    said = project.run("preview", "harbor", expect=1).stderr
    assert "Known appeals: harbour." in said
