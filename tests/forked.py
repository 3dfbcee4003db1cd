"""A Pillarbox command in a process of its own, copied from one that has imported what commands import.

Importing takes a command most of its time, and the tests run thousands. Nothing else is shared: the copy has its own
environment, folder, output and end, and the command's own modules are imported in it.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import runpy
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

# Not pillarbox.cli: what it prints to is decided when it is imported.
_IMPORTED_BEFORE = [
    "alembic.command", "click", "cryptography.fernet", "jinja2", "lxml.etree", "markdown_it", "orjson", "premailer",
    "pydantic", "rich.console", "rich.progress", "rich.table", "sendgrid", "sqlalchemy.dialects.sqlite", "urllib3",
    "pillarbox.mailings.check", "pillarbox.mailings.control", "pillarbox.mailings.planning",
    "pillarbox.mailings.schedules", "pillarbox.mailings.status", "pillarbox.mailings.submit", "pillarbox.people.intake",
    "pillarbox.people.rights", "pillarbox.reports.report", "pillarbox.runner.local", "pillarbox.store.migrate",
    "pillarbox.store.project", "tests.loaded",
]
_STARTER = multiprocessing.get_context("forkserver")
_STARTER.set_forkserver_preload(_IMPORTED_BEFORE)


def run(arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str],
        timeout_seconds: float) -> subprocess.CompletedProcess[str]:
    """Run ``pillarbox`` with these arguments to its end.

    Raises:
        TimeoutError: it took longer, and was killed.
    """
    with tempfile.TemporaryDirectory() as outputs:
        said = [Path(outputs) / name for name in ("out", "err")]
        process = _STARTER.Process(target=_be, args=(tuple(arguments), str(folder), dict(environment),
                                                     *(str(path) for path in said)))
        process.start()
        process.join(timeout_seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"{arguments} took longer than {timeout_seconds:g} s")
        out, err = (path.read_text("utf-8") if path.exists() else "" for path in said)
        return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _be(arguments: tuple[str, ...], folder: str, environment: dict[str, str], out: str, err: str) -> None:
    """Become the command; this never returns."""
    for path, descriptor in ((out, 1), (err, 2)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    random.seed()
    sys.path.insert(0, folder)
    sys.argv = ["pillarbox", *arguments]
    code = 0
    try:
        runpy.run_module("pillarbox", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - so the interpreter ends a program
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
