"""Ledgers of made-up supporters: planned once an engine, then copied for every round."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine

from lab.postgres import Cluster
from lab.server import KEY, ROOT

MAILING = "harbour"
_APPEAL = """
title = "A letter about the harbour"
subject = "The harbour needs you, {{ supporter.salutation }}"
kind = "appeal"
"""
_LETTER = """# The harbour needs you

{{ supporter.salutation }},

Please help us keep the lamp burning. It has burned since 1862.

{% if supporter.first_name %}
Every gift counts, {{ supporter.first_name }}.
{% endif %}

::: donate
Give now
:::
"""
_SETTINGS = """
[project]
transport = "sendgrid"
database = "{database}"
[sender]
name = "The Harbour Trust"
email = "letters@harbour.example"
[links]
donate = "https://give.harbour.example/now"
[sendgrid]
api_key = "{key}"
url = "{url}"
connections = {connections}
timeout_seconds = {timeout}
[backup]
nightly = false
"""
SQLITE = "sqlite:///var/pillarbox.db"
TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """A project with one planned mailing."""

    folder: Path
    database: str
    cluster: Cluster | None = None

    def command(self, *arguments: str) -> list[str]:
        """The command line of a Pillarbox command in this project."""
        return [sys.executable, "-m", "pillarbox", "-C", str(self.folder), *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever its exit code."""
        return subprocess.run(self.command(*arguments), cwd=ROOT, env=environment(), text=True, capture_output=True,
                              check=False, timeout=300)

    def must(self, *arguments: str) -> str:
        """Run a command that must succeed; what it printed."""
        done = self.run(*arguments)
        if done.returncode:
            raise RuntimeError(f"pillarbox {' '.join(arguments)} gave {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.must(*arguments, "--json"))

    def engine(self) -> Engine:
        """The database, looked at without any code of Pillarbox."""
        if self.cluster is None:
            return create_engine(f"sqlite:///{self.folder}/var/pillarbox.db", connect_args={"timeout": 60})
        return create_engine(self.database.replace("postgresql://", "postgresql+psycopg://"), pool_pre_ping=True)

    def settings(self, *, url: str, connections: int) -> None:
        """Write the settings that point at a server."""
        (self.folder / "pillarbox.toml").write_text(_SETTINGS.format(
            database=self.database, key=KEY, url=url, connections=connections, timeout=TIMEOUT_SECONDS), "utf-8")

    def copy(self, folder: Path, *, tablespace: str = "pg_default") -> Ledger:
        """The same ledger in another place, at home there."""
        database = SQLITE
        if self.cluster is not None:
            database = f"{self.cluster.url}/{self.cluster.create(self.database.rpartition('/')[2], tablespace)}"
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        made = Ledger(folder=folder, database=database, cluster=self.cluster)
        made.settings(url="http://127.0.0.1:9", connections=1)
        made.must("store", "adopt")
        return made

    def delete(self) -> None:
        """Nothing of it stays."""
        if self.cluster is not None:
            self.cluster.drop(self.database.rpartition("/")[2])
        shutil.rmtree(self.folder, ignore_errors=True)


def environment() -> dict[str, str]:
    """The environment of every command: nothing of this shell's Pillarbox."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("PILLARBOX_", "SENDGRID_"))}


def make(folder: Path, supporters: int, cluster: Cluster | None = None) -> Ledger:
    """A project with one appeal, planned for so many made-up supporters, by the real commands."""
    home = folder / "appeals" / MAILING
    home.mkdir(parents=True)
    (home / "appeal.toml").write_text(_APPEAL, "utf-8")
    (home / "letter.md").write_text(_LETTER, "utf-8")
    (folder / "pillarbox.key").write_text("a key for the lab only, thirty-two bytes at least\n", "utf-8")
    people = folder / "people.csv"
    people.write_text("email,first_name,last_name,tracking\n" + "".join(
        f"supporter{n}@example.org,{f'Name{n}' if n % 5 else ''},{f'Surname{n}' if n % 5 else ''},"
        f"{'no' if n % 3 else 'yes'}\n" for n in range(supporters)), "utf-8")
    made = Ledger(folder=folder, database=SQLITE if cluster is None else f"{cluster.url}/{cluster.create()}",
                  cluster=cluster)
    made.settings(url="http://127.0.0.1:9", connections=1)
    made.must("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "lab")
    planned = made.json("plan", MAILING, "--list", "all")["planned"]
    if planned != supporters:
        raise RuntimeError(f"planned {planned} of {supporters}")
    return made
