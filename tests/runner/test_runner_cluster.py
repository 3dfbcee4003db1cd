"""Several workers share one PostgreSQL: through the queue, without it, and while it is thrown away under them."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pillarbox.runner import queue
from pillarbox.store.connect import Store, connect
from tests import forked, projects

pytestmark = [pytest.mark.postgres,
              pytest.mark.skipif(importlib.util.find_spec("procrastinate") is None, reason="needs pillarbox[cluster]")]
SUPPORTERS = 1_500


@contextmanager
def standin(folder: Path, *arguments: str) -> Iterator[str]:
    """A local SendGrid in a process of its own, which counts."""
    process = forked.begin([sys.executable, "-m", "pillarbox.standin", "--data", str(folder), "--api-key",
                            "SG.test.key", *arguments], cwd=projects.ROOT, env=dict(os.environ), stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def counts(url: str) -> dict[str, Any]:
    """What the local SendGrid took, message by message."""
    with urllib.request.urlopen(f"{url}/_standin/counts", timeout=30) as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found


class Worker:
    """A worker process and what it said."""

    def __init__(self, project: projects.TestProject) -> None:
        self.process = project.start("worker")
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal it, wait for its end, return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(180)
        self._reader.join()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.lines += self.process.stderr.read().splitlines()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


def until(what: Any, *, seconds: float = 180.0, every: float = 0.1) -> Any:
    """Wait until ``what()`` is true; returns it."""
    ends = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < ends, "it never came true"
        time.sleep(every)
    return found


def until_sent(project: projects.TestProject) -> None:
    """Wait until `status` says so; asked oftener, it would take more of the machine than the workers."""
    until(lambda: standing(project)["state"] == "sent", every=0.5)


@pytest.fixture
def there(tmp_path: Path, postgres_for_project: str) -> Iterator[tuple[projects.TestProject, str, Store]]:
    """A planned mailing in PostgreSQL, a slow stand-in, and the store."""
    with standin(tmp_path / "standin", "--latency", "0.2") as url:
        project = projects.make(tmp_path / "project", transport="sendgrid", sendgrid_url=url,
                                database=postgres_for_project)
        people = projects.write_list(tmp_path / "list.csv", projects.crowd(SUPPORTERS))
        project.run("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "test")
        project.run("plan", "harbour", "--list", "all")
        store = connect(postgres_for_project, tmp_path)
        yield project, url, store
        store.close()


def started(store: Store) -> None:
    """Open the mailing's gate, as a worker's start at its time does."""
    with store.writing() as connection:
        connection.execute(text("UPDATE mailings SET state = 'sending', started_at = now()"))


def standing(project: projects.TestProject) -> dict[str, Any]:
    """What `status` says; the balance holds each time."""
    found: dict[str, Any] = project.json("status")
    parts = ("accepted", "failed", "in_doubt", "cancelled", "withdrawn", "remaining")
    assert sum(found[part] for part in parts) == found["planned"] == SUPPORTERS
    return found


def senders(store: Store) -> set[str]:
    """The workers who handed anything over."""
    with store.reading() as connection:
        return set(connection.execute(text("SELECT DISTINCT worker FROM attempts WHERE size > 0")).scalars())


def test_two_workers_share_a_mailing(there: tuple[projects.TestProject, str, Store]) -> None:
    """Both carry it, everybody gets one letter, and both end politely on SIGTERM."""
    project, url, store = there
    workers = [Worker(project), Worker(project)]
    try:
        started(store)
        until_sent(project)
    finally:
        codes = [worker.end() for worker in workers]
    assert codes == [0, 0]
    assert len(senders(store)) == 2
    found = counts(url)
    assert (found["personalizations"], found["addresses"], found["duplicates"]) == (SUPPORTERS, SUPPORTERS, 0)


def test_the_queue_is_thrown_away_in_mid_send(there: tuple[projects.TestProject, str, Store]) -> None:
    """Emptied, then dropped whole: workers make it again, and nothing is sent twice or forgotten."""
    project, url, store = there
    workers = [Worker(project), Worker(project)]
    try:
        started(store)
        until(lambda: counts(url)["personalizations"])
        with store.writing() as connection:
            connection.execute(text(f"TRUNCATE {queue.SCHEMA}.procrastinate_jobs, {queue.SCHEMA}.procrastinate_workers "
                                    "CASCADE"))
        time.sleep(0.5)
        queue.drop(store)
        until_sent(project)
        until(lambda: queue.stands(store))
    finally:
        codes = [worker.end() for worker in workers]
    assert codes == [0, 0]
    found = counts(url)
    assert (found["personalizations"], found["addresses"], found["duplicates"]) == (SUPPORTERS, SUPPORTERS, 0)


def test_a_worker_is_killed_in_mid_send(there: tuple[projects.TestProject, str, Store]) -> None:
    """The other one finishes; what the dead one had on its way is in doubt or planned again, and nothing is silent."""
    project, url, store = there
    victim, other = Worker(project), Worker(project)
    try:
        started(store)
        until(lambda: len(senders(store)) == 2)
        victim.end(signal.SIGKILL)
        until(lambda: standing(project)["remaining"] == 0, every=0.5)
    finally:
        assert other.end() == 0
    status, found = standing(project), counts(url)
    assert status["state"] == "sent"
    assert status["accepted"] + status["in_doubt"] == SUPPORTERS
    assert status["in_doubt"] <= 4 * 100
    assert found["duplicates"] == 0
    assert status["accepted"] <= found["personalizations"] <= SUPPORTERS


def test_draining(there: tuple[projects.TestProject, str, Store]) -> None:
    """SIGTERM in mid-send: requests in flight finish and are recorded, nothing new starts, the exit code is 0."""
    project, url, store = there
    worker = Worker(project)
    started(store)
    until(lambda: counts(url)["personalizations"])
    assert worker.end() == 0
    assert any(line.endswith("nothing is half done.") for line in worker.lines)
    status, found = standing(project), counts(url)
    assert status["accepted"] == found["personalizations"] < SUPPORTERS
    assert (status["in_doubt"], status["remaining"]) == (0, SUPPORTERS - status["accepted"])
    with store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM messages WHERE state = 'submitting'")).scalar_one() == 0


def test_every_connection_is_lost_in_mid_send(there: tuple[projects.TestProject, str, Store]) -> None:
    """As when the database is restarted: workers come back by themselves, and nothing is sent twice or in doubt."""
    project, url, store = there
    workers = [Worker(project), Worker(project)]
    try:
        started(store)
        until(lambda: counts(url)["personalizations"])
        for _ in range(3):
            with store.writing() as connection:
                connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                        "WHERE pid <> pg_backend_pid() AND datname = current_database()"))
            time.sleep(0.5)
        until_sent(project)
    finally:
        codes = [worker.end() for worker in workers]
    assert codes == [0, 0]
    assert not any("Traceback" in line for worker in workers for line in worker.lines)
    found = counts(url)
    assert (found["personalizations"], found["addresses"], found["duplicates"]) == (SUPPORTERS, SUPPORTERS, 0)
    assert standing(project)["accepted"] == SUPPORTERS


def test_a_queue_of_a_newer_program(there: tuple[projects.TestProject, str, Store]) -> None:
    """A worker that may not use the queue that it finds goes on without, and says so."""
    project, url, store = there
    queue.make(store)
    with store.writing() as connection:
        connection.execute(text("UPDATE pillarbox_queue.made_by SET name = '99.00.00_01_pre_future'"))
    worker = Worker(project)
    try:
        started(store)
        until_sent(project)
    finally:
        assert worker.end() == 0
    assert any("newer Procrastinate" in line for line in worker.lines)
    assert counts(url)["personalizations"] == SUPPORTERS


def test_two_mailings_take_turns(there: tuple[projects.TestProject, str, Store], tmp_path: Path) -> None:
    """A worker lets go of a long mailing when another one waits, so that none waits for the other's end."""
    from pillarbox.runner.cluster import Member
    from pillarbox.store.project import open_project

    project, url, store = there
    project.run("plan", "harbour", "--list", "all", "--again", "second")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in project.environment.items():
            patch.setenv(name, value)
        opened = open_project(project.folder)
    member = Member(project=opened, look_seconds=0.5, stint_seconds=0.5)
    working = threading.Thread(target=member)
    working.start()
    try:
        started(store)
        until(lambda: all(state == "sent" for state in _column(store, "SELECT state FROM mailings")))
    finally:
        member.stopping.set()
        working.join(60)
        opened.close()
    order = _column(store, "SELECT mailing_id FROM attempts WHERE size > 0 ORDER BY id")
    turns = sum(before != after for before, after in pairwise(order))
    assert turns > 1, order
    assert counts(url)["personalizations"] == 2 * SUPPORTERS


def _column(store: Store, query: str) -> list[Any]:
    with store.reading() as connection:
        return list(connection.execute(text(query)).scalars())
