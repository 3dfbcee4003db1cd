"""A project with one planned mailing, of which every round gets a copy."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine

from lab import commands, harbour
from lab.postgres import Cluster
from pillarbox.store.project import open_project

SQLITE = "sqlite:///var/pillarbox.db"
KEY = "SG.crash.lab"
TIMEOUT_SECONDS = 4.0
"""Of a request; a stalled one takes longer."""
NOWHERE = "http://127.0.0.1:9"
"""A server's address, where none is."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """A project with one planned mailing."""

    folder: Path
    database: str
    cluster: Cluster | None = None

    def command(self, *arguments: str, plain: bool = False) -> list[str]:
        """The command line of a Pillarbox command in this project."""
        return commands.pillarbox(self.folder, *arguments, plain=plain)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever its exit code."""
        return commands.run(self.command(*arguments))

    def must(self, *arguments: str) -> str:
        """Run a command that must succeed; what it printed."""
        return commands.must(self.command(*arguments))

    def json(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.must(*arguments, "--json"))

    def engine(self) -> Engine:
        """The database, looked at without any code of Pillarbox."""
        if self.cluster is None:
            return create_engine(f"sqlite:///{self.folder}/var/pillarbox.db", connect_args={"timeout": 60})
        return create_engine(self.database.replace("postgresql://", "postgresql+psycopg://"), pool_pre_ping=True)

    def settings(self, *, url: str, connections: int, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Write the settings that point at a server."""
        (self.folder / "pillarbox.toml").write_text(harbour.settings(
            database=self.database, nightly=False, api_key=KEY, url=url, connections=connections,
            timeout_seconds=timeout_seconds), "utf-8")

    def copy(self, folder: Path, *, tablespace: str = "pg_default") -> Ledger:
        """The same ledger in another place, at home there."""
        database = SQLITE
        if self.cluster is not None:
            database = f"{self.cluster.url}/{self.cluster.create(self.database.rpartition('/')[2], tablespace)}"
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        made = Ledger(folder=folder, database=database, cluster=self.cluster)
        made.settings(url=NOWHERE, connections=1)
        open_project(folder, adopt=True).close()
        return made

    def delete(self) -> None:
        """Nothing of it stays."""
        if self.cluster is not None:
            self.cluster.drop(self.database.rpartition("/")[2])
        shutil.rmtree(self.folder, ignore_errors=True)


def make(folder: Path, supporters: int, cluster: Cluster | None = None) -> Ledger:
    """A project with one appeal, planned for so many made-up supporters, by the real commands."""
    harbour.write(folder)
    people = harbour.write_list(folder / "people.csv", harbour.crowd(supporters))
    made = Ledger(folder=folder, database=SQLITE if cluster is None else f"{cluster.url}/{cluster.create()}",
                  cluster=cluster)
    made.settings(url=NOWHERE, connections=1)
    made.must("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "lab")
    planned = made.json("plan", harbour.MAILING, "--list", "all")["planned"]
    if planned != supporters:
        raise RuntimeError(f"planned {planned} of {supporters}")
    return made
