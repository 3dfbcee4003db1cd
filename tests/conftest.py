"""What the tests share: real stores (SQLite and PostgreSQL), a frozen cast, a project folder."""

from __future__ import annotations

import gc
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import Engine, create_engine, text

from lab.postgres import Cluster, binaries
from pillarbox.store import migrate
from pillarbox.store.connect import Store, connect
from pillarbox.store.schema import metadata
from tests import compiled

compiled.share()


def missing(what: str, words: str) -> NoReturn:
    """Skip a test for what this machine lacks; CI, which must have it, fails instead."""
    if what in os.environ.get("PILLARBOX_TEST_REQUIRE", "").split():
        pytest.fail(f"{words} (and PILLARBOX_TEST_REQUIRE asks for it)")
    pytest.skip(words)


def pytest_collection_finish() -> None:
    """All that is imported by now stays: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of our own on a free loopback port, or the one that PILLARBOX_TEST_POSTGRES names."""
    if given := os.environ.get("PILLARBOX_TEST_POSTGRES"):
        yield given
        _admin(given).dispose()
        return
    if binaries() is None:
        missing("postgres", "PostgreSQL is not installed here: its tests run in CI")
    with Cluster(options=("fsync=off",)) as server:
        yield f"{server.url}/postgres"
        _admin(f"{server.url}/postgres").dispose()


@contextmanager
def new_database(server: str, *, like: str = "") -> Iterator[str]:
    """The URL of a database of our own on a PostgreSQL server, for as long as the block lasts.

    It is empty, or a copy of the database of the URL ``like``, to which nobody may be connected.
    """
    name = f"t{secrets.token_hex(6)}"
    with _admin(server).connect() as connection:
        copied = f" TEMPLATE {like.rpartition('/')[2]}" if like else ""
        if like and (connection.dialect.server_version_info or (0,)) >= (15,):
            copied += " STRATEGY FILE_COPY"  # half the work of writing each page to the log
        connection.execute(text(f"CREATE DATABASE {name}{copied}"))
    yield f"{server.rpartition('/')[0]}/{name}"
    with _admin(server).connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@cache
def _admin(server: str) -> Engine:
    """Who makes and drops databases on a server; one connection, for as long as the tests run."""
    return create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database of our own on that server."""
    with new_database(postgres_url) as url:
        yield url


# Making each table anew for every test took five times as long as copying a database that has them.


@pytest.fixture(scope="session")
def postgres_with_tables(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with every table, to be copied."""
    with new_database(postgres_url) as url:
        _make_tables(url, tmp_path_factory.getbasetemp())
        yield url


@pytest.fixture(scope="session")
def postgres_as_opened(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database as its first opening by a project makes it, to be copied."""
    with new_database(postgres_url) as url:
        made = connect(url, tmp_path_factory.getbasetemp())
        migrate.upgrade(made)
        made.close()
        yield url


@pytest.fixture
def postgres_for_project(postgres_url: str, postgres_as_opened: str) -> Iterator[str]:
    """The URL of a database of our own on that server, whose tables a project need not make."""
    with new_database(postgres_url, like=postgres_as_opened) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with every table, to be copied."""
    folder = tmp_path_factory.mktemp("tables")
    _make_tables("sqlite:///tables.db", folder)
    return folder / "tables.db"


def _make_tables(url: str, folder: Path) -> None:
    made = connect(url, folder)
    metadata.create_all(made.writer)
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty database with every table, on each engine in turn."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_with_tables"), tmp_path / "test.db")
        opened = connect("sqlite:///test.db", tmp_path)
        yield opened
        opened.close()
        return
    like = request.getfixturevalue("postgres_with_tables")
    with new_database(request.getfixturevalue("postgres_url"), like=like) as url:
        opened = connect(url, tmp_path)
        yield opened
        opened.close()
