"""Tiny real projects for the tests: settings, a small letter, a list, a local SendGrid."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lab import harbour
from lab.harbour import APPEAL as APPEAL
from lab.harbour import LETTER as LETTER
from lab.harbour import crowd as crowd
from lab.harbour import write_list as write_list
from pillarbox.store import migrate
from pillarbox.store.connect import connect
from tests import forked

# The shipped layout in little of its style: finding what each rule is for is half of composing a small letter.
# How letters look is seen in tests/compose, tests/golden and tests/seeing.
_LIGHT = {
    "letter.css": "p { margin: 0 0 16px; } .small { font-size: 14px; }\n", "newsletter.css": "", "components.css": "",
    "responsive.css": "", "components-responsive.css": "", "dark.html": "{% macro rules(at) %}{% endmacro %}\n"}
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class TestProject:
    """A project folder and the environment that its commands run in."""

    __test__ = False
    folder: Path
    environment: Mapping[str, str]

    def command(self, *arguments: str) -> list[str]:
        """The command line of a Pillarbox command in this project."""
        return [sys.executable, "-m", "pillarbox", "-C", str(self.folder), *arguments]

    def run(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; its exit code must be ``expect``."""
        done = forked.run(("-C", str(self.folder), *arguments), folder=ROOT,
                          environment={**os.environ, **self.environment}, timeout_seconds=120)
        assert done.returncode == expect, f"{arguments} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def start(self, *arguments: str) -> forked.Started:
        """Start a command and leave it running."""
        return forked.Started("pillarbox", ("-C", str(self.folder), *arguments), cwd=ROOT,
                              env={**os.environ, **self.environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@cache
def _with_tables() -> Path:
    """A database file to be copied: making each table anew takes longer than most tests."""
    home = Path(tempfile.mkdtemp(prefix="pillarbox-tables-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    made = connect("sqlite:///tables.db", home)
    migrate.upgrade(made)
    made.close()
    return home / "tables.db"


def make(folder: Path, *, transport: str = "files", appeal: str = APPEAL, letter: str = LETTER,
         sendgrid_url: str = "", database: str = "", light: bool = True) -> TestProject:
    """Make a project with one appeal, ``harbour``, whose own database has its tables.

    Args:
        light: its letters have the shipped layout with little of its style.
    """
    harbour.write(folder, appeal=appeal, letter=letter)
    if light:
        (folder / "templates").mkdir()
        for name, text in _LIGHT.items():
            (folder / "templates" / name).write_text(text, "utf-8")
    (folder / "var").mkdir(mode=0o700)
    shutil.copy(_with_tables(), folder / "var" / "pillarbox.db")
    (folder / "pillarbox.toml").write_text(harbour.settings(transport), "utf-8")
    environment = {"SENDGRID_API_KEY": "SG.test.key", "PILLARBOX_SENDGRID_URL": sendgrid_url,
                   "PILLARBOX_DATABASE_URL": database}
    return TestProject(folder=folder, environment={name: value for name, value in environment.items() if value})
