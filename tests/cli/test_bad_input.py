"""Bad input is normal: each gets a clear sentence and exit 1, and nothing changes."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import pytest

from pillarbox.standin.behaviour import Behaviour
from pillarbox.standin.server import Standin
from tests import projects
from tests.projects import TestProject

KEY = "SG.test.key"


def with_people(project: TestProject, folder: Path, people: list[dict[str, str]] | None = None) -> TestProject:
    """The project with a list called ``all``."""
    path = projects.write_list(folder / "list.csv", people or projects.crowd(12))
    project.run("lists", "import", str(path), "--list", "all", "--basis", "consent", "--source", "test")
    return project


def refused(project: TestProject, *arguments: str) -> str:
    """What a refused command says; it never shows a trace."""
    said = project.run(*arguments, expect=1).stderr
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize(("letter", "line", "words"), [
    ("# Hello\n\nDear {{ supporter.nickname }},\n", 3, "nickname"),
    ("# Hello\n\nDear friend,\n\n{% if supporter.title %}\nNo end.\n", 5, "if"),
    ("# Hello\n\n{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}\n", 3, ""),
    ("# Hello\n\n{{ supporter.__class__.__mro__ }}\n", 3, "may read its fields"),
    ("# Hello\n\n{{ ''.__class__.__mro__[1].__subclasses__() }}\n", 3, "may read its fields"),
    ("# Hello\n\n{{ '%s' % supporter.update({'a': 1}) }}\n", 3, ""),
], ids=["undefined", "syntax", "endless", "insides", "insides-of-text", "changing"])
def test_a_faulty_template_names_file_and_line(letter: str, line: int, words: str, tmp_path: Path) -> None:
    """And nothing is planned, so nothing can be sent."""
    project = with_people(projects.make(tmp_path / "project", letter=letter), tmp_path)
    said = refused(project, "plan", "harbour", "--list", "all")
    assert f"appeals/harbour/letter.md:{line}" in said
    assert words in said
    assert "no mailing" in refused(project, "send", "harbour", "--yes")
    checked = project.run("check", "harbour", "--json", expect=1).stdout
    assert '"ok": false' in checked
    assert f'"line": {line}' in checked


def test_a_fault_in_one_copy_names_the_supporter(tmp_path: Path) -> None:
    """Of twelve copies one cannot be composed: staff read whose."""
    people = [{**person, "town": "" if n == 7 else "Ely"} for n, person in enumerate(projects.crowd(12))]
    letter = "# Hello\n\nWe meet in {{ supporter.town }}.\n"
    project = with_people(projects.make(tmp_path / "project", letter=letter), tmp_path, people)
    assert "supporter7@example.org" in refused(project, "plan", "harbour", "--list", "all")


def test_names_cannot_write_headers_tokens_or_tags(tmp_path: Path) -> None:
    """A name with a line break, one that looks like a token, and one in HTML arrive as plain words."""
    people = projects.crowd(3)
    people[0]["first_name"] = '"Ann\nBcc: everyone@example.org"'
    people[1]["first_name"] = "x7f00001x"
    people[2]["first_name"] = "<script>alert(1)</script>"
    project = with_people(projects.make(tmp_path / "project"), tmp_path, people)
    project.run("plan", "harbour", "--list", "all")
    project.run("send", "harbour", "--yes")
    letters = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
               for path in sorted((project.folder / "var" / "mail" / "new").iterdir())]
    assert len(letters) == 3
    for letter in letters:
        assert letter["Bcc"] is None
        assert len(letter.get_all("To", [])) == 1
        html = letter.get_body(("html",))
        assert html is not None
        assert "<script>" not in html.get_content()
    plain = "\n".join(part.get_content() for letter in letters if (part := letter.get_body(("plain",))) is not None)
    assert "x7f00001x" in plain.lower()


def test_a_list_without_addresses_is_refused(tmp_path: Path) -> None:
    """The sentence names the columns that there are."""
    project = projects.make(tmp_path / "project")
    path = projects.write_list(tmp_path / "list.csv", [{"name": "Ada", "town": "Ely"}])
    said = refused(project, "lists", "import", str(path), "--list", "all", "--basis", "consent", "--source", "test")
    assert "town" in said
    assert project.json("lists", "show") == []


def test_plan_without_a_list_is_refused(tmp_path: Path) -> None:
    """A mailing to nobody in particular is none."""
    assert "--list" in refused(projects.make(tmp_path / "project"), "plan", "harbour")


def test_an_empty_audience_is_refused(tmp_path: Path) -> None:
    """Nobody has agreed to be written to: the reason is counted."""
    project = projects.make(tmp_path / "project")
    path = projects.write_list(tmp_path / "list.csv", projects.crowd(5))
    project.run("lists", "import", str(path), "--list", "all")
    assert "5 no-consent" in refused(project, "plan", "harbour", "--list", "all")


def test_a_second_send_is_refused(tmp_path: Path) -> None:
    """What has been sent is not sent again."""
    project = with_people(projects.make(tmp_path / "project"), tmp_path)
    project.run("plan", "harbour", "--list", "all")
    project.run("send", "harbour", "--yes")
    assert "has been sent already" in refused(project, "send", "harbour", "--yes")
    assert len(list((project.folder / "var" / "mail" / "new").iterdir())) == 12


@pytest.mark.parametrize("key", ["", "SG.wrong"])
def test_a_missing_or_wrong_key_stops_at_once(key: str, tmp_path: Path) -> None:
    """Nothing is marked sent, and the key is not shown."""
    with Standin(Behaviour(api_key=KEY)) as standin:
        project = projects.make(tmp_path / "project", transport="sendgrid", sendgrid_url=standin.url)
        project = TestProject(folder=project.folder, environment={**project.environment, "SENDGRID_API_KEY": key})
        with_people(project, tmp_path)
        project.run("plan", "harbour", "--list", "all")
        said = refused(project, "send", "harbour", "--yes")
        assert "SENDGRID_API_KEY" in said
        assert "SG.wrong" not in said
        assert standin.counts()["personalizations"] == 0
        assert project.json("status", "harbour")["remaining"] == 12


@pytest.mark.parametrize(("base_url", "words"), [
    ("", "base_url"), ("http://letters.harbour.org.uk", "not https"), ("https://localhost:8025", "this machine only"),
    ("https://abc.trycloudflare.com", "quick tunnel"), ("https://127.0.0.1", "this machine only")])
def test_a_live_plan_needs_an_address_that_people_can_reach(base_url: str, words: str, tmp_path: Path) -> None:
    """Otherwise nobody could unsubscribe: refused, and nothing is kept."""
    project = projects.make(tmp_path / "project", transport="sendgrid")
    environment = {**project.environment, **({"PILLARBOX_BASE_URL": base_url} if base_url else {})}
    project = TestProject(folder=project.folder, environment=environment)
    with_people(project, tmp_path)
    assert words in refused(project, "plan", "harbour", "--list", "all")


def test_no_project_here(tmp_path: Path) -> None:
    """The sentence says how to make one."""
    assert "pillarbox init" in refused(TestProject(folder=tmp_path, environment={}), "status", "harbour")


def test_wrong_usage_is_exit_2(tmp_path: Path) -> None:
    """As everywhere on a command line."""
    projects.make(tmp_path / "project").run("plan", expect=2)


def test_another_secret_key_is_refused(tmp_path: Path) -> None:
    """With the wrong key nobody who left would be recognised."""
    project = with_people(projects.make(tmp_path / "project"), tmp_path)
    (project.folder / "pillarbox.key").write_text("another key altogether, also long enough\n", "utf-8")
    assert "secret key" in refused(project, "lists", "show")


def test_a_copied_database_is_read_only_until_adoption(tmp_path: Path) -> None:
    """Two copies of one ledger could both send: a copy shows what it holds, and takes nothing."""
    project = with_people(projects.make(tmp_path / "project"), tmp_path)
    project.run("plan", "harbour", "--list", "all")
    moved = TestProject(folder=project.folder.rename(tmp_path / "copy"), environment={})
    shown = moved.run("lists", "show")
    assert "READ ONLY" in shown.stderr
    assert moved.json("status")["remaining"] == 12
    assert moved.json("report")
    for arguments in (("send", "harbour", "--yes"), ("plan", "harbour", "--list", "all"), ("pause", "harbour"),
                      ("suppressions", "add", "supporter1@example.org"), ("serve",)):
        assert "store adopt" in refused(moved, *arguments)
    moved.run("store", "adopt")
    assert moved.json("lists", "show")[0]["people"] == 12
    assert moved.json("send", "harbour", "--yes")["accepted"] == 12


def test_settings_are_checked_whole(tmp_path: Path) -> None:
    """Every fault at once, with its place."""
    project = projects.make(tmp_path / "project")
    (project.folder / "pillarbox.toml").write_text('[project]\ntransport = "pigeon"\ncolour = "red"\n', "utf-8")
    said = refused(project, "lists", "show")
    assert "transport" in said
    assert "colour" in said
