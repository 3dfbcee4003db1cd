"""The real commands, as processes of their own: with which program, where, and in which environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.patience import BrokenError, UnjudgedError

ROOT = Path(__file__).resolve().parent.parent
# A worker without the extra `pillarbox[cluster]`, on a machine that has it.
_PLAIN = ("import sys; from pillarbox.runner import queue; queue.usable = lambda store: False; "
          "from pillarbox.cli.main import main; main(sys.argv[1:])")
# So long a command may take on a busy machine before nobody waits for it any more.
LONGEST_SECONDS = 1_800.0
# SQLite's one writer's lock was waited for a whole minute: that says how busy the machine is, and nothing else.
LOCKED = "database is locked"
_TRIES = 5
# How a process begins. Where Python has been started already, it may be copied instead.
begin: Callable[..., Any] = subprocess.Popen


def pillarbox(folder: Path, *arguments: str, plain: bool = False) -> list[str]:
    """The command line of a Pillarbox command in a project.

    Args:
        folder: the project's.
        arguments: the command and its own.
        plain: as if the extra for several hosts were not installed.
    """
    program = ["-c", _PLAIN] if plain else ["-m", "pillarbox"]
    return [sys.executable, *program, "-C", str(folder), *arguments]


def environment() -> dict[str, str]:
    """The environment of every command: nothing of this shell's Pillarbox."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("PILLARBOX_", "SENDGRID_"))}


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever its exit code.

    Raises:
        UnjudgedError: it does not end.
    """
    process = begin(command, cwd=ROOT, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise UnjudgedError(f"{' '.join(command[-4:])} did not end in {LONGEST_SECONDS:,.0f} s") from None
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def must(command: list[str]) -> str:
    """Run a command that must succeed; what it printed.

    Raises:
        BrokenError: it failed.
        UnjudgedError: it does not end, or waited for the database's lock in vain, however often it was run.
    """
    for _ in range(_TRIES):
        done = run(command)
        if done.returncode == 0:
            return done.stdout
        if LOCKED not in done.stdout + done.stderr:
            raise BrokenError(f"{' '.join(command[-4:])} gave {done.returncode}: {done.stdout}{done.stderr}")
    raise UnjudgedError(f"{' '.join(command[-4:])} waited {_TRIES} times in vain for the database's lock")
