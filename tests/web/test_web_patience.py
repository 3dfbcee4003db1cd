"""Who sits before a page waits for the database a few seconds, and is told when that is not enough."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from pillarbox.ground.errors import StoreError
from pillarbox.mailings import service
from pillarbox.store import connect as connecting
from pillarbox.store import schema
from pillarbox.store.connect import Store, connect
from pillarbox.web import site as pages
from pillarbox.web.hooks.lane import THREADS
from pillarbox.web.serve import background
from tests.mailings.conftest import project
from tests.signing import Signer, body
from tests.signing import event as happened
from tests.web.joining import letters, link_of, visiting, with_form
from tests.web.site import PROJECT, rows, settings_for
from tests.web.wishing import alice, at_work

__all__ = ["project"]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, Path, str]]:
    """An SQLite database; visitors' patience is short, everybody else's as always."""
    monkeypatch.setattr(pages, "PATIENCE_SECONDS", 0.4)
    store = connect("sqlite:///patience.db", tmp_path)
    schema.metadata.create_all(store.writer)
    with store.writing() as connection:
        key = alice(connection)
    at_work(store)
    yield store, tmp_path / "patience.db", key
    store.close()


def test_a_held_database_is_waited_for_a_moment(opened: tuple[Store, Path, str]) -> None:
    """Another program holds it: many visitors at once each get their word in seconds, and the next try works."""
    store, path, key = opened
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with background(store, settings_for(Signer()), PROJECT) as base, ThreadPoolExecutor(12) as visitors:
        since = time.monotonic()
        answers = list(visitors.map(lambda _: httpx.post(f"{base}/u/{key}", data={"leave": "yes"}, timeout=30),
                                    range(12)))
        assert time.monotonic() - since < 5
        assert {answer.status_code for answer in answers} == {500}
        assert all("We could not save this" in answer.text for answer in answers)
        assert rows(store, schema.suppressions.c.reason) == []
        other.execute("ROLLBACK")
        assert httpx.post(f"{base}/u/{key}", data={"leave": "yes"}).status_code == 200
    other.close()


def test_patience_does_not_stick_to_a_connection(opened: tuple[Store, Path, str]) -> None:
    """A connection that a visitor used waits as long as ever for a program that has the time."""
    store, _, _ = opened
    with store.hurried(0.4).writing() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 400
    with store.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == connecting.BUSY_SECONDS * 1_000


def test_who_waits_for_a_lock_is_told(store: Store) -> None:
    """On each engine: what a thread of the same server holds is waited for as briefly."""
    with store.writing() as connection:
        alice(connection)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store.writing() as connection:
            connection.execute(schema.supporters.update().values(title="Dr"))
            held.set()
            done.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    since = time.monotonic()
    try:
        with pytest.raises(StoreError) as fault, store.hurried(0.4).writing() as connection:
            connection.execute(schema.supporters.update().values(title="Mx"))
        assert fault.value.retry
        assert time.monotonic() - since < 5
    finally:
        done.set()
        holder.join()
    with store.hurried(0.4).writing() as connection:
        connection.execute(schema.supporters.update().values(title="Mx"))


def test_a_flood_of_posts_leaves_threads_for_pages(opened: tuple[Store, Path, str]) -> None:
    """While more posts than there are threads wait for the database, a page is shown at once."""
    store, path, key = opened
    signer = Signer()
    raw = body([happened("delivered")])
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with background(store, settings_for(signer), PROJECT) as base, ThreadPoolExecutor(60) as senders:
        posts = [senders.submit(httpx.post, f"{base}/hooks/sendgrid", content=raw, headers=signer.headers(raw),
                                timeout=90) for _ in range(60)]
        try:
            time.sleep(1)
            assert not any(post.done() for post in posts)
            assert httpx.get(f"{base}/u/{key}", timeout=5).status_code == 200
        finally:
            other.execute("ROLLBACK")
        assert {post.result().status_code for post in posts} == {204}
    other.close()
    assert THREADS < 40


@pytest.mark.parametrize("deed", ["ask", "confirm"])
def test_what_was_saved_is_not_called_unsaved(project: Any, monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    """When only the letter that follows cannot be sent at once, the deed itself counts, and the page says so."""
    project = with_form(project, welcome=True)
    def broken(_project: Any) -> None:
        raise StoreError("busy", retry=True)

    with visiting(project) as client:
        monkeypatch.setattr(service, "soon", broken if deed == "ask" else lambda _project: None)
        answer = client.post("/join", data={"email": "ann@example.org"})
        assert (answer.status_code, "look in your inbox" in answer.text) == (200, True)
        monkeypatch.setattr(service, "soon", broken)
        (letter,) = letters(project)
        answer = client.post(link_of(letter))
        assert (answer.status_code, "you have joined us" in answer.text) == (200, True)
