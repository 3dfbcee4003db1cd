"""A mailing's page at a million messages and five million events: every figure on it, beside counting them."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, event, func, insert, select

from bench import crowd, posts
from pillarbox.deliver.sendgrid import events as sendgrid
from pillarbox.events.apply import apply
from pillarbox.model.states import Attribution
from pillarbox.reports import across, details, figures, timeline
from pillarbox.store import tallies
from pillarbox.store.connect import Store
from pillarbox.store.project import open_project
from pillarbox.store.schema import donations, events

_AIM_MS, _RUNS, _EACH, _GIFTS = 200.0, 7, 5.0, 0.01
_TOLD_AT_ONCE = 1_000


def run(messages: int) -> None:
    """Build it once, by the events themselves; then time each question, and the recount that they spare."""
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as home:
        bench = crowd.make(Path(home) / "project", 0, url="http://127.0.0.1:9")
        project = open_project(bench.folder)
        begun = time.perf_counter()
        mailing_id = posts.mailing(project.store, messages, project.secret)
        _hurry(project.store)
        for start in range(0, messages, _TOLD_AT_ONCE):
            told = list(posts.told(range(start + 1, start + 1 + _TOLD_AT_ONCE), project.id, seed=start, each=_EACH))
            random.Random(start).shuffle(told)
            apply(project.store, sendgrid.read(orjson.dumps(told), project=project.id).events, secret=project.secret)
        with project.store.writing() as connection:
            _give(connection, mailing_id, messages)
        with project.store.reading() as connection:
            kept = connection.execute(select(func.count()).select_from(events)).scalar_one()
            size = connection.exec_driver_sql("PRAGMA page_count").scalar_one() * 4096 / 1e9
        print(f"\nA mailing of {messages:,} messages, {kept:,} events and {int(messages * _GIFTS):,} gifts on SQLite "
              f"({size:.1f} GB; built in {time.perf_counter() - begun:.0f} s)", flush=True)
        _time(project.store, mailing_id)
        begun = time.perf_counter()
        found = tallies.check(project.store, mailing_id)
        print(f"  a recount of it all: {time.perf_counter() - begun:.0f} s; {found.tallies} figures "
              f"{'are what it gives' if found.equal else 'DIFFER'}")
        project.close()
        if not found.equal:
            raise SystemExit("the figures differ from a recount")


def _time(store: Store, mailing_id: int) -> None:
    questions: dict[str, Callable[[Connection], object]] = {
        "figures": lambda connection: figures.figures(connection, mailing_id),
        "timeline": lambda connection: timeline.timeline(connection, mailing_id),
        "links": lambda connection: details.links(connection, mailing_id),
        "devices": lambda connection: details.devices(connection, mailing_id),
        "what came back": lambda connection: details.returned(connection, mailing_id),
        "all mailings": across.all_mailings,
    }
    wall: dict[str, list[float]] = {name: [] for name in (*questions, "the page")}
    work: dict[str, list[float]] = {name: [] for name in (*questions, "the page")}
    for _ in range(_RUNS):
        whole = [0.0, 0.0]
        with store.snapshot() as connection:
            for name, ask in questions.items():
                begun, worked = time.perf_counter(), time.thread_time()
                ask(connection)
                took = time.perf_counter() - begun, time.thread_time() - worked
                wall[name].append(took[0])
                work[name].append(took[1])
                if name in ("figures", "timeline", "links", "devices"):
                    whole = [whole[0] + took[0], whole[1] + took[1]]
        wall["the page"].append(whole[0])
        work["the page"].append(whole[1])
    print("  | question | median | processor |\n  |---|---|---|")
    for name in wall:
        print(f"  | {name} | {statistics.median(wall[name]) * 1e3:.0f} ms | "
              f"{statistics.median(work[name]) * 1e3:.0f} ms |")
    print(f"  (the page: figures, timeline, links and devices; the aim is {_AIM_MS:.0f} ms)", flush=True)


def _hurry(store: Store) -> None:
    """While it is built nobody waits for the disk; what is measured after only reads."""
    @event.listens_for(store.writer, "checkout")
    def _out(connection: Any, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")


def _give(connection: Connection, mailing_id: int, messages: int) -> None:
    chance = random.Random(5)
    for number in range(int(messages * _GIFTS)):
        kind = chance.choices([Attribution.LINK_CODE, Attribution.SOURCE_CODE, Attribution.ADDRESS], [7, 2, 1])[0]
        giver = chance.randint(1, messages)
        at = posts.SENT + timedelta(hours=chance.uniform(1, 72))
        connection.execute(insert(donations).values(
            amount_minor=chance.choice((1_000, 2_500, 5_000)), currency="GBP", received_at=at, source="csv",
            external_id=f"gift-{number}", gift_aid=chance.random() < 0.6, regular=False, mailing_id=mailing_id,
            message_id=giver if kind is Attribution.LINK_CODE else None,
            supporter_id=giver if kind is not Attribution.SOURCE_CODE else None, attribution=kind, created_at=at))
