"""A letter that is broken, huge or hostile is a finding with its file, in check, plan and preview; never a trace."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests import projects
from tests.projects import TestProject

TOML = 'title = "x"\nsubject = "y"\n'


def appeal(project: TestProject, *, toml: str | None = TOML, letter: str | bytes | None = "Hello") -> Path:
    folder = project.folder / "appeals" / "odd"
    folder.mkdir()
    if toml is not None:
        (folder / "appeal.toml").write_text(toml, "utf-8")
    if letter is not None:
        (folder / "letter.md").write_bytes(letter if isinstance(letter, bytes) else letter.encode())
    return folder


def findings(project: TestProject, name: str = "odd") -> list[tuple[str, str, int | None]]:
    """What check says; plan and preview refuse as well, and none shows a trace."""
    for command in (("preview", name), ("plan", name, "--list", "all")):
        said = project.run(*command, expect=1).stderr
        assert "Traceback" not in said
        assert "broke inside" not in said
    checked = project.run("check", name, "--json", expect=1)
    assert "broke inside" not in checked.stderr
    return [(each["code"], each["file"], each["line"]) for each in json.loads(checked.stdout)["findings"]]


@pytest.fixture
def project(tmp_path: Path) -> TestProject:
    made = projects.make(tmp_path / "project")
    people = projects.write_list(tmp_path / "list.csv", projects.crowd(3))
    made.run("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "test")
    return made


@pytest.mark.parametrize(("toml", "letter", "found"), [
    (None, "Hello", ("missing-file", "appeals/odd/appeal.toml", None)),
    (TOML, None, ("missing-file", "appeals/odd/letter.md", None)),
    ('title = "x"\nsubject = "y\n', "Hello", ("bad-toml", "appeals/odd/appeal.toml", 2)),
    (f"{TOML}[facts]\nn = {'9' * 6000}\n", "Hello", ("bad-toml", "appeals/odd/appeal.toml", 4)),
    (f"{TOML}[facts]\nn = {'[' * 5000}{']' * 5000}\n", "Hello", ("bad-toml", "appeals/odd/appeal.toml", 4)),
    ('title = "x"\nsubject = "half a se', "Hello", ("bad-toml", "appeals/odd/appeal.toml", 2)),
    (TOML, "{# Only hints: nobody\nwould see a word. #}\n", ("empty-letter", "appeals/odd/letter.md", 1)),
    (TOML, "a\n\nb\0c", ("nul-character", "appeals/odd/letter.md", 3)),
    (TOML, b"a\n\xe9", ("not-utf-8", "appeals/odd/letter.md", 2)),
    (TOML, "word " * 1_048_576, ("too-big", "appeals/odd/letter.md", 1)),
    (TOML, "Hi\n\n[x](javascript:alert(1))", ("script-link", "appeals/odd/letter.md", 3)),
    (TOML, 'Hi\n\n{% include "../../../x" %}', ("path-outside", "appeals/odd/letter.md", 3)),
    (TOML, 'Hi\n\n{% include "letter.html" %}', ("circular-template", "appeals/odd/letter.md", 3)),
], ids=["no-toml", "no-letter", "torn-toml", "huge-number", "deep-toml",
        "saved-half-way", "hints-alone", "nul", "latin-1", "5-mb", "script-link",
        "climbing", "circle"])
def test_what_is_wrong_is_said_with_its_place(toml: str | None, letter: str | bytes | None,
                                              found: tuple[str, str, int | None], project: TestProject) -> None:
    """Check, plan and preview all refuse, and say the same."""
    appeal(project, toml=toml, letter=letter)
    assert found in findings(project)


def test_what_is_no_file_is_said(project: TestProject) -> None:
    """A folder, a pipe on which reading would wait for ever, a link to itself or out of the folder."""
    folder = appeal(project, letter=None)
    (folder / "letter.md").mkdir()
    assert ("unreadable", "appeals/odd/letter.md", None) in findings(project)
    (folder / "letter.md").rmdir()
    os.mkfifo(folder / "letter.md")
    assert ("unreadable", "appeals/odd/letter.md", None) in findings(project)
    (folder / "letter.md").unlink()
    (folder / "letter.md").symlink_to(project.folder / "pillarbox.toml")
    assert ("path-outside", "appeals/odd/letter.md", None) in findings(project)


@pytest.mark.parametrize("name", ["../odd", "Odd", "odd/../odd", "x" * 300])
def test_a_name_that_is_none_is_said(name: str, project: TestProject) -> None:
    """Nothing outside of appeals/ is read."""
    assert findings(project, name)[0][0] == "bad-name"


def test_a_script_printed_as_safe_is_an_error(project: TestProject) -> None:
    """It comes of a template, so it is seen in the finished letter; its line is told."""
    appeal(project, letter='Hi\n\n{{ "<script>alert(1)</script>" | safe }}')
    checked = project.run("check", "odd", "--json", expect=1)
    assert '"code": "script"' in checked.stdout
    assert '"line": 3' in checked.stdout
