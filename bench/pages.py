"""Supporters' pages on one process: how long the server takes for one, and how many a second it serves."""

from __future__ import annotations

import http.client
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from sqlalchemy import literal, select, update

from bench import crowd, posts
from bench.webhook import serving_ours
from pillarbox.store.project import open_project
from pillarbox.store.schema import message_values, messages, shapes

_MESSAGES, _SENDERS, _SECONDS = 20_000, 8, 8.0
_AIM_MS, _AIM = 15.0, 500


def run() -> None:
    """Ask for each page with one visitor after the other, then with eight at once."""
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as home:
        bench = crowd.make(Path(home) / "project", 0, url="http://127.0.0.1:9")
        project = open_project(bench.folder)
        posts.mailing(project.store, _MESSAGES, project.secret)
        with project.store.writing() as connection:
            connection.execute(update(shapes).values(subject="Keep the light burning", text="Dear friend\n", html=(
                "<!DOCTYPE html><html lang=en><title>x</title><p>Dear friend" + "<p>Words of a letter. " * 1_500)))
            connection.execute(message_values.insert().from_select(
                ["message_id", "values"], select(messages.c.id, literal("[]"))))
            keys = list(connection.execute(select(messages.c.key).limit(2_000)).scalars())
        project.close()
        print(f"\nSupporters' pages of {_MESSAGES:,} letters on SQLite, one process; the aims are {_AIM_MS:.0f} ms and "
              f"{_AIM} a second")
        print(f"  | page | one visitor, median | p99 | {_SENDERS} at once, a second |\n  |---|---|---|---|")
        with serving_ours(bench, posts.Signer()) as (port, _process):
            for name, path in {"unsubscribe (GET /u/…)": "/u/", "letter (GET /v/…)": "/v/"}.items():
                alone = _ask(port, path, keys, 1)
                many = _ask(port, path, keys, _SENDERS)
                cuts = statistics.quantiles(alone, n=100)
                print(f"  | {name} | {cuts[49] * 1e3:.1f} ms | {cuts[98] * 1e3:.1f} ms | {len(many) / _SECONDS:,.0f} |",
                      flush=True)


def _ask(port: int, path: str, keys: list[str], visitors: int) -> list[float]:
    """Seconds of each answer, for as long as the measuring takes."""
    found: list[float] = []
    until = time.perf_counter() + _SECONDS

    def visit(first: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        number = first
        while (since := time.perf_counter()) < until:
            line.request("GET", path + keys[number % len(keys)])
            answer = line.getresponse()
            answer.read()
            found.append(time.perf_counter() - since)
            if answer.status != 200:
                os.abort()
            number += visitors

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
