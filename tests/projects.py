"""Tiny real projects for the tests: settings, a small letter, a list, a local SendGrid."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

APPEAL = """
title = "A letter about the harbour"
subject = "The harbour needs you, {{ supporter.salutation }}"
kind = "appeal"
"""
LETTER = """# The harbour needs you

{{ supporter.salutation }},

Please help us keep the lamp burning. It has burned since 1862.

{% if supporter.first_name %}
Every gift counts, {{ supporter.first_name }}.
{% endif %}

::: donate
Give now
:::
"""
SETTINGS = """
[project]
transport = "{transport}"
[sender]
name = "The Harbour Trust"
email = "letters@harbour.example"
[links]
donate = "https://give.harbour.example/now"
"""


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
        done = subprocess.run(self.command(*arguments), cwd=ROOT, env={**os.environ, **self.environment}, text=True,
                              capture_output=True, check=False, timeout=120)
        assert done.returncode == expect, f"{arguments} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        return subprocess.Popen(self.command(*arguments), cwd=ROOT, env={**os.environ, **self.environment}, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def make(folder: Path, *, transport: str = "files", appeal: str = APPEAL, letter: str = LETTER,
         sendgrid_url: str = "", database: str = "") -> TestProject:
    """Make a project with one appeal, ``harbour``."""
    home = folder / "appeals" / "harbour"
    home.mkdir(parents=True)
    (home / "appeal.toml").write_text(appeal, "utf-8")
    (home / "letter.md").write_text(letter, "utf-8")
    (folder / "pillarbox.toml").write_text(SETTINGS.format(transport=transport), "utf-8")
    (folder / "pillarbox.key").write_text("a key for tests only, thirty-two bytes at least\n", "utf-8")
    environment = {"SENDGRID_API_KEY": "SG.test.key", "PILLARBOX_SENDGRID_URL": sendgrid_url,
                   "PILLARBOX_DATABASE_URL": database}
    return TestProject(folder=folder, environment={name: value for name, value in environment.items() if value})


def write_list(path: Path, people: Sequence[Mapping[str, str]]) -> Path:
    """Write a list file with these columns and rows."""
    columns = list(people[0])
    lines = [",".join(columns), *(",".join(person[column] for column in columns) for person in people)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def crowd(count: int) -> list[dict[str, str]]:
    """Plainly made-up supporters; every third agreed to tracking, every fifth has no name."""
    return [{"email": f"supporter{number}@example.org", "first_name": f"Name{number}" if number % 5 else "",
             "last_name": f"Surname{number}" if number % 5 else "", "tracking": "no" if number % 3 else "yes"}
            for number in range(count)]
