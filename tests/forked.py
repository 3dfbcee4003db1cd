"""A Pillarbox command in a process of its own, copied from one that has imported what commands import.

Importing takes a command most of its time, and the tests run thousands. Nothing else is shared: the copy has its own
environment, folder, output and end, and the command's own modules are imported in it.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import reduction
from pathlib import Path
from typing import IO, Any

# Not pillarbox.cli: what it prints to is decided when it is imported.
_IMPORTED_BEFORE = [
    "alembic.command", "click", "cryptography.fernet", "jinja2", "lxml.etree", "markdown_it", "orjson", "premailer",
    "procrastinate", "psycopg", "pydantic", "rich.console", "rich.progress", "rich.table", "sendgrid",
    "sqlalchemy.dialects.sqlite", "urllib3", "pillarbox.mailings.check", "pillarbox.mailings.control",
    "pillarbox.mailings.planning",
    "pillarbox.mailings.schedules", "pillarbox.mailings.status", "pillarbox.mailings.submit", "pillarbox.people.intake",
    "pillarbox.people.rights", "pillarbox.reports.report", "pillarbox.runner.local", "pillarbox.store.migrate",
    "pillarbox.store.project", "tests.loaded",
]
_STARTER = multiprocessing.get_context("forkserver")
_STARTER.set_forkserver_preload(_IMPORTED_BEFORE)


class Started:
    """A running copy: what the tests use of ``subprocess.Popen``.

    Args:
        module: what is run, as ``python -m`` would.
        arguments: its own.
        cwd: the folder that it runs in.
        env: its whole environment.
        stdout: where what it prints goes: an open file, ``subprocess.PIPE``, or where the tests' own goes.
        stderr: the same for what it says.
        start_new_session: away from this terminal.
    """

    def __init__(self, module: str, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str],
                 stdout: IO[Any] | int | None = None, stderr: IO[Any] | int | None = None,
                 start_new_session: bool = False) -> None:
        self.args = (module, *arguments)
        ends: list[int] = []
        self.stdout, out = _leading_to(stdout, ends)
        self.stderr, err = _leading_to(stderr, ends)
        self._process = _STARTER.Process(target=_be, args=(module, tuple(arguments), str(cwd), dict(env), out, err,
                                                           start_new_session))
        self._process.start()
        for end in ends:
            os.close(end)
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code; the negative number of the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            TimeoutExpired: it has not come.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it prints and says, once it has ended; both ends of its pipes are closed then.

        Raises:
            TimeoutExpired: it goes on.
        """
        with ThreadPoolExecutor(2) as readers:
            told = [readers.submit(file.read) if file else None for file in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            out, err = (each.result() if each else "" for each in told)
        for file in (self.stdout, self.stderr):
            if file:
                file.close()
        return out, err

    def send_signal(self, number: int) -> None:
        """Signal it, if it is there."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def begin(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], **more: Any) -> Any:
    """``subprocess.Popen`` of text; a copy where ``command`` is ``python -m`` something of ours."""
    if command[0] == sys.executable and command[1] == "-m":
        known = {name: more[name] for name in ("stdout", "stderr", "start_new_session") if name in more}
        return Started(command[2], command[3:], cwd=cwd, env=env, **known)
    return subprocess.Popen(command, cwd=cwd, env=env, **{"text": True, **more})


def run(arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str],
        timeout_seconds: float) -> subprocess.CompletedProcess[str]:
    """Run ``pillarbox`` with these arguments to its end.

    Raises:
        TimeoutError: it took longer, and was killed.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = Started("pillarbox", arguments, cwd=folder, env=environment, stdout=out, stderr=err)
        try:
            code = process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise TimeoutError(f"{arguments} took longer than {timeout_seconds:g} s") from None
        said = [file.read().decode() for file in (out, err) if not file.seek(0)]
        return subprocess.CompletedProcess(arguments, code, *said)


def _leading_to(place: IO[Any] | int | None, ends: list[int]) -> tuple[IO[str] | None, _End | None]:
    """What is read here, and what a copy writes to; the end of a new pipe is noted, to be closed here."""
    if place is None:
        return None, None
    if not isinstance(place, int):
        return None, _End(place.fileno())
    reading, writing = os.pipe()
    ends.append(writing)
    return os.fdopen(reading, encoding="utf-8"), _End(writing)


class _End:
    """A descriptor that goes over to a copy as it is made."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> Any:
        return _handed_over, (reduction.DupFd(self.descriptor),)


def _handed_over(end: Any) -> _End:
    return _End(end.detach())


def _be(module: str, arguments: tuple[str, ...], folder: str, environment: dict[str, str], out: _End | None,
        err: _End | None, own_session: bool) -> None:
    """Become the command; this never returns."""
    for end, descriptor in ((out, 1), (err, 2)):
        if end:
            os.dup2(end.descriptor, descriptor)
            os.close(end.descriptor)
    if own_session:
        os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # it may be another environment's
    os.chdir(folder)
    random.seed()
    sys.path.insert(0, folder)
    sys.argv = [module, *arguments]
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - so the interpreter ends a program
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
