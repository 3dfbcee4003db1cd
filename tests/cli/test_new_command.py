"""``new``: a folder that reads like a good letter, that checks without an error, and that says what is left to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import projects
from tests.projects import TestProject


@pytest.fixture
def project(tmp_path: Path) -> TestProject:
    return projects.make(tmp_path / "project")


@pytest.mark.parametrize("kind", ["appeal", "newsletter", "message"])
def test_a_new_letter_checks_without_an_error(kind: str, project: TestProject) -> None:
    """Of any kind; what waits for the writer's words is a warning that names the lines, and nothing else is said."""
    said = project.run("new", "winter-2026", "--kind", kind).stdout
    assert "pillarbox preview winter-2026" in said
    letter = (project.folder / "appeals" / "winter-2026" / "letter.md").read_text("utf-8")
    assert "{#" in letter
    assert "%" not in letter.replace("{%", "").replace("%}", "")
    found = project.json("check", "winter-2026")
    assert found["ok"]
    waits = [each for each in found["findings"] if each["code"] == "not-yet-written"]
    assert waits
    assert all(each["level"] != "error" for each in found["findings"])
    assert any("lines" in each["message"] for each in waits)


def test_an_appeal_asks_as_a_good_letter_does(project: TestProject) -> None:
    """One person first, two buttons, sums with what they do, a quotation, a signature, a P.S., a source."""
    project.run("new", "winter")
    letter = (project.folder / "appeals" / "winter" / "letter.md").read_text("utf-8")
    for part in ("::: donate", "::: ask-ladder", "::: pull-quote", "::: signature", "::: ps", "[^numbers]:"):
        assert part in letter
    project.run("preview", "winter", "--out", str(project.folder / "out"))
    text = (project.folder / "out" / "winter-2.txt").read_text("utf-8")
    assert text.startswith("Subject: Will you help?\n")
    assert "{#" not in text


def test_without_a_donation_page_one_is_set_and_said(project: TestProject) -> None:
    """The letter still composes; staff read that the page is no real one."""
    settings = project.folder / "pillarbox.toml"
    settings.write_text(settings.read_text("utf-8").replace('donate = "https://give.harbour.example/now"', ""), "utf-8")
    assert "no donation page yet" in project.run("new", "winter").stdout
    assert project.json("check", "winter")["ok"]


def test_a_copy_says_what_to_change(project: TestProject) -> None:
    """Its words come along, its subject does not; it checks without an error."""
    said = project.run("new", "harbour-again", "--from", "harbour").stdout
    assert "subject: write a new one" in said
    folder = project.folder / "appeals" / "harbour-again"
    assert (folder / "letter.md").read_text("utf-8") == projects.LETTER
    assert 'title = "Harbour again"' in (folder / "appeal.toml").read_text("utf-8")
    assert project.json("check", "harbour-again")["ok"]


def test_a_reminder_leaves_out_who_has_given(project: TestProject, tmp_path: Path) -> None:
    """In the first letter's series, with the saved rule and the plan command that work as they are printed."""
    people = projects.write_list(tmp_path / "list.csv", projects.crowd(6))
    project.run("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "test")
    project.run("plan", "harbour", "--list", "all")
    project.run("send", "harbour", "--yes")
    said = project.run("new", "harbour-reminder", "--reminder-of", "harbour").stdout
    toml = (project.folder / "appeals" / "harbour-reminder" / "appeal.toml").read_text("utf-8")
    letter = (project.folder / "appeals" / "harbour-reminder" / "letter.md").read_text("utf-8")
    assert 'series = "harbour"' in toml
    assert "“A letter about the harbour”" in letter
    assert 'add series = "harbour"' in said
    rule = said[said.index("[gave-since-"):].partition("\n\n")[0]
    command = next(line for line in said.split("\n") if "pillarbox plan" in line).split()
    assert command[-2:] == ["--exclude", rule[1:].partition("]")[0]]
    (project.folder / "lists").mkdir(exist_ok=True)
    with (project.folder / "lists" / "segments.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join(line.strip() for line in rule.split("\n")) + "\n")
    assert project.json("check", "harbour-reminder")["ok"]
    planned = project.json(*command[command.index("plan"):], "--span-hours", "0") if _spans(project) else project.json(
        *command[command.index("plan"):])
    assert planned["appeal"] == "harbour-reminder"


def _spans(project: TestProject) -> bool:
    return "--span-hours" in project.run("plan", "--help").stdout


@pytest.mark.parametrize(("arguments", "words"), [
    (("harbour",), "already"), (("../x",), "no name"), (("Big",), "no name"), (("x", "--from", "nobody"), "no appeal"),
    (("x", "--from", "../../etc"), "no appeal"), (("x", "--reminder-of", "nobody"), "no mailing"),
    (("x", "--kind", "message", "--from", "harbour"), "one way")])
def test_what_cannot_be_begun_is_refused(arguments: tuple[str, ...], words: str, project: TestProject) -> None:
    """With a sentence and exit 1, and nothing is made."""
    before = sorted((project.folder / "appeals").rglob("*"))
    said = project.run("new", *arguments, expect=1).stderr
    assert words in said
    assert "Traceback" not in said
    assert sorted((project.folder / "appeals").rglob("*")) == before
