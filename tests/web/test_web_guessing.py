"""Who guesses keys is held up; who has a letter is not, nor is anybody's way out."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from pillarbox.ground.keys import new_key
from pillarbox.store import schema
from pillarbox.store.connect import connect
from pillarbox.web import guessing
from pillarbox.web.app import create
from pillarbox.web.guessing import MOST_MISSES, SECONDS, Guessing
from tests.web.site import PROJECT, TestClient
from tests.web.wishing import alice, client, settings

THERE = "/p/known"


class Door:
    """An application behind the guard: one path is there, all others are not."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.guard = Guessing(self._app, lambda _request: Response(status_code=429), clock=lambda: self.now)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("", 200 if scope["path"] == THERE else 404)(scope, receive, send)

    def ask(self, path: str, *, host: str = "1.2.3.4", method: str = "GET") -> Any:
        """The answer's status and headers."""
        told: dict[str, Any] = {}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                told.update(message)

        scope = {"type": "http", "path": path, "method": method, "client": (host, 1), "headers": []}
        asyncio.run(self.guard(scope, Request(scope).receive, send))
        return told["status"]


def test_many_misses_are_held_up_for_a_while() -> None:
    """Also for a key that is there; others are served, and after the span so are these."""
    door = Door()
    assert [door.ask("/u/guess") for _ in range(MOST_MISSES)] == [404] * MOST_MISSES
    assert door.ask(THERE) == door.ask("/v/guess") == 429
    assert door.ask(THERE, host="1.2.3.5") == 200
    door.now += SECONDS
    assert door.ask(THERE) == 200


def test_a_few_broken_links_hold_nobody_up() -> None:
    """A span later they no longer count."""
    door = Door()
    for _ in range(5):
        assert [door.ask("/p/guess") for _ in range(MOST_MISSES - 1)] == [404] * (MOST_MISSES - 1)
        assert door.ask(THERE) == 200
        door.now += SECONDS


def test_the_way_out_stays_open() -> None:
    """Mail programs press the button for many supporters from few addresses."""
    door = Door()
    for _ in range(MOST_MISSES + 1):
        door.ask("/p/guess")
    assert door.ask("/u/anything", method="POST") == 404
    assert door.ask("/u/anything") == 429


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.7", "::1", "testclient", ""])
def test_a_proxy_that_does_not_say_who_asks_is_not_everybody(host: str) -> None:
    """An address of no visitor is not counted: one guesser would close the door for all."""
    door = Door()
    for _ in range(MOST_MISSES + 1):
        assert door.ask("/p/guess", host=host) == 404


def test_a_household_counts_as_one() -> None:
    """An IPv6 visitor has more addresses than anybody could count."""
    door = Door()
    for number in range(MOST_MISSES):
        door.ask("/p/guess", host=f"2a00:1450:4009:80b::{number + 1:x}")
    assert door.ask(THERE, host="2a00:1450:4009:80b:ffff::1") == 429
    assert door.ask(THERE, host="2a00:1450:4009:80c::1") == 200


def test_what_it_remembers_is_bounded_and_names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first; only hashes are kept."""
    monkeypatch.setattr(guessing, "ADDRESSES_KEPT", 50)
    door = Door()
    for number in range(200):
        door.ask("/p/guess", host=f"1.2.3.{number}")
    assert len(door.guard._misses) == 50
    assert all(isinstance(key, bytes) and b"1.2.3" not in key for key in door.guard._misses)


def test_it_stands_before_supporters_pages(tmp_path: Path) -> None:
    """The whole application, asked from one address of the open internet."""
    store = connect("sqlite:///guess.db", tmp_path)
    schema.metadata.create_all(store.writer)
    with store.writing() as connection:
        key = alice(connection)
    with TestClient(create(store, settings(), PROJECT), client=("1.2.3.4", 1)) as web:
        for _ in range(MOST_MISSES):
            assert web.get(f"/p/{new_key()}").status_code == 404
        answer = web.get(f"/p/{key}")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert "Please wait" in answer.text
        assert web.post(f"/u/{key}").status_code == 200
        assert web.get("/health").status_code == 200
    store.close()


def test_a_miss_takes_as_long_as_a_hit(tmp_path: Path) -> None:
    """The same look-up whatever the key: what it takes tells nothing of how near a guess was."""
    store = connect("sqlite:///guess.db", tmp_path)
    schema.metadata.create_all(store.writer)
    with store.writing() as connection:
        key = alice(connection)
    near = key[:-1] + ("a" if key[-1] != "a" else "b")
    seconds: dict[str, list[float]] = {"known": [], "near": [], "far": []}
    with client(store) as web:
        for _ in range(150):
            for name, tried in (("known", key), ("near", near), ("far", new_key())):
                began = time.perf_counter()
                web.get(f"/u/{tried}")
                seconds[name].append(time.perf_counter() - began)
    middle = {name: statistics.median(taken) for name, taken in seconds.items()}
    assert max(middle.values()) < 2 * min(middle.values()), middle
    with store.reading() as connection:
        assert connection.execute(select(schema.events.c.id)).first() is None
    store.close()
