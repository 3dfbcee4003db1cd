"""A later migration brings a database along with everything in it, or leaves it as it was; older programs stand back.

There is no second migration yet. The one here exists for these tests alone: it adds, fills and remakes tables that
mailings, messages and events stand in.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from pillarbox.ground.errors import StoreError
from pillarbox.model.states import EventKind, MailingState, MessageState
from pillarbox.store import migrate, schema
from pillarbox.store.connect import Store
from pillarbox.store.migrate import NewerDatabaseError
from tests import builders, projects

SECOND = '''"""A second migration, for tests alone."""

import os
import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("mailings", sa.Column("motto", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE mailings SET motto = 'for ' || title")
    with op.batch_alter_table("messages") as batch:  # SQLite makes the table anew
        batch.alter_column("to_name", new_column_name="name")
        batch.add_column(sa.Column("opened", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE messages SET opened = (SELECT count(*) FROM events WHERE message_id = messages.id "
               "AND kind = 'opened')")
    if os.environ.get("PILLARBOX_TEST_SLEEP"):
        print("half way", flush=True)
        time.sleep(60)
    op.create_table("stamps", sa.Column("id", sa.Integer(), primary_key=True))
'''
NEWER = ("import sys; from pathlib import Path; from pillarbox.store import connect, migrate; "
         "migrate.HISTORY = ('0001', '0002'); migrate._FOLDER = Path(sys.argv[2]); "
         "migrate.upgrade(connect.connect(sys.argv[1], Path('/')))")


@pytest.fixture
def onward(tmp_path: Path) -> Path:
    """The migrations of a newer program: ours, and one more."""
    folder = tmp_path / "migrations of a newer program"
    shutil.copytree(migrate._FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "v0002_for_tests.py").write_text(SECOND, "utf-8")
    return folder


@pytest.fixture
def peopled(store: Store) -> Store:
    """A database that stands at our newest migration, with a message in every state and events about them."""
    schema.metadata.drop_all(store.writer)
    migrate.upgrade(store)
    with store.writing() as connection:
        sending = builders.mailing(connection, "harbour", state=MailingState.SENDING)
        other = builders.mailing(connection, "lighthouse")
        for number, state in enumerate(MessageState):
            person = builders.supporter(connection, f"supporter{number}@example.org")
            first = builders.message(connection, sending, person, state=state, to_name=f"Name {number}")
            builders.message(connection, other, person)
            for kind in (EventKind.DELIVERED, EventKind.OPENED):
                connection.execute(schema.events.insert().values(
                    message_id=first, mailing_id=sending, kind=kind, at=builders.SENT_AT, received_at=builders.SENT_AT,
                    provider="sendgrid", provider_key=f"{kind}-{number}", fingerprint=f"{kind}-{number}",
                    agent="human"))
    return store


@pytest.fixture
def newer(peopled: Store, onward: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The same, seen by the newer program: this process is it now."""
    monkeypatch.setattr(migrate, "HISTORY", ("0001", "0002"))
    monkeypatch.setattr(migrate, "_FOLDER", onward)
    return peopled


def rows(store: Store, *left_out: str) -> dict[str, list[dict[str, Any]]]:
    """Everything in the database, table by table."""
    with store.reading() as connection:
        names = [name for name in inspect(connection).get_table_names() if name not in ("alembic_version", "stamps")]
        return {name: sorted(
            ({column: value for column, value in row.items() if column not in left_out}
             for row in connection.execute(text(f'SELECT * FROM "{name}"')).mappings()), key=str) for name in names}


def url_of(store: Store) -> str:
    """The database's URL, for another process."""
    return store.writer.url.render_as_string(hide_password=False).replace("+psycopg", "")


def newer_program(store: Store, onward: Path, **environment: str) -> subprocess.Popen[str]:
    """A newer program that upgrades the database, as a process of its own."""
    return subprocess.Popen([sys.executable, "-c", NEWER, url_of(store), str(onward)], cwd=projects.ROOT, text=True,
                            stdout=subprocess.PIPE, env={**os.environ, **environment})


def test_everything_comes_along(newer: Store) -> None:
    """Mailings, messages in every state and events are the same after the upgrade, and the new columns are filled."""
    changed = ("to_name", "name", "motto", "opened")
    before = rows(newer, *changed)
    migrate.upgrade(newer)
    assert migrate.current(newer) == "0002"
    for table in ("supporters", "mailings", "messages", "message_values", "events", "shapes"):
        assert before[table]
        assert rows(newer, *changed)[table] == before[table], table
    after = rows(newer)
    assert {row["motto"] for row in after["mailings"]} == {"for harbour", "for lighthouse"}
    assert sum(row["opened"] for row in after["messages"]) == len(MessageState)
    assert {row["name"] for row in after["messages"]} > {"Name 0", "Name 6"}
    assert {row["state"] for row in after["messages"]} == set(MessageState)


def test_constraints_come_along(newer: Store) -> None:
    """A table that was made anew still refuses what it refused: an unknown state, a second letter, a lost mailing."""
    migrate.upgrade(newer)
    for change in ("UPDATE messages SET state = 'on its way'", "UPDATE messages SET mailing_id = 777",
                   "UPDATE messages SET key = 'the same'"):
        with pytest.raises(StoreError), newer.writing() as connection:
            connection.execute(text(change))


def test_all_or_nothing(newer: Store, onward: Path) -> None:
    """A migration that fails at its end leaves the database as it was, and usable by the program that it suits."""
    script = onward / "versions" / "v0002_for_tests.py"
    script.write_text(script.read_text("utf-8") + '    raise RuntimeError("at the very end")\n', "utf-8")
    before = rows(newer)
    with pytest.raises(RuntimeError, match="very end"):
        migrate.upgrade(newer)
    assert rows(newer) == before
    assert migrate.current(newer) == "0001"
    assert "stamps" not in inspect(newer.reader).get_table_names()


def test_a_crash_in_the_middle_leaves_the_old_one(peopled: Store, onward: Path) -> None:
    """kill -9 half way: the next look finds the old tables, whole, and the next upgrade succeeds."""
    before = rows(peopled)
    program = newer_program(peopled, onward, PILLARBOX_TEST_SLEEP="1")
    assert program.stdout is not None
    assert program.stdout.readline() == "half way\n"
    program.send_signal(signal.SIGKILL)
    program.wait(10)
    program.stdout.close()
    assert migrate.current(peopled) == "0001"
    assert rows(peopled) == before
    migrate.check(peopled)
    again = newer_program(peopled, onward)
    assert again.communicate(timeout=60) == ("", None)
    assert again.returncode == 0
    assert migrate.current(peopled) == "0002"


def test_several_at_once_are_harmless(peopled: Store, onward: Path) -> None:
    """Programs that upgrade at the same moment all succeed, and it happens once."""
    programs = [newer_program(peopled, onward) for _ in range(3)]
    assert [program.communicate(timeout=120) and program.returncode for program in programs] == [0, 0, 0]
    assert migrate.current(peopled) == "0002"
    assert {row["motto"] for row in rows(peopled)["mailings"]} == {"for harbour", "for lighthouse"}


# ------------------------------------------------------------------------------------------------ the older program


def test_an_older_program_does_not_open_it(peopled: Store, onward: Path) -> None:
    """Neither opening, nor checking, nor upgrading: each says that a newer version is needed."""
    assert newer_program(peopled, onward).communicate(timeout=60) == ("", None)
    for attempt in (migrate.check, migrate.upgrade, migrate.refuse_when_left_behind):
        with pytest.raises(NewerDatabaseError, match=r"newer Pillarbox.*stands at 0002.*Install the newer version"):
            attempt(peopled)


def test_an_upgrade_and_a_claim_keep_out_of_each_other_s_way(peopled: Store, onward: Path) -> None:
    """While a transaction leans on the tables nobody upgrades them; the next one is told."""
    leaning, go_on = threading.Event(), threading.Event()

    def claim() -> None:
        with peopled.writing() as connection:
            migrate.still_fits(connection)
            leaning.set()
            go_on.wait(30)

    claiming = threading.Thread(target=claim)
    claiming.start()
    leaning.wait(10)
    program = newer_program(peopled, onward)
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(4)
    assert migrate.current(peopled) == "0001"
    go_on.set()
    claiming.join()
    assert program.communicate(timeout=60) == ("", None)
    with pytest.raises(NewerDatabaseError), peopled.writing() as connection:
        migrate.still_fits(connection)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def planned(request: pytest.FixtureRequest, tmp_path: Path) -> projects.TestProject:
    """A project of which 300 messages are planned, on each engine."""
    database = request.getfixturevalue("postgres_database") if request.param == "postgresql" else ""
    project = projects.make(tmp_path / "project", database=database)
    people = projects.write_list(tmp_path / "list.csv", projects.crowd(300))
    project.run("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "test")
    project.run("plan", "harbour", "--list", "all")
    return project


def upgraded(project: projects.TestProject, onward: Path) -> None:
    """Somebody installs the newer program elsewhere, and it upgrades the project's database."""
    url = project.environment.get("PILLARBOX_DATABASE_URL") or f"sqlite:///{project.folder}/var/pillarbox.db"
    subprocess.run([sys.executable, "-c", NEWER, url, str(onward)], cwd=projects.ROOT, check=True, timeout=60)


def test_a_worker_is_left_behind(planned: projects.TestProject, onward: Path) -> None:
    """A worker whose database becomes newer while it runs ends with a sentence; so does every command."""
    worker = planned.start("worker")
    assert worker.stdout is not None
    assert "Working" in worker.stdout.readline()
    upgraded(planned, onward)
    _, said = worker.communicate(timeout=60)
    assert worker.returncode == 1
    assert "newer Pillarbox (it stands at 0002" in said
    assert "Traceback" not in said
    for command in (("send", "harbour", "--yes"), ("worker", "--once"), ("status",), ("serve", "--port", "0")):
        assert "Install the newer version" in planned.run(*command, expect=1).stderr


def answered(url: str) -> tuple[int, str | None]:
    """An answer's status, and when to come again."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.headers["Retry-After"]
    except urllib.error.HTTPError as fault:
        with fault:
            return fault.code, fault.headers["Retry-After"]


def test_a_server_is_left_behind(planned: projects.TestProject, onward: Path) -> None:
    """A server whose database becomes newer while it runs answers 503 to everything, so that SendGrid asks again."""
    server = planned.start("serve", "--port", "0")
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split(";")[0].split()[-1]
        assert answered(f"{url}/health") == (200, None)
        upgraded(planned, onward)
        ends = time.monotonic() + 30
        while (found := answered(f"{url}/health")) == (200, None):
            assert time.monotonic() < ends
            time.sleep(0.5)
        assert found == (503, "300")
    finally:
        server.terminate()
        _, said = server.communicate(timeout=30)
    assert "serve.left_behind" in said


def test_a_claim_is_refused(planned: projects.TestProject, onward: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that has begun already claims nothing more, and what it could not claim stays planned."""
    from pillarbox.deliver.choose import transport
    from pillarbox.mailings import control
    from pillarbox.mailings.dispatch import Dispatch
    from pillarbox.mailings.submit import submit
    from pillarbox.store.project import open_project

    for name, value in planned.environment.items():
        monkeypatch.setenv(name, value)
    project = open_project(planned.folder)
    try:
        mailing = control.start(project, "harbour", actor="test")
        dispatch = Dispatch.of(project, mailing, transport(project.settings))
        assert submit(dispatch) is not None
        upgraded(planned, onward)
        with pytest.raises(NewerDatabaseError):
            submit(dispatch)
        with project.store.reading() as connection:
            states = connection.execute(select(schema.messages.c.state)).scalars().all()
        assert 0 < states.count("accepted") <= 100
        assert states.count("planned") == 300 - states.count("accepted")
    finally:
        project.close()
