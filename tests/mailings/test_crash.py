"""A planner that is killed leaves nothing that could be sent. Killed senders: ``tests/lab``."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests import projects

CROWD = 12_000
"""They are written 5,000 at a time."""


def test_kill_9_while_planning(tmp_path: Path) -> None:
    """A plan that dies half written leaves nothing that could be sent, and the next plan makes a whole one."""
    project = projects.make(tmp_path / "project")
    people = projects.write_list(tmp_path / "list.csv", projects.crowd(CROWD))
    project.run("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "test")
    planner = project.start("plan", "harbour", "--list", "all")
    ends = time.monotonic() + 60
    while not written(project):
        assert time.monotonic() < ends, "it never began to write"
        time.sleep(0.005)
    planner.send_signal(signal.SIGKILL)
    planner.communicate()
    assert planner.returncode == -signal.SIGKILL
    assert 0 < written(project) < CROWD
    assert "no mailing" in project.run("send", "harbour", "--yes", expect=1).stderr
    assert project.json("plan", "harbour", "--list", "all")["planned"] == CROWD


def written(project: projects.TestProject) -> int:
    """How many messages stand in the database."""
    with closing(sqlite3.connect(project.folder / "var" / "pillarbox.db")) as database:
        return int(database.execute("SELECT count(*) FROM messages").fetchone()[0])
