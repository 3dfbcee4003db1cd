"""What could not be saved is said, at every door, whatever stands in the way; and nothing is half done."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event, insert, select, text
from sqlalchemy.exc import OperationalError

from pillarbox.ground import clock
from pillarbox.ground.errors import StoreError
from pillarbox.ground.keys import new_key
from pillarbox.people import details
from pillarbox.store import connect as connecting
from pillarbox.store import schema
from pillarbox.store.connect import Store, connect
from tests.web.wishing import alice, at_work, client, form, hidden, standing


@contextmanager
def locked(store: Store, path: Path) -> Iterator[Store]:
    """Another program holds the database."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield store
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def read_only(store: Store, path: Path) -> Iterator[Store]:
    """The file may be read, not written: a disk that was mounted so after a fault."""
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    event.listen(engine, "connect", lambda connection, _record: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    yield replace(store, writer=engine)
    engine.dispose()


@contextmanager
def sealed(store: Store, path: Path) -> Iterator[Store]:
    """A copy that was moved away from."""
    yield store.only_reading(StoreError("sealed"))


@contextmanager
def full(store: Store, path: Path) -> Iterator[Store]:
    """The disk has no room: the database may not grow by a page, and every page of it is in use."""
    with store.writer.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()

    def bound(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(store.writer, "checkout", bound)
    with store.writing() as connection:  # fill what is free in the pages that there are
        for size in (3_000, 300, 30):
            _fill(connection, "x" * size)
    yield store
    event.remove(store.writer, "checkout", bound)
    with store.writer.connect() as connection:
        connection.execute(text("PRAGMA max_page_count=1073741823"))


def _fill(connection: Connection, words: str) -> None:
    """Rows of so many letters in the tables that are written to, until no more go in."""
    at = clock.now()
    for table in (schema.wish_changes, schema.passes):
        row = {"supporter_id": 1, "at": at, "source": words, "changes": {}} if table is schema.wish_changes else {
            "kind": "filler", "supporter_id": 1, "values": {"x": words}, "made_at": at,
            "expires_at": at + details.VALID}
        with suppress(OperationalError):
            while True:
                own = {"token_hash": new_key()} if table is schema.passes else {}
                with connection.begin_nested():
                    connection.execute(insert(table).values(**row, **own))


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, Path, str]]:
    """An SQLite database whose writers wait for others a moment only."""
    monkeypatch.setattr(connecting, "BUSY_SECONDS", 0.2)
    store = connect("sqlite:///unsaved.db", tmp_path)
    schema.metadata.create_all(store.writer)
    with store.writing() as connection:
        key = alice(connection)
    at_work(store)
    yield store, tmp_path / "unsaved.db", key
    store.close()


def leave(web: Any, key: str) -> Any:
    """The mail program's one click."""
    return web.post(f"/u/{key}", data={"List-Unsubscribe": "One-Click"})


def choose(web: Any, key: str) -> Any:
    """The preferences form."""
    return web.post(f"/p/{key}", data=form(web.get(f"/p/{key}").text, frequency="monthly", pause="", tracking=None))


def ask(web: Any, key: str) -> Any:
    """For the link to the details."""
    return web.post(f"/p/{key}/link")


@pytest.mark.parametrize("trouble", [locked, read_only, sealed, full])
@pytest.mark.parametrize("deed", [leave, choose, ask])
def test_what_could_not_be_saved_is_said(opened: tuple[Store, Path, str], trouble: Callable[..., Any],
                                         deed: Callable[..., Any]) -> None:
    """A page that says so, with a way out; no success in its status; nothing changed; and the next try works."""
    store, path, key = opened
    before = standing(store)
    with trouble(store, path) as troubled, client(troubled) as web:
        answer = deed(web, key)
        assert answer.status_code == 500
        assert "We could not save this" in answer.text
        assert "hello@example.org" in answer.text
        assert "Try again" in answer.text
        assert standing(store) == before
        with store.reading() as connection:
            assert connection.execute(select(schema.service_letters.c.id)).first() is None
    with client(store) as web:
        assert deed(web, key).status_code == 200


@pytest.mark.parametrize("trouble", [locked, read_only, sealed])
def test_an_undo_that_was_not_saved_is_still_good(opened: tuple[Store, Path, str], trouble: Callable[..., Any]) -> None:
    """The pass is used up with the undo or not at all; the page sends the same once more."""
    store, path, key = opened
    before = standing(store)
    with client(store) as web:
        token = hidden(leave(web, key).text, "undo")
    with trouble(store, path) as troubled, client(troubled) as web:
        answer = web.post(f"/u/{key}/undo", data={"undo": token})
        assert answer.status_code == 500
        assert hidden(answer.text, "undo") == token
    with client(store) as web:
        web.post(f"/u/{key}/undo", data={"undo": token})
    assert standing(store) == before


def test_a_database_that_is_away_is_said(opened: tuple[Store, Path, str]) -> None:
    """A page that cannot be looked up says that the fault is ours."""
    store, _, key = opened
    schema.metadata.drop_all(store.writer)
    with client(store) as web:
        for path in ("u", "p", "details", "address"):
            answer = web.get(f"/{path}/{key}")
            assert answer.status_code == 503
            assert "Something went wrong" in answer.text
