"""Doubt, corrections and the span, as staff meet them in the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pillarbox.standin.behaviour import Act, Behaviour, Fault, Stage
from pillarbox.standin.server import Standin
from tests import projects
from tests.projects import TestProject

KEY = "SG.test.key"
LOST = {1: Fault(act=Act.CLOSE, stage=Stage.AFTER_ACCEPTING), 2: Fault(act=Act.CLOSE, stage=Stage.AFTER_READING)}


def with_people(project: TestProject, folder: Path, count: int = 12) -> TestProject:
    """The project with a list called ``all``."""
    path = projects.write_list(folder / "list.csv", projects.crowd(count))
    project.run("lists", "import", str(path), "--list", "all", "--basis", "consent", "--source", "test")
    return project


def test_reconcile_tells_each_way_and_who_decided(tmp_path: Path) -> None:
    """Found at SendGrid, then by decision with its warning; a second time there is nothing to do: exit 1."""
    with Standin(Behaviour(api_key=KEY, activity=True, activity_limit=100, faults=LOST)) as server:
        project = with_people(projects.make(tmp_path / "project", transport="sendgrid", sendgrid_url=server.url),
                              tmp_path)
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        project.run("send", name, "--yes")
        doubt = project.json("status", name)["in_doubt"]
        there = len({one.address for one in server.messages if one.request_id == server.messages[0].request_id})
        assert 0 < there < doubt
        assert f"pillarbox reconcile {name}" in project.run("status", name).stdout
        told = project.run("reconcile", name).stdout
        assert "found at SendGrid" in told
        assert "--assume unsent --by" in told
        done = project.json("reconcile", name, "--assume", "unsent", "--by", "Ada Staff")
        assert done["ways"] == {"events": 0, "search": 0, "staff": doubt - there}
        assert (done["by"], done["in_doubt"], done["assumed"]) == ("Ada Staff", 0, "unsent")
        assert "gets it twice" in done["warning"]
        project.run("send", name, "--yes")
        assert server.counts()["duplicates"] == 0
        assert server.counts()["addresses"] == 12
        assert "it is known whether it went" in project.run("reconcile", name, expect=1).stderr


def test_without_the_add_on_the_terminal_says_so(tmp_path: Path) -> None:
    """And the warning about letters that may come twice is read before anything is sent."""
    with Standin(Behaviour(api_key=KEY, faults=LOST)) as server:
        project = with_people(projects.make(tmp_path / "project", transport="sendgrid", sendgrid_url=server.url),
                              tmp_path)
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        project.run("send", name, "--yes")
        told = project.run("reconcile", name, "--assume", "unsent").stdout
        assert "additional email activity history" in told
        assert "gets it twice" in told
        assert "Nothing" not in told


def test_correct_begins_a_letter_then_plans(tmp_path: Path) -> None:
    """First the folder and exit 1, then the mailing."""
    project = with_people(projects.make(tmp_path / "project"), tmp_path)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    project.run("send", name, "--yes")
    said = project.run("correct", name, expect=1).stderr
    assert "appeals/harbour-correction" in said.replace("\\", "/")
    letter = project.folder / "appeals" / "harbour-correction" / "letter.md"
    assert "write_here_what_was_wrong" in project.run("correct", name, expect=1).stderr
    letter.write_text("{{ supporter.salutation }},\n\nThe date was wrong. We are sorry.\n", "utf-8")
    done = project.json("correct", name)
    assert (done["appeal"], done["planned"], done["corrects"]) == ("harbour-correction", 12, name)
    assert done["edition"] == name
    project.run("send", done["mailing"], "--yes")
    assert "has been sent already" in project.run("correct", name, expect=1).stderr


def test_a_cancelled_mailing_is_not_resumed(tmp_path: Path) -> None:
    """A sentence, exit 1, and it stays cancelled; the same for what else does not fit."""
    project = with_people(projects.make(tmp_path / "project"), tmp_path)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    assert "not paused" in project.run("resume", name, expect=1).stderr
    project.run("pause", name)
    assert "paused already" in project.run("pause", name, expect=1).stderr
    project.run("cancel", name, "--reason", "wrong picture")
    for command in ("resume", "pause", "cancel"):
        said = project.run(command, name, expect=1).stderr
        assert "was cancelled (wrong picture)" in said
        assert "nothing was changed" in said
    assert "plan it again" in project.run("resume", name, expect=1).stderr
    assert project.json("status", name)["state"] == "cancelled"


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_two_plans_of_the_same_mailing_at_once(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Two processes: one plans, the other is refused in a sentence; what is planned is whole and can be sent."""
    database = "" if engine == "sqlite" else request.getfixturevalue("postgres_for_project")
    project = with_people(projects.make(tmp_path / "project", database=database), tmp_path, 10_000)
    both = [project.start("plan", "harbour", "--list", "all", "--json", "--again", "spring") for _ in range(2)]
    told = [process.communicate(timeout=120) for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes == [0, 1], told
    for (out, fault), process in zip(told, both, strict=True):
        assert "Traceback" not in fault
        if process.returncode:
            assert "is being planned at this moment" in fault
        else:
            planned = json.loads(out)
    assert planned["planned"] == 10_000
    assert project.json("status", "harbour")["remaining"] == 10_000


def test_the_span_is_an_option(tmp_path: Path) -> None:
    """A number of hours; anything else is a matter of usage."""
    project = with_people(projects.make(tmp_path / "project"), tmp_path)
    assert project.json("plan", "harbour", "--list", "all", "--span", "48")["planned"] == 12
    assert "--span" in project.run("plan", "harbour", "--list", "all", "--span", "-1", expect=2).stderr
    assert "--span" in project.run("plan", "harbour", "--list", "all", "--span", "soon", expect=2).stderr
