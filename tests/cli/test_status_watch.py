"""`status --watch`: shown until the mailing has ended."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests import projects
from tests.runner.test_worker import made


def test_watching_ends_with_the_mailing(tmp_path: Path) -> None:
    """A JSON object a line for each change, the last of them the end."""
    project = made(tmp_path, 12)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    watcher = project.start("status", name, "--watch", "--json")
    assert watcher.stdout is not None
    assert json.loads(watcher.stdout.readline())["state"] == "planned"
    project.run("send", name, "--yes")
    rest, _ = watcher.communicate(timeout=60)
    assert watcher.returncode == 0
    assert json.loads(rest.splitlines()[-1])["state"] == "sent"


def test_ctrl_c_ends_the_watching_alone(tmp_path: Path) -> None:
    """Exit 0, and the mailing is as it was."""
    project = made(tmp_path, 3)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    watcher = project.start("status", name, "--watch")
    assert watcher.stdout is not None
    assert "planned" in watcher.stdout.readline()
    watcher.send_signal(signal.SIGINT)
    _, said = watcher.communicate(timeout=30)
    assert (watcher.returncode, said) == (0, "")
    assert project.json("status", name)["state"] == "planned"


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals here")
def test_on_a_terminal_it_is_redrawn(tmp_path: Path) -> None:
    """The whole status stands on the screen, and at the end it stays there."""
    project = made(tmp_path, 3)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    child, screen = pty.fork()
    if child == 0:
        os.chdir(projects.ROOT)
        os.execve(project.command()[0], project.command("status", name, "--watch"),
                  {**os.environ, **project.environment, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"})
    seen = _until(screen, "planned, not sent")
    project.run("cancel", name)
    seen += _until(screen, "cancelled")
    with suppress(OSError):  # the other end is closed: it has ended
        while os.read(screen, 65_536):
            pass
    os.close(screen)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert "A letter about the harbour" in seen


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals here")
def test_each_look_is_drawn_once(tmp_path: Path) -> None:
    """Of what one look shows nothing comes twice, and nothing is left out for it."""
    project = made(tmp_path, 3)
    name = project.json("plan", "harbour", "--list", "all")["mailing"]
    child, screen = pty.fork()
    if child == 0:
        os.chdir(projects.ROOT)
        os.execve(project.command()[0], project.command("status", name, "--watch"),
                  {**os.environ, **project.environment, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"})
    seen = ""
    while seen.count("still to go") < 4:
        seen += _until(screen, "still to go")
    os.kill(child, signal.SIGINT)
    os.close(screen)
    os.waitpid(child, 0)
    seen = seen[:seen.rindex("still to go")]
    assert "..." not in seen
    assert seen.count("nobody was mailed") == seen.count("A letter about the harbour") <= seen.count("still to go") + 1


def _until(screen: int, words: str, seconds: float = 60.0) -> str:
    seen, end = "", time.monotonic() + seconds
    while words not in seen:
        assert time.monotonic() < end, seen
        if select.select([screen], [], [], 0.5)[0]:
            seen += os.read(screen, 65_536).decode(errors="replace")
    return seen
