"""A PostgreSQL server of the lab's own, on a free loopback port, that can be restarted as a crash restarts it."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from sqlalchemy import create_engine, text


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl; None when PostgreSQL is not installed."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).parent if found else None


def user() -> str | None:
    """Whom the server runs as: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    return "postgres" if any(person.pw_name == "postgres" for person in pwd.getpwall()) else "nobody"


class Cluster:
    """A running server; a context manager. It keeps PostgreSQL's own settings: what is committed is on the disk."""

    def __init__(self) -> None:
        found = binaries()
        if found is None:
            raise RuntimeError("PostgreSQL is not installed here")
        self._binaries = found
        self._home = Path(tempfile.mkdtemp(prefix="pillarbox-lab-pg-"))
        if name := user():
            shutil.chown(self._home, name)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run("initdb", "-U", "pillarbox", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        """Of the server, without a database's name."""
        return f"postgresql://pillarbox@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._run("pg_ctl", "-w", "-l", f"{self._home}/log", "-o",
                  f"-p {self.port} -k {self._home} -c listen_addresses=127.0.0.1 -c max_connections=200", "start")

    def stop(self) -> None:
        """Stop at once, as a crash would: every connection is lost, and starting recovers from the log."""
        self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def create(self, template: str = "template1", tablespace: str = "pg_default") -> str:
        """Make a database, a copy of ``template``; returns its name."""
        name = f"lab{secrets.token_hex(5)}"
        self._admin(f"CREATE DATABASE {name} TEMPLATE {template} TABLESPACE {tablespace}")
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected."""
        self._admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def tablespace(self, folder: Path) -> str:
        """Make a tablespace in a folder; returns its name."""
        name = f"space{secrets.token_hex(5)}"
        if owner := user():
            shutil.chown(folder, owner)
        self._admin(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        return name

    def drop_tablespace(self, name: str) -> None:
        """Drop an empty tablespace."""
        self._admin(f"DROP TABLESPACE {name}")

    def close(self) -> None:
        """Stop, and delete everything."""
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def _admin(self, statement: str) -> None:
        admin = create_engine(f"postgresql+psycopg://pillarbox@127.0.0.1:{self.port}/postgres",
                              isolation_level="AUTOCOMMIT")
        try:
            with admin.connect() as connection:
                connection.execute(text(statement))
        finally:
            admin.dispose()

    def _run(self, tool: str, *arguments: str) -> None:
        subprocess.run([str(self._binaries / tool), "-D", f"{self._home}/data", *arguments], check=True, user=user(),
                       cwd=self._home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={"PATH": os.environ["PATH"]}, timeout=120)
