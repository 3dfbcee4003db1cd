"""Whether a process still lives is said only where it can be known."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from pillarbox.ground import process
from pillarbox.ground.process import Worker


def test_this_process_lives_and_an_ended_one_does_not() -> None:
    """By its number and its start."""
    assert not Worker.this().surely_dead
    child = subprocess.run([sys.executable, "-c", "from pillarbox.ground.process import Worker; print(Worker.this())"],
                           capture_output=True, text=True, check=True)
    ended = Worker.parse(child.stdout.strip())
    assert ended is not None
    assert ended.surely_dead


def test_a_process_of_another_container_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number means another process here: only its lease tells."""
    there = replace(Worker.this(), pid=2**22 - 3)
    assert there.surely_dead, "on this machine nobody has this number"
    real = process.Path.readlink
    monkeypatch.setattr(process.Path, "readlink", lambda path: (
        process.Path("pid:[4026999999]") if str(path) == "/proc/self/ns/pid" else real(path)))
    assert not there.surely_dead
    here = Worker.this()
    assert (here.machine != there.machine, here.surely_dead) == (True, False)
    assert Worker.parse(str(here)) == here
    assert os.getpid() == here.pid
