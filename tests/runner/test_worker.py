"""The worker, as processes: it sends what is due, drains when told, and survives what befalls it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pillarbox.ground import clock
from pillarbox.standin.behaviour import Behaviour
from pillarbox.standin.server import Standin
from pillarbox.store import mailings
from pillarbox.store.project import Project, open_project
from tests import projects
from tests.projects import TestProject

KEY = "SG.test.key"
ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


def made(folder: Path, count: int, **more: str) -> TestProject:
    """A project with a list called ``all``."""
    project = projects.make(folder / "p", **more)
    path = projects.write_list(folder / "list.csv", projects.crowd(count))
    project.run("lists", "import", str(path), "--list", "all", "--basis", "consent", "--source", "test")
    return project


def until(what: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)


def database(engine: str, request: pytest.FixtureRequest) -> str:
    """The database of a test on one engine."""
    return "" if engine == "sqlite" else str(request.getfixturevalue("postgres_database"))


def as_if(project: TestProject, name: str, monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    """Write some columns of a mailing, as another part of the program would have."""
    for key, value in project.environment.items():
        monkeypatch.setenv(key, value)
    inside: Project = open_project(project.folder)
    with inside.store.writing() as connection:
        mailings.change(connection, mailings.find(connection, name).id, **values)
    inside.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_two_workers_share_what_is_due(engine: str, tmp_path: Path, request: pytest.FixtureRequest,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailing whose time comes is started once and sent once, however many workers there are; SIGTERM ends each."""
    with Standin(Behaviour(api_key=KEY, latency_seconds=0.1)) as standin:
        project = made(tmp_path, 1_500, transport="sendgrid", sendgrid_url=standin.url,
                       database=database(engine, request))
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        workers = [project.start("worker") for _ in range(2)]
        try:
            time.sleep(2)
            assert standin.counts()["requests"] == 0, "nobody asked for it to be sent"
            as_if(project, name, monkeypatch, send_at=clock.now() + timedelta(seconds=1), send_by="Alice")
            until(lambda: project.json("status", name)["state"] == "sent")
        finally:
            for one in workers:
                one.send_signal(signal.SIGTERM)
            said = [one.communicate(timeout=20)[0] for one in workers]
        assert [one.returncode for one in workers] == [0, 0], said
        assert sum(f"{name} is started, as Alice asked" in words for words in said) >= 1, said
        found = standin.counts()
        assert (found["personalizations"], found["duplicates"]) == (1_500, 0)


def test_sigterm_lets_the_request_in_flight_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left in doubt, nothing new starts, exit 0; the next worker goes on from there."""
    with Standin(Behaviour(api_key=KEY, latency_seconds=1.0)) as standin:
        project = made(tmp_path, 1_500, transport="sendgrid", sendgrid_url=standin.url)
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        as_if(project, name, monkeypatch, send_at=clock.now())
        worker = project.start("worker")
        until(lambda: standin.counts()["requests"])
        worker.send_signal(signal.SIGTERM)
        out, err = worker.communicate(timeout=20)
        assert worker.returncode == 0, err
        found = project.json("status", name)
        assert found["state"] == "sending"
        assert found["in_doubt"] == 0
        assert 0 < found["accepted"] == standin.counts()["personalizations"] < 1_500, out
        done = project.json("worker", "--once")
        assert f"{name} is done." in done["did"] or project.json("status", name)["state"] == "sent", done
        assert standin.counts()["duplicates"] == 0
        assert project.json("status", name)["accepted"] == 1_500


def test_once_with_nothing_due(tmp_path: Path) -> None:
    """It says so and exits with 0."""
    project = made(tmp_path, 3)
    assert "Nothing is due" in project.run("worker", "--once").stdout
