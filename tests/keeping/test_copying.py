"""A project moves to another database with nothing lost; at no moment can two of them send."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, Refused, StoreError
from pillarbox.ground.process import Worker
from pillarbox.keeping import copying, journal, rows
from pillarbox.keeping.copying import Copied
from pillarbox.mailings import control
from pillarbox.model.states import MailingState
from pillarbox.store import mailings, schema
from pillarbox.store.connect import Store, connect
from pillarbox.store.project import Project, open_project
from tests import projects
from tests.keeping.conftest import CROWD, filled, in_another_process, plan, standing, start, states, tallies

pytestmark = pytest.mark.postgres


@pytest.fixture
def target(project: Project, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of the other engine."""
    if project.store.is_sqlite:
        url: str = request.getfixturevalue("postgres_database")
        return url
    return f"sqlite:///{project.folder}/var/new.db"


def moved(project: Project, url: str) -> Copied:
    """Move it."""
    return copying.copy(project.folder, url)


def at(project: Project, url: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project as it opens when the settings name another database."""
    with monkeypatch.context() as patch:
        patch.setenv("PILLARBOX_DATABASE_URL", url)
        return open_project(project.folder)


def can_send(project: Project, url: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a mailing could be started from this database (a test of the gate: it is paused again)."""
    try:
        opened = at(project, url, monkeypatch)
    except StoreError:
        return False
    try:
        with opened.store.reading() as connection:
            if not mailings.all_of(connection):
                return False
        control.start(opened, "harbour", actor="test")
        control.pause(opened, "harbour", reason="test")
        control.resume(opened, "harbour")
    except PillarboxError:
        return False
    finally:
        opened.close()
    return True


def test_nothing_is_lost(project: Project, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row arrives as it was, counted and digested, and the project goes on there."""
    mailing = start(project, plan(project))
    before = tallies(project.store)
    done = moved(project, target)
    there = at(project, target, monkeypatch)
    own = ("project", "audit", "marks")
    after = tallies(there.store)
    assert {name: tally for name, tally in after.items() if name not in own} == {
        name: tally for name, tally in before.items() if name not in own}
    assert done.tables == {name: tally[0] for name, tally in before.items()}
    assert after["audit"][0] == before["audit"][0] + 1
    assert states(there, mailing) == {"planned": CROWD}
    assert there.store.closed is None
    there.close()


def test_and_back_again(project: Project, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There and back, every row is still the same to the byte."""
    plan(project)
    before = tallies(project.store)
    moved(project, target)
    home = project.settings.project.database
    last = f"sqlite:///{project.folder}/var/last.db" if project.store.is_sqlite else home
    project.close()
    with monkeypatch.context() as patch:
        patch.setenv("PILLARBOX_DATABASE_URL", target)
        if not project.store.is_sqlite:
            empty = connect(home, project.folder)
            with empty.writing() as connection:
                rows.drop_all(connection)
            empty.close()
        copying.copy(project.folder, last)
    back = at(project, last, monkeypatch)
    own = ("project", "audit", "marks")
    assert tallies(back.store, *own) == {name: tally for name, tally in before.items() if name not in own}
    back.close()


def test_the_source_is_sealed_and_can_be_read(project: Project, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says where the project went; it takes nothing any more."""
    mailing = plan(project)
    moved(project, target)
    project.close()
    there = open_project(project.folder)
    assert states(there, mailing) == {"planned": CROWD}
    with pytest.raises(StoreError, match=r"moved to another database.*PILLARBOX_DATABASE_URL"):
        start(there, mailing)
    there.close()
    assert can_send(project, target, monkeypatch)
    assert not can_send(project, project.settings.project.database, monkeypatch)


def test_new_rows_get_new_numbers(project: Project, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids go on after the highest ever given out, rows since deleted included."""
    mailing = plan(project)
    with project.store.writing() as connection:
        connection.execute(text("DELETE FROM message_values"))
        connection.execute(text("DELETE FROM messages"))
        connection.execute(text("DELETE FROM shapes"))
        connection.execute(text("DELETE FROM plannings"))
        connection.execute(text("DELETE FROM mailings"))
    moved(project, target)
    there = at(project, target, monkeypatch)
    new = plan(there)
    assert new.id > mailing.id
    with there.store.reading() as connection:
        assert connection.execute(select(func.min(schema.messages.c.id))).scalar_one() > CROWD
    there.close()


def test_the_journal_goes_along(project: Project, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was launched is known beside the new database too."""
    mailing = start(project, plan(project))
    beside = journal.place(project.settings, "sqlite:////elsewhere/x.db")
    assert beside == Path("/elsewhere") / journal.FILE
    moved(project, target)
    assert [launch.source_code for launch in journal.read([journal.place(project.settings, target)])] == [
        mailing.source_code]


def test_a_target_with_rows_is_refused(project: Project, target: str) -> None:
    """Whatever they are; one that was merely looked at is as good as empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILLARBOX_DATABASE_URL", target)
        other = open_project(project.folder)
        with other.store.writing() as connection:
            connection.execute(insert(schema.lists).values(name="theirs", created_at=clock.now()))
        with pytest.raises(Refused, match=r"holds rows already \(.*lists.*\)"), patch.context() as back:
            back.delenv("PILLARBOX_DATABASE_URL")
            if not project.store.is_sqlite:
                back.setenv("PILLARBOX_DATABASE_URL", project.settings.project.database)
            moved(project, target)
        with other.store.writing() as connection:
            connection.execute(text("DELETE FROM lists"))
        other.close()
    assert moved(project, target).tables["supporters"] == CROWD


def _sending(connection: Any, mailing_id: int) -> None:
    connection.execute(insert(schema.attempts).values(
        mailing_id=mailing_id, worker="elsewhere:b:1:2", size=1, started_at=clock.now(),
        lease_until=clock.now() + timedelta(minutes=1)))


def _crashed(connection: Any, mailing_id: int) -> None:
    connection.execute(insert(schema.attempts).values(
        mailing_id=mailing_id, worker="elsewhere:b:1:2", size=1, started_at=clock.now() - timedelta(hours=2),
        lease_until=clock.now() - timedelta(hours=1)))


def _working(connection: Any, _mailing_id: int) -> None:
    connection.execute(insert(schema.workers).values(id="elsewhere:b:7:2", kind="worker", host="box2",
                                                     started_at=clock.now(), seen_at=clock.now()))


def _planning(connection: Any, mailing_id: int) -> None:
    mailings.change(connection, mailing_id, state=MailingState.COMPOSING, state_reason=str(Worker.this()))


@pytest.mark.parametrize(("busy", "words"), [
    (_sending, "is being sent"), (_crashed, "pillarbox reconcile harbour"), (_working, "a worker runs on box2"),
    (_planning, "is being planned")])
def test_a_project_in_use_is_refused(project: Project, target: str, busy: Callable[[Any, int], None],
                                     words: str) -> None:
    """It says what is running and what to do; nothing is changed on either side."""
    mailing = plan(project)
    with project.store.writing() as connection:
        busy(connection, mailing.id)
    before = tallies(project.store)
    with pytest.raises(Refused, match=words):
        moved(project, target)
    assert tallies(project.store) == before
    there = connect(target, project.folder)
    with there.reading() as connection:
        assert rows.filled(connection) == []
    there.close()


@pytest.mark.parametrize(("url", "words"), [
    ("postgresql://nobody:secret@127.0.0.1:1/none", "cannot be reached"), ("mysql://localhost/x", "not served"),
    ("nonsense", "cannot be read"), ("sqlite:////proc/nowhere/x.db", "cannot be made"),
    ("sqlite:///Dropbox/x.db", "synced folder")])
def test_a_target_that_cannot_be_is_refused(project: Project, url: str, words: str) -> None:
    """A sentence, and no password in it."""
    with pytest.raises(StoreError, match=words) as caught:
        moved(project, url)
    assert "secret" not in str(caught.value)


def test_the_same_database_is_refused(project: Project) -> None:
    """A project cannot be moved to where it is."""
    with pytest.raises(Refused, match="lives there already"):
        moved(project, project.settings.project.database)


def test_what_arrived_otherwise_is_found(project: Project, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that changed on its way: refused, the source still sends, the copy does not."""
    plan(project)
    honest = rows.write

    def careless(connection: Any, frame: rows.Frame, source: Any, *more: Any) -> rows.Tally:
        done = honest(connection, frame, source, *more)
        if frame.name == "supporters":
            connection.execute(update(schema.supporters).where(schema.supporters.c.id == 7).values(first_name="Eve"))
        return done

    monkeypatch.setattr(rows, "write", careless)
    with pytest.raises(StoreError, match="table supporters did not arrive as it was"):
        moved(project, target)
    monkeypatch.undo()
    if not project.store.is_sqlite:
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", project.settings.project.database)
    assert can_send(project, project.settings.project.database, monkeypatch)
    assert not can_send(project, target, monkeypatch)


def test_without_the_journal_nothing_is_opened(project: Project, target: str, monkeypatch: pytest.MonkeyPatch,
                                               ) -> None:
    """It goes along before the copy is opened: afterwards nobody would run the command again."""
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    plan(project)
    with monkeypatch.context() as patch, pytest.raises(StoreError, match="journal of launches could not be copied"):
        patch.setattr(journal, "add_missing", full)
        moved(project, target)
    assert can_send(project, project.settings.project.database, monkeypatch)
    assert not can_send(project, target, monkeypatch)
    moved(project, target)
    assert can_send(project, target, monkeypatch)


MOMENTS = ["rows.write:supporters", "rows.write:messages", "copying._compare", "copying._change_over:before",
           "copying._open", "copying.commit"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_at_most_one_can_send(project: Project, target: str, moment: str,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9 in mid-copy, before and after the seal: never two that send; the same command then finishes."""
    mailing = plan(project)
    project.close()
    home = project.settings.project.database
    done = in_another_process("""
        import os, signal, sys
        from pathlib import Path
        from sqlalchemy import event
        from pillarbox.keeping import copying, rows
        def die(*_):
            os.kill(os.getpid(), signal.SIGKILL)
        moment = sys.argv[3]
        if moment.startswith("rows.write"):
            real = rows.write
            def deadly(connection, frame, *more):
                done = real(connection, frame, *more)
                if frame.name == moment.partition(":")[2]:
                    die()
                return done
            rows.write = deadly
        elif moment == "copying._change_over:before":
            copying._change_over = die
        elif moment == "copying.commit":
            audit = copying.audit.record
            def armed(connection, *, action, **more):
                audit(connection, action=action, **more)
                if action == "seal":
                    real = connection.commit
                    object.__setattr__(connection, "commit", lambda: (real(), die()))
            copying.audit.record = armed
        else:
            real = getattr(copying, moment.partition(".")[2])
            setattr(copying, moment.partition(".")[2], lambda *a, **k: (real(*a, **k), die()))
        copying.copy(Path(sys.argv[1]), sys.argv[2])
    """, str(project.folder), target, moment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    able = [can_send(project, home, monkeypatch), can_send(project, target, monkeypatch)]
    assert able == [moment != "copying.commit", False]
    if moment != "copying.commit":  # the source goes on meanwhile: what it does then must arrive too
        source = open_project(project.folder)
        control.pause(source, mailing.name, reason="seen in between")
        source.close()
    finished = moved(project, target)
    assert finished.resumed is (moment == "copying.commit")
    assert [can_send(project, home, monkeypatch), can_send(project, target, monkeypatch)] == [
        False, moment == "copying.commit"], "paused there, where it was paused in between"
    there = at(project, target, monkeypatch)
    assert states(there, mailing) == {"planned": CROWD}
    if moment != "copying.commit":
        assert standing(there, mailing.name).state_reason == "seen in between"
    there.close()
    with pytest.raises(Refused, match="sealed"):
        moved(project, target)


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence; the source still sends, and with room the same command works."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    projects.make(tmp_path / "project")
    project = filled(tmp_path / "project", tmp_path)
    plan(project)
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120k", "none", str(small)], check=False,
                      capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    url = f"sqlite:///{small}/new.db"
    try:
        with pytest.raises(StoreError, match="full"):
            moved(project, url)
        assert can_send(project, project.settings.project.database, monkeypatch)
        subprocess.run(["mount", "-o", "remount,size=20m", str(small)], check=True)
        assert moved(project, url).tables["messages"] == CROWD
    finally:
        project.close()
        subprocess.run(["umount", str(small)], check=True)


def test_a_stale_copy_is_never_opened(project: Project, target: str, second_postgres: str,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that was broken off, while the project was then moved elsewhere, cannot be finished."""
    plan(project)

    def broken(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(copying, "_change_over", broken)
        with pytest.raises(RuntimeError):
            moved(project, target)
    moved(project, second_postgres)
    with pytest.raises(Refused, match="not to this one"):
        moved(project, target)
    assert can_send(project, second_postgres, monkeypatch)
    assert not can_send(project, target, monkeypatch)
    stale = at(project, target, monkeypatch)
    with pytest.raises(StoreError, match=r"broken off.*store copy"):
        control.start(stale, "harbour", actor="test")
    stale.close()


def test_writers_wait_until_it_is_over(project: Project, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be written into the source between the copying and the seal."""
    plan(project)
    real = copying._change_over
    seen: list[str] = []

    def with_a_writer(*arguments: Any) -> None:
        other = _impatient(project)
        try:
            with other.writing() as connection:
                connection.execute(text("UPDATE supporters SET first_name = 'late'"))
            seen.append("written")
        except StoreError as fault:
            seen.append(fault.what)
        finally:
            other.close()
        real(*arguments)

    monkeypatch.setattr(copying, "_change_over", with_a_writer)
    moved(project, target)
    assert len(seen) == 1
    assert "lock" in seen[0] or "timeout" in seen[0]


def _impatient(project: Project) -> Store:
    """Another process's way to the source, which waits for a moment only."""
    from sqlalchemy import event

    other = connect(project.settings.project.database, project.folder)

    @event.listens_for(other.writer, "begin")
    def _soon(connection: Any) -> None:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = '300ms'")

    @event.listens_for(other.writer, "connect")
    def _short(connection: Any, _record: Any) -> None:
        if other.is_sqlite:
            connection.execute("PRAGMA busy_timeout = 300")

    return other
