"""`users`: added, listed, changed, disabled; the password from a pipe or a file, never an argument."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
from pathlib import Path

from tests import projects
from tests.projects import ROOT, TestProject


def piped(project: TestProject, *arguments: str, stdin: str) -> subprocess.CompletedProcess[str]:
    """Run a command with something in its pipe."""
    return subprocess.run(project.command(*arguments), cwd=ROOT, text=True, input=stdin, capture_output=True,
                          check=False, timeout=60)


def test_users_are_added_changed_and_disabled(tmp_path: Path) -> None:
    """The whole life of a user, in a terminal."""
    project = projects.make(tmp_path / "project")
    assert "Nobody may log in yet" in project.run("users", "list").stdout
    secret = tmp_path / "password"
    secret.write_text("heron lantern quarry\nsecond line\n", "utf-8")
    project.run("users", "add", "Ann Lee", "--role", "send", "--password-file", str(secret))
    added = piped(project, "users", "add", "Bob Wu", "--role", "view", stdin="otter saddle violin\n")
    assert added.returncode == 0, added.stderr
    project.run("users", "role", "bob wu", "prepare")
    project.run("users", "disable", "Ann Lee")
    found = {user["name"]: user for user in project.json("users", "list")["users"]}
    assert found["Ann Lee"] == {"name": "Ann Lee", "role": "send", "disabled": True, "last_login": None}
    assert found["Bob Wu"]["role"] == "prepare"
    assert "disabled" in project.run("users", "list").stdout
    project.run("users", "enable", "Ann Lee")
    assert piped(project, "users", "password", "Ann Lee", "--password-file", "-",
                 stdin="heron saddle quarry").returncode == 0


def test_what_is_wrong_is_said_and_changes_nothing(tmp_path: Path) -> None:
    """No password, a weak one, an unknown role, an unknown user, the password as an argument."""
    project = projects.make(tmp_path / "project")
    for stdin, words in (("", "No password was given"), ("short\n", "at least 12 letters")):
        refused = piped(project, "users", "add", "Ann Lee", "--role", "send", stdin=stdin)
        assert (refused.returncode, words in refused.stderr) == (1, True), refused.stderr
    project.run("users", "add", "Ann Lee", "--role", "queen", expect=2)
    project.run("users", "add", "Ann Lee", "heron lantern quarry", "--role", "send", expect=2)
    project.run("users", "disable", "Ann Lee", expect=1)
    assert project.json("users", "list") == {"users": []}


def test_a_password_is_typed_twice_and_not_shown(tmp_path: Path) -> None:
    """On a terminal it is asked for, twice, without echo."""
    project = projects.make(tmp_path / "project")
    project.run("users", "list")
    parent, child = pty.openpty()
    process = subprocess.Popen(project.command("users", "add", "Ann Lee", "--role", "view"), cwd=ROOT, stdin=child,
                               stdout=child, stderr=child, start_new_session=True)
    os.close(child)
    timer = threading.Timer(60, process.kill)
    timer.start()
    shown, typed = b"", 0
    while piece := _read(parent):
        shown += piece
        if shown.count(b": ") > typed and typed < 2:  # what is typed before the question is thrown away
            os.write(parent, b"heron lantern quarry\n")
            typed += 1
    assert process.wait(60) == 0, shown
    timer.cancel()
    assert b"heron" not in shown
    assert b"may log in" in shown
    assert len(project.json("users", "list")["users"]) == 1


def _read(parent: int) -> bytes:
    """What the terminal shows next; nothing when the program has ended (Linux says so by an error)."""
    try:
        return os.read(parent, 4096)
    except OSError:
        return b""
