"""publish, and service letters at the command line: what staff type, and what they read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import projects
from tests.projects import TestProject


@pytest.fixture
def project(tmp_path: Path) -> TestProject:
    """A practice project with a planned mailing."""
    made = projects.make(tmp_path / "project")
    people = projects.write_list(tmp_path / "list.csv", projects.crowd(3))
    made.run("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "test")
    made.run("plan", "harbour", "--list", "all")
    return made


def test_publish_and_withdraw(project: TestProject) -> None:
    """The address to copy, PRACTICE where it is; taken back once."""
    told = project.run("publish", "harbour", "--by", "Dana").stdout
    assert "http://127.0.0.1:8025/letters/harbour" in told
    assert "PRACTICE" in told
    assert project.json("publish", "harbour", "--slug", "lamp") == {
        "mailing": told.split(" can be read")[0].splitlines()[-1], "slug": "lamp", "practice": True, "news": False,
        "url": "http://127.0.0.1:8025/letters/lamp"}
    assert "withdrawn" in project.run("publish", "harbour", "--withdraw").stdout
    assert "is not published" in project.run("publish", "harbour", "--withdraw", expect=1).stderr
    assert "cannot stand in an address" in project.run("publish", "harbour", "--slug", "Ä", expect=1).stderr


def test_service_letters_are_read_and_approved(project: TestProject, tmp_path: Path) -> None:
    """preview writes them, approve stands for them by name; an appeal of that name comes first."""
    project.run("preview", "confirm", "--out", str(tmp_path / "out"))
    assert "Yes, write to me" in (tmp_path / "out" / "confirm-1.txt").read_text("utf-8")
    assert "approved by Dana" in project.run("approve", "confirm", "--by", "Dana").stdout
    assert project.json("approve", "welcome", "--by", "Dana")["service"] == "welcome"
    assert "There is no mailing" in project.run("approve", "nothing", "--by", "Dana", expect=1).stderr


def test_sign_ups_that_staff_decide(project: TestProject) -> None:
    """None as a rule."""
    assert "No sign-up waits" in project.run("supporters", "joining").stdout
    assert project.json("supporters", "joining") == []


@pytest.mark.parametrize(("line", "words"), [
    ('lists = ["News Letter"]', "small letters"), ('sites = ["harbour.example"]', "https://your-charity.org"),
    ('sites = ["https://x.example/path"]', "without a path"), ('wording = " "', "what one agrees to"),
    ("per_hour = 0", "per_hour"), ('privacy = "javascript:alert(1)"', "https://"), ("colour = 1", "colour")])
def test_a_form_with_faults_is_told(project: TestProject, line: str, words: str) -> None:
    """[join] is checked as all settings are."""
    file = project.folder / "pillarbox.toml"
    file.write_text(file.read_text("utf-8") + f"\n[join]\n{line}\n", "utf-8")
    assert words in project.run("supporters", "joining", expect=1).stderr
