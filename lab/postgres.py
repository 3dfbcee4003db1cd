"""A PostgreSQL server of the lab's own, that can be restarted as a crash restarts it."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
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


# On a busy machine a database takes its time to recover; pg_ctl itself would wait for a minute.
_PATIENCE_SECONDS = 900


class Cluster:
    """A running server; a context manager. It keeps PostgreSQL's own settings: what is committed is on the disk.

    Args:
        address: where it listens.
        port: 0: a free one.
        within: a command that runs another one on the host that the server is to run on; empty: on this one.
        admitted: a network from which it may be reached besides.
        options: of the server, e.g. ``fsync=off``.
    """

    def __init__(self, address: str = "127.0.0.1", port: int = 0, *, within: Sequence[str] = (),
                 admitted: str = "", options: Sequence[str] = ()) -> None:
        found = binaries()
        if found is None:
            raise RuntimeError("PostgreSQL is not installed here")
        self._binaries, self._within, self._address, self.port = found, tuple(within), address, port or _free_port()
        self._options = " ".join(f"-c {option}" for option in (f"listen_addresses={address}", *options))
        self._home = Path(tempfile.mkdtemp(prefix="pillarbox-lab-pg-"))
        if name := user():
            shutil.chown(self._home, name)
        try:
            self._run("initdb", "-U", "pillarbox", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
            if admitted:
                with (self._home / "data" / "pg_hba.conf").open("a") as file:
                    file.write(f"host all all {admitted} trust\n")
            self.start()
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise

    @property
    def url(self) -> str:
        """Of the server, without a database's name."""
        return f"postgresql://pillarbox@{self._address}:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._run("pg_ctl", "-w", "-t", str(_PATIENCE_SECONDS), "-l", f"{self._home}/log", "-o",
                  f"-p {self.port} -k {self._home} -c max_connections=200 {self._options}", "start")

    def stop(self) -> None:
        """Stop at once, as a crash would: every connection is lost, and starting recovers from the log."""
        self._run("pg_ctl", "-m", "immediate", "-w", "-t", str(_PATIENCE_SECONDS), "stop")

    def create(self, template: str = "template1", tablespace: str = "pg_default") -> str:
        """Make a database, a copy of ``template``; returns its name."""
        name = f"lab{secrets.token_hex(5)}"
        self._admin(f"CREATE DATABASE {name} TEMPLATE {template} TABLESPACE {tablespace}")
        # Sequences of a copy fall back to where the template's stood when the server crashes before its next checkpoint
        # (seen with 15.18), and give numbers that are taken. Only a copy so young as the lab's are can meet that.
        self._admin("CHECKPOINT")
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
        with suppress(subprocess.SubprocessError):  # it may have been stopped already
            self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def _admin(self, statement: str) -> None:
        admin = create_engine(f"{self.url.replace('postgresql', 'postgresql+psycopg')}/postgres",
                              isolation_level="AUTOCOMMIT")
        try:
            with admin.connect() as connection:
                connection.execute(text(statement))
        finally:
            admin.dispose()

    def _run(self, tool: str, *arguments: str) -> None:
        words, name = [str(self._binaries / tool), "-D", f"{self._home}/data", *arguments], user()
        if self._within:  # to get there takes root, which PostgreSQL does not want to be
            words = [*self._within, "setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups", *words]
        subprocess.run(words, check=True, user=None if self._within else name, cwd=self._home,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]},
                       timeout=2 * _PATIENCE_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
