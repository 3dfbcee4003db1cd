"""How long the pages of joining and of public letters take at the server, beside a page that says nothing.

Each request goes through the whole application (headers, routing, database), in this process: no network is measured.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from pillarbox.ground.keys import new_key
from pillarbox.ground.process import Worker
from pillarbox.mailings import planning, publishing
from pillarbox.model.states import Basis
from pillarbox.people import rights
from pillarbox.people.audience import Rule
from pillarbox.store import workers
from pillarbox.store.project import Project, open_project
from pillarbox.web.app import create

_RUNS = 400
_SETTINGS = """[links]
donate = "https://example.org/donate"
[join]
lists = ["newsletter"]
per_hour = 10000
per_hour_in_all = 100000
"""
_ROOT = Path(__file__).resolve().parent.parent


def run() -> None:
    """Print median and 99th percentile of each page, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        project = _project(Path(folder))
        app = create(project.store, project.settings, project.id)
        rows = asyncio.run(_measured(app))
        project.close()
    print(f"\nserver time of {_RUNS} requests one after another (median, 99th percentile; SQLite)")
    base = statistics.median(rows["/pillarbox-probe"])
    for name, seconds in rows.items():
        middle, worst = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
        print(f"  {name:<28}{1e3 * middle:8.2f} ms{1e3 * worst:9.2f} ms   {middle / base:5.1f} times a page that "
              "says nothing")


def _project(folder: Path) -> Project:
    (folder / "pillarbox.toml").write_text(_SETTINGS, "utf-8")
    (folder / "pillarbox.key").write_text(new_key() + new_key(), "utf-8")
    (folder / "appeals").symlink_to(_ROOT / "appeals")
    project = open_project(folder)
    rights.add(project.store, secret=project.secret, email="ada@example.org", list_name="all", basis=Basis.CONSENT,
               source="bench")
    planning.plan(project, planning.Wish(appeal="uyghur-freedom", rule=Rule(lists=("all",))))
    publishing.publish(project, "uyghur-freedom")
    with project.store.writing() as connection:  # as on the box: letters are a worker's work
        workers.beat(connection, str(Worker.this()), kind="worker", host="bench")
    return project


async def _measured(app: Starlette) -> dict[str, list[float]]:
    number = iter(range(10 ** 9))

    def form() -> bytes:
        return b"email=person%d%%40example.org&first_name=Ada" % next(number)

    asked: dict[str, Callable[[], tuple[str, str, bytes]]] = {
        "/pillarbox-probe": lambda: ("GET", "/pillarbox-probe/abcdefgh", b""),
        "GET /join": lambda: ("GET", "/join", b""),
        "POST /join": lambda: ("POST", "/join", form()),
        "POST /join, bad address": lambda: ("POST", "/join", b"email=nobody"),
        "GET /join/confirm, unknown": lambda: ("GET", f"/join/confirm/{new_key()}", b""),
        "GET /letters/uyghur-freedom": lambda: ("GET", "/letters/uyghur-freedom", b""),
        "GET /letters": lambda: ("GET", "/letters", b""),
        "GET /letters/feed.atom": lambda: ("GET", "/letters/feed.atom", b""),
    }
    found = {}
    for name, request in asked.items():
        found[name] = [await _timed(app, *request()) for _ in range(_RUNS + 20)][20:]
    return found


async def _timed(app: Callable[..., Awaitable[None]], method: str, path: str, content: bytes) -> float:
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
             "raw_path": path.encode(), "query_string": b"", "scheme": "http", "root_path": "",
             "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-www-form-urlencoded")],
             "client": ("192.0.2.1", 5), "server": ("127.0.0.1", 80)}
    begun = time.perf_counter()
    await app(scope, receive, send)
    seconds = time.perf_counter() - begun
    assert said[0]["status"] in (200, 404, 422), said[0]
    return seconds
