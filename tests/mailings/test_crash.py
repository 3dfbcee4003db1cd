"""A planner that is killed leaves nothing that could be sent. Killed senders: ``tests/lab``."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests import projects


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
