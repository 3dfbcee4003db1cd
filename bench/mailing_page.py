"""A mailing's page at a million messages and five million events: every figure on it, beside counting them."""

from __future__ import annotations

import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
from sqlalchemy import Connection, event, func, insert, select, update

from bench import crowd, posts
from bench.webhook import serving_ours
from pillarbox.deliver.sendgrid import events as sendgrid
from pillarbox.events.apply import apply
from pillarbox.model.states import Attribution, MailingState, Outcome, Role
from pillarbox.reports import across, details, figures, timeline
from pillarbox.staff import users
from pillarbox.store import schema, tallies
from pillarbox.store.connect import Store
from pillarbox.store.project import Project, open_project
from pillarbox.store.schema import donations, events, mailings

_AIM_MS, _RUNS, _EACH, _GIFTS = 200.0, 7, 5.0, 0.01
_BETWEEN = 4.0
"""Seconds between posts: some looks come while a picture is fresh, and some while it is drawn again."""
_NAME, _WHO, _PASSWORD = "harbour-20261120", "Vera View", "heron lantern quarry"
_TOLD_AT_ONCE = 1_000


def run(messages: int) -> None:
    """Build it once, by the events themselves; then ask for it as a browser does, and count what that spares."""
    with tempfile.TemporaryDirectory(prefix="pillarbox-bench-") as home:
        measure(build(Path(home) / "project", messages), messages)


def build(folder: Path, messages: int) -> crowd.Bench:
    """A project with one mailing, the events of its messages and its gifts."""
    bench = crowd.make(folder, 0, url="http://127.0.0.1:9")
    project = open_project(bench.folder)
    begun = time.perf_counter()
    mailing_id = posts.mailing(project.store, messages, project.secret, name=_NAME)
    _hurry(project.store)
    for start in range(0, messages, _TOLD_AT_ONCE):
        told = list(posts.told(range(start + 1, start + 1 + _TOLD_AT_ONCE), project.id, seed=start, each=_EACH))
        random.Random(start).shuffle(told)
        apply(project.store, sendgrid.read(orjson.dumps(told), project=project.id).events, secret=project.secret)
    with project.store.writing() as connection:
        _give(connection, mailing_id, messages)
    users.add(project.store, name=_WHO, role=Role.VIEW, password=_PASSWORD)
    with project.store.reading() as connection:
        kept = connection.execute(select(func.count()).select_from(events)).scalar_one()
        size = connection.exec_driver_sql("PRAGMA page_count").scalar_one() * 4096 / 1e9
    project.close()
    print(f"\nA mailing of {messages:,} messages, {kept:,} events and {int(messages * _GIFTS):,} gifts on SQLite "
          f"({size:.1f} GB; built in {time.perf_counter() - begun:.0f} s)", flush=True)
    return bench


def measure(bench: crowd.Bench, messages: int) -> None:
    """The page through a server of its own, its questions, the recount; and the page in the midst of sending."""
    _served(bench, messages)
    project = open_project(bench.folder)
    with project.store.reading() as connection:
        mailing_id = connection.execute(select(mailings.c.id).where(mailings.c.name == _NAME)).scalar_one()
    _time(project.store, mailing_id)
    begun = time.perf_counter()
    found = tallies.check(project.store, mailing_id)
    print(f"  a recount of it all: {time.perf_counter() - begun:.0f} s; {found.tallies:,} figures "
          f"{'are what it gives' if found.equal else 'DIFFER'}")
    if not found.equal:
        raise SystemExit("the figures differ from a recount")
    _plan_as_many_again(project, mailing_id, messages)
    project.close()
    print(f"  in the midst of sending: {messages:,} accepted, {messages:,} to go", flush=True)
    _served(bench, messages)


def _plan_as_many_again(project: Project, mailing_id: int, messages: int) -> None:
    """As if the mailing were twice as large, and half of it on its way."""
    _hurry(project.store)
    with project.store.writing() as connection:
        edition, shape = connection.execute(select(schema.messages.c.edition_id, schema.messages.c.shape_id).where(
            schema.messages.c.mailing_id == mailing_id).limit(1)).one()
        connection.execute(update(mailings).where(mailings.c.id == mailing_id).values(
            state=MailingState.SENDING, planned=2 * messages))
    posts.letters(project.store, mailing_id, edition, shape, range(messages + 1, 2 * messages + 1), project.secret,
                  accepted=False)


def _served(bench: crowd.Bench, messages: int) -> None:
    """What staff wait for, over HTTP: the very first look, looks while events come in, and looks when none do."""
    signer, chance = posts.Signer(), random.Random(3)
    with (serving_ours(bench, signer) as (port, _process),
          httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as staff):
        _log_in(staff)
        looks = {"the first look after the server began": [_look(staff)],
                 "a look when nothing is new": [_look(staff) for _ in range(_RUNS)]}
        fresh: list[float] = []
        for turn in range(_RUNS):
            told = list(posts.told(chance.sample(range(1, messages + 1), 300), open_id(bench), seed=10**9 + turn))
            raw = orjson.dumps(told)
            staff.post("/hooks/sendgrid", content=raw, headers=signer.headers(raw)).raise_for_status()
            fresh.append(_look(staff))
            time.sleep(_BETWEEN)
        looks["a look after new events and bounces"] = fresh
    print("  | asked over HTTP | median | longest |\n  |---|---|---|")
    for name, seconds in looks.items():
        print(f"  | {name} | {statistics.median(seconds) * 1e3:.0f} ms | {max(seconds) * 1e3:.0f} ms |")
    print(f"  (the aim is {_AIM_MS:.0f} ms)", flush=True)


def open_id(bench: crowd.Bench) -> str:
    """The project's own id, which its events carry."""
    project = open_project(bench.folder)
    project.close()
    return project.id


def _log_in(staff: httpx.Client) -> None:
    token = re.search(r'name="form_token" value="([^"]*)"', staff.get("/staff/login").text)
    assert token is not None, "the login page has a form"
    staff.post("/staff/login", data={"form_token": token[1], "name": _WHO, "password": _PASSWORD})


def _look(staff: httpx.Client) -> float:
    begun = time.perf_counter()
    answer = staff.get(f"/staff/mailings/{_NAME}")
    took = time.perf_counter() - begun
    if answer.status_code != 200 or "Keep the light burning" not in answer.text:
        raise SystemExit(f"the page was not shown: {answer.status_code}")
    return took


def _time(store: Store, mailing_id: int) -> None:
    """Each question by itself."""
    questions: dict[str, Callable[[Connection], object]] = {
        "figures": lambda connection: figures.figures(connection, mailing_id),
        "timeline": lambda connection: timeline.timeline(connection, mailing_id),
        "links": lambda connection: details.links(connection, mailing_id),
        "devices": lambda connection: details.devices(connection, mailing_id),
        "what came back": lambda connection: details.returned(connection, mailing_id, dict.fromkeys(Outcome, 0)),
        "all mailings": across.all_mailings,
    }
    wall: dict[str, list[float]] = {name: [] for name in questions}
    for _ in range(_RUNS):
        with store.snapshot() as connection:
            for name, ask in questions.items():
                begun = time.perf_counter()
                ask(connection)
                wall[name].append(time.perf_counter() - begun)
    print("  | question | median |\n  |---|---|")
    for name, seconds in wall.items():
        print(f"  | {name} | {statistics.median(seconds) * 1e3:.0f} ms |", flush=True)


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
