"""The queue: made, brought on, thrown away; it carries ids, and no promise."""

from __future__ import annotations

import importlib.util
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from pillarbox.ground.errors import StoreError
from pillarbox.runner import choose, queue
from pillarbox.runner.worker import Loop
from pillarbox.store.connect import Store, connect
from pillarbox.store.project import open_project
from pillarbox.store.schema import lists, metadata
from tests import builders, projects

pytestmark = [pytest.mark.postgres,
              pytest.mark.skipif(importlib.util.find_spec("procrastinate") is None, reason="needs pillarbox[cluster]")]


@pytest.fixture
def database(postgres_database: str, tmp_path: Path) -> Iterator[Store]:
    """A PostgreSQL database with our tables, and no queue."""
    opened = connect(postgres_database, tmp_path)
    metadata.create_all(opened.writer)
    yield opened
    opened.close()


def jobs(store: Store) -> list[dict[str, object]]:
    """What waits in the queue."""
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(text(
            "SELECT task_name, args FROM pillarbox_queue.procrastinate_jobs ORDER BY id")).mappings()]


def test_it_lives_in_a_schema_of_its_own(database: Store) -> None:
    """Nothing of the queue lies among our tables, and making it twice is harmless."""
    queue.make(database)
    queue.make(database)
    assert queue.stands(database)
    with database.reading() as connection:
        found = connection.execute(text(
            "SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name LIKE 'procrastinate%'"))
        assert found.scalars().all() == [queue.SCHEMA]
        functions = connection.execute(text(
            "SELECT DISTINCT nspname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace "
            "WHERE proname LIKE 'procrastinate%'"))
        assert functions.scalars().all() == [queue.SCHEMA]


def test_several_make_it_at_once(database: Store, postgres_database: str) -> None:
    """Workers that start together make it once; none fails."""
    code = ("import sys; from pathlib import Path; from pillarbox.runner import queue; "
            "from pillarbox.store import connect; queue.make(connect.connect(sys.argv[1], Path('/')))")
    programs = [subprocess.Popen([sys.executable, "-c", code, postgres_database], cwd=projects.ROOT) for _ in range(3)]
    assert [program.wait(60) for program in programs] == [0, 0, 0]
    assert queue.stands(database)


def test_an_older_queue_is_brought_on(database: Store) -> None:
    """Made by an earlier Procrastinate, it gets that library's own migrations; its jobs stay."""
    early = [name for name in queue._migrations() if name < "03.01"]
    with database.writing() as connection:
        queue._run(connection, queue._CREATE)
    for name in early:  # some of the oldest cannot share a transaction
        with database.writing() as connection, queue._at_home(connection):
            queue._run(connection, queue._migrations()[name].read_text("utf-8"))
    with database.writing() as connection, queue._at_home(connection):
        connection.execute(text("INSERT INTO made_by VALUES (:name)"), {"name": early[-1]})
        connection.execute(text(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('q', 'old', '{}')"))
    assert not queue.stands(database)
    queue.make(database)
    assert queue.stands(database)
    assert [job["task_name"] for job in jobs(database)] == ["old"]
    assert queue.offer(database, [7]) == 1


def test_a_queue_that_cannot_be_brought_on_is_made_anew(database: Store) -> None:
    """Whatever stands in its place and does not fit its migrations is thrown away: the ledger has what matters."""
    with database.writing() as connection:
        queue._run(connection, queue._CREATE)
        connection.execute(text("INSERT INTO pillarbox_queue.made_by VALUES ('03.00.00_01_pre_cancel_notification')"))
    queue.make(database)
    assert queue.stands(database)
    assert queue.offer(database, [7]) == 1


def test_a_newer_queue_is_left_alone(database: Store) -> None:
    """A worker with an older Procrastinate says so, and changes nothing; it then does without."""
    queue.make(database)
    with database.writing() as connection:
        connection.execute(text("UPDATE pillarbox_queue.made_by SET name = '99.00.00_01_pre_future'"))
    with pytest.raises(StoreError, match="newer Procrastinate"):
        queue.make(database)


def test_a_job_carries_an_id_and_waits_once(database: Store) -> None:
    """One job a mailing, however often it is offered, with nothing in it but the mailing's id."""
    queue.make(database)
    assert queue.offer(database, [8, 7, 8]) == 2
    assert queue.offer(database, [7]) == 0
    assert jobs(database) == [{"task_name": queue.CARRY, "args": {"mailing_id": 7}},
                              {"task_name": queue.CARRY, "args": {"mailing_id": 8}}]
    assert queue.another_waits(database, 7)


def test_a_job_is_queued_in_a_savepoint(database: Store) -> None:
    """It comes with our transaction and goes with it; and where it is refused, our transaction goes on."""
    queue.make(database)
    with pytest.raises(RuntimeError), database.writing() as connection:
        assert queue.defer_carry(connection, 7)
        raise RuntimeError
    assert jobs(database) == []
    with database.writing() as connection:
        queue.defer_carry(connection, 7)
        builders._added(connection, lists, {"name": "friends", "created_at": builders.SENT_AT})
        assert not queue.defer_carry(connection, 7)
        assert connection.execute(text("SELECT current_setting('search_path')")).scalar_one() == '"$user", public'
    assert len(jobs(database)) == 1
    with database.reading() as connection:
        assert connection.execute(lists.select()).one().name == "friends"


def test_jobs_of_the_dead_are_cleared_away(database: Store) -> None:
    """A job whose worker is gone does not stay "doing" for ever; one whose worker lives does."""
    queue.make(database)
    with database.writing() as connection:
        connection.execute(text(
            "INSERT INTO pillarbox_queue.procrastinate_workers (last_heartbeat) "
            "VALUES (now()), (now() - interval '1 hour')"))
        with queue._at_home(connection):
            connection.execute(text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id) VALUES "
                "('q', 'living', 'doing', 1), ('q', 'dead', 'doing', 2), ('q', 'nobody', 'doing', NULL)"))
    queue.offer(database, [])
    assert [job["task_name"] for job in jobs(database)] == ["living"]


def test_without_a_queue_the_fault_is_a_sentence(database: Store) -> None:
    """Offering to a queue that is gone raises what the loop knows to go on from."""
    with pytest.raises(StoreError):
        queue.offer(database, [7])


def test_who_may_not_make_it_is_told(database: Store, postgres_database: str, tmp_path: Path) -> None:
    """A database user without the right to make schemas reads who has to."""
    name = postgres_database.rpartition("/")[2]
    with database.writing() as connection:
        connection.execute(text(f"DO $$ BEGIN CREATE ROLE modest_{name} LOGIN; END $$"))
        connection.execute(text(f"REVOKE CREATE ON DATABASE {name} FROM PUBLIC"))
    modest = connect(postgres_database.replace("pillarbox@", f"modest_{name}@"), tmp_path)
    try:
        with pytest.raises(StoreError, match=r"could not be made.*store upgrade"):
            queue.make(modest)
    finally:
        modest.close()
        with database.writing() as connection:
            connection.execute(text(f"DROP ROLE modest_{name}"))


def test_store_upgrade_makes_it(tmp_path: Path, postgres_database: str, database: Store) -> None:
    """``store upgrade`` leaves a database that workers need no rights in to share."""
    metadata.drop_all(database.writer)
    projects.make(tmp_path / "project", database=postgres_database).run("store", "upgrade")
    assert queue.stands(database)


@pytest.mark.parametrize("extra", [True, False])
def test_the_worker_that_fits(extra: bool, tmp_path: Path, postgres_database: str, request: pytest.FixtureRequest,
                              monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite and without the extra it is the plain loop, and on PostgreSQL it says what the extra brings."""
    said: list[str] = []
    if not extra:
        monkeypatch.setattr(queue, "usable", lambda store: False)
    monkeypatch.delenv("PILLARBOX_DATABASE_URL", raising=False)
    lone = open_project(projects.make(tmp_path / "lone").folder)
    assert type(choose.loop(lone, say=said.append)) is Loop
    assert said == []
    lone.close()
    monkeypatch.setenv("PILLARBOX_DATABASE_URL", postgres_database)
    shared = open_project(projects.make(tmp_path / "shared").folder)
    assert (type(choose.loop(shared, say=said.append)) is not Loop) == extra
    assert any("pillarbox[cluster]" in words for words in said) != extra
    assert type(choose.loop(shared, say=said.append, once=True)) is Loop
    shared.close()


def test_logs_tell_nobody(caplog: pytest.LogCaptureFixture, database: Store) -> None:
    """What the queue's library logs of our jobs is names and ids."""
    queue.make(database)
    with caplog.at_level(logging.DEBUG):
        queue.offer(database, [7])
    assert "@" not in caplog.text.replace("pillarbox@", "")
