"""What the tests share: real stores (SQLite and PostgreSQL), a frozen cast, a project folder."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import create_engine, text

from pillarbox.store.connect import Store, connect
from pillarbox.store.schema import metadata


def missing(what: str, words: str) -> NoReturn:
    """Skip a test for what this machine lacks; CI, which must have it, fails instead."""
    if what in os.environ.get("PILLARBOX_TEST_REQUIRE", "").split():
        pytest.fail(f"{words} (and PILLARBOX_TEST_REQUIRE asks for it)")
    pytest.skip(words)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of our own on a free loopback port, or the one that PILLARBOX_TEST_POSTGRES names."""
    if given := os.environ.get("PILLARBOX_TEST_POSTGRES"):
        yield given
        return
    binaries = _postgres_binaries()
    if binaries is None:
        missing("postgres", "PostgreSQL is not installed here: its tests run in CI")
    with tempfile.TemporaryDirectory(prefix="pillarbox-pg-") as home:
        user = _unprivileged(home)
        data = f"{home}/data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]

        def run(tool: str, *arguments: str) -> None:
            subprocess.run([str(binaries / tool), *arguments], check=True, user=user, cwd=home,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})

        run("initdb", "-D", data, "-U", "pillarbox", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        run("pg_ctl", "-D", data, "-w", "-l", f"{home}/log", "-o",
            f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off", "start")
        try:
            yield f"postgresql://pillarbox@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")


def _postgres_binaries() -> Path | None:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).parent if found else None


def _unprivileged(home: str) -> str | None:
    """PostgreSQL refuses to run as root: hand its folder to another user."""
    if os.geteuid() != 0:
        return None
    name = "postgres" if any(p.pw_name == "postgres" for p in pwd.getpwall()) else "nobody"
    shutil.chown(home, name)
    return name


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database of our own on that server."""
    name = f"t{secrets.token_hex(6)}"
    admin = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield f"{postgres_url.rpartition('/')[0]}/{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty database with every table, on each engine in turn."""
    if request.param == "sqlite":
        opened = connect("sqlite:///test.db", tmp_path)
        metadata.create_all(opened.writer)
        yield opened
        opened.close()
        return
    opened = connect(request.getfixturevalue("postgres_database"), tmp_path)
    metadata.create_all(opened.writer)
    yield opened
    opened.close()
