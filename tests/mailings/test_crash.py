"""A sender that is killed at any moment sends nothing twice and loses nothing."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import projects

SUPPORTERS = 3_000
KILLS = 10


@contextmanager
def standin(folder: Path, *arguments: str) -> Iterator[str]:
    """A local SendGrid in a process of its own, so that killing the sender cannot touch it."""
    process = subprocess.Popen([sys.executable, "-m", "pillarbox.standin", "--data", str(folder), *arguments],
                               cwd=projects.ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def counts(url: str) -> dict[str, Any]:
    """What the local SendGrid took, message by message."""
    with urllib.request.urlopen(f"{url}/_standin/counts", timeout=30) as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found


def balance(status: dict[str, Any]) -> None:
    """The states add up."""
    parts = ("accepted", "failed", "in_doubt", "cancelled", "withdrawn", "remaining")
    assert sum(status[part] for part in parts) == status["planned"] == SUPPORTERS, status


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_kill_9_at_random_moments(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Killed ten times in mid-send: no message leaves twice, the balance holds after every kill, all is settled."""
    database = "" if engine == "sqlite" else request.getfixturevalue("postgres_database")
    chance = random.Random(20261122)
    with standin(tmp_path / "standin", "--latency", "0.05", "--api-key", "SG.test.key") as url:
        project = projects.make(tmp_path / "project", transport="sendgrid", sendgrid_url=url, database=database)
        people = projects.write_list(tmp_path / "list.csv", projects.crowd(SUPPORTERS))
        project.run("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "test")
        name = project.json("plan", "harbour", "--list", "all")["mailing"]
        kills = 0
        while kills < KILLS:
            sender = project.start("send", name, "--yes")
            time.sleep(chance.uniform(0.5, 1.6))
            if sender.poll() is None:
                sender.send_signal(signal.SIGKILL)
                kills += 1
            sender.communicate()
            status = project.json("status", name)
            balance(status)
            assert counts(url)["duplicates"] == 0
            if status["remaining"] == 0:
                break
        assert kills > 0, "every run ended before its kill: make the list longer"
        _settle_and_finish(project, name, url, tmp_path)


def _settle_and_finish(project: projects.TestProject, name: str, url: str, folder: Path) -> None:
    """Events heal what did go; staff settle the rest; then everybody has exactly one letter."""
    project.start("reconcile", name).communicate()  # exit 1 when the last kill left nothing in doubt
    told = folder / "events.json"
    with urllib.request.urlopen(f"{url}/_standin/events", timeout=30) as answer:
        told.write_bytes(answer.read())
    project.run("events", "import", str(told))
    status = project.json("status", name)
    balance(status)
    assert status["accepted"] == counts(url)["personalizations"]
    if status["in_doubt"]:
        project.run("reconcile", name, "--assume", "unsent")
    if project.json("status", name)["remaining"]:
        project.run("send", name, "--yes")
    status = project.json("status", name)
    balance(status)
    assert status["accepted"] == SUPPORTERS
    found = counts(url)
    assert (found["personalizations"], found["addresses"], found["duplicates"]) == (SUPPORTERS, SUPPORTERS, 0)


def test_kill_9_while_planning(tmp_path: Path) -> None:
    """A plan that dies leaves nothing that could be sent, and the next plan makes a whole one."""
    project = projects.make(tmp_path / "project")
    people = projects.write_list(tmp_path / "list.csv", projects.crowd(20_000))
    project.run("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "test")
    planner = project.start("plan", "harbour", "--list", "all")
    time.sleep(1.2)
    planner.send_signal(signal.SIGKILL)
    planner.communicate()
    if planner.returncode == -signal.SIGKILL:
        assert "no mailing" in project.run("send", "harbour", "--yes", expect=1).stderr
    assert project.json("plan", "harbour", "--list", "all")["planned"] == 20_000
