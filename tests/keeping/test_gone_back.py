"""A database that has gone back in time, whichever way, sends nothing by itself that may have left since."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused, StoreError
from pillarbox.keeping import backup, doubt, journal
from pillarbox.keeping.restore import restore
from pillarbox.mailings import control
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.reconcile import reconcile
from pillarbox.mailings.submit import submit
from pillarbox.model.states import MailingState, Verdict
from pillarbox.store import mailings, notices, schema
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project, open_project
from tests import projects
from tests.keeping.conftest import CROWD, filled, plan, reopened, standing, start, states
from tests.mailings.conftest import Scripted, saying
from tests.projects import TestProject


def all_gone(project: Project, mailing: Mailing) -> None:
    """The mailing is sent to its end."""
    with project.store.writing() as connection:
        connection.exec_driver_sql("UPDATE messages SET state = 'accepted'")
        mailings.change(connection, mailing.id, state=MailingState.SENT)


def on_sqlite(tmp_path: Path) -> Project:
    """A project whose database is a file."""
    projects.make(tmp_path / "project")
    return filled(tmp_path / "project", tmp_path)


def file_of(project: Project) -> Path:
    """That file; the project is closed for it."""
    project.close()
    return project.folder / "var" / "pillarbox.db"


def put_back(project: Project, older: Path) -> Project:
    """An older file takes the place of the project's, by hand."""
    there = file_of(project)
    for tail in ("-wal", "-shm"):
        there.with_name(there.name + tail).unlink(missing_ok=True)
    shutil.copy(older, there)
    return reopened(project)


def adopted(folder: Path, *more: str) -> Any:
    """What `store adopt` says."""
    return TestProject(folder=folder, environment={}).json("store", "adopt", *more)


def live(project: Project, mailing: Mailing) -> None:
    """Count it as a mailing that goes to people."""
    with project.store.writing() as connection:
        mailings.change(connection, mailing.id, practice=False)


def test_what_a_first_restore_put_in_doubt_stays_so_at_the_second(tmp_path: Path) -> None:
    """The database that is replaced was restored itself: that it never sent a mailing says nothing."""
    project = on_sqlite(tmp_path)
    mailing = plan(project)
    path = backup.backup(project).rename(tmp_path / "the-only-one.backup")
    all_gone(project, start(project, mailing))
    shutil.rmtree(file_of(project).parent)  # the disk is lost, and every journal with it
    restore(project.folder, path)
    done = restore(project.folder, path, sure=True)
    assert [(one.in_doubt, one.remaining) for one in done.aftermath.paused] == [(CROWD, 0)]


def test_an_older_file_put_back_by_hand_does_not_send_again(tmp_path: Path) -> None:
    """The journal beside it knows better: paused, in doubt, told; once staff have decided, it goes."""
    project = on_sqlite(tmp_path)
    mailing = plan(project)
    older = Path(shutil.copy(file_of(project), tmp_path / "older.db"))
    project = reopened(project)
    all_gone(project, start(project, mailing))
    project = put_back(project, older)
    assert standing(project, mailing.name).state is MailingState.PLANNED
    with pytest.raises(Refused, match="an older one was put in its place"):
        start(project, mailing)
    assert standing(project, mailing.name).state is MailingState.PAUSED
    assert states(project, mailing) == {"in_doubt": CROWD}
    with project.store.reading() as connection:
        assert "older than the journal" in notices.untold(connection)[-1].words
    reconcile(project, mailing.name, assume="unsent")
    control.resume(project, mailing.name, actor="test")
    with clock.freeze(clock.now() - timedelta(days=1)):  # whatever the clock says
        assert start(project, mailing).state is MailingState.SENDING
    project.close()


def test_a_launch_that_was_never_committed_is_not_taken_for_one(project: Project,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between the journal's line and the commit: nothing left, and the mailing starts as it should."""
    mailing = plan(project)
    real = control.audit.record
    monkeypatch.setattr(control.audit, "record", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        start(project, mailing)
    monkeypatch.setattr(control.audit, "record", real)
    assert journal.read([journal.place(project.settings)])
    assert start(project, mailing).state is MailingState.SENDING


def test_one_that_another_process_has_just_begun_is_left_alone(project: Project) -> None:
    """Seen as planned, begun a moment later elsewhere: that is no older database."""
    mailing = plan(project)
    start(project, mailing)
    doubt.refuse_gone_back(project, mailing)
    assert states(project, mailing) == {"planned": CROWD}


def test_an_adopted_copy_does_not_send_what_the_other_may_have_sent(tmp_path: Path) -> None:
    """Every unfinished live mailing is paused and in doubt, and staff are told; practice goes on."""
    project = on_sqlite(tmp_path)
    mailing = plan(project)
    practice = plan(project, again="for practice")
    live(project, mailing)
    project.close()
    copy = tmp_path / "copy"
    shutil.copytree(project.folder, copy)
    told = adopted(copy)
    assert told["paused"] == [{"mailing": mailing.name, "state": "paused", "in_doubt": CROWD}]
    here = open_project(copy)
    assert states(here, mailing) == {"in_doubt": CROWD}
    assert states(here, practice) == {"planned": CROWD}
    assert "adopted" in standing(here, mailing.name).state_reason
    here.close()


def test_what_was_merely_moved_goes_on(tmp_path: Path) -> None:
    """`--moved`: staff say that there is no other copy; adopting what is at home changes nothing either."""
    project = on_sqlite(tmp_path)
    mailing = plan(project)
    live(project, mailing)
    assert adopted(project.folder)["paused"] == []
    project.close()
    moved = project.folder.rename(tmp_path / "renamed")
    assert adopted(moved, "--moved")["paused"] == []
    opened = open_project(moved)
    assert states(opened, mailing) == {"planned": CROWD}
    opened.close()


def half_sent(project: Project) -> tuple[Mailing, Path, Project]:
    """A mailing of which a batch left, the database file of that moment, and the project after one more batch."""
    mailing = start(project, plan(project))
    going = Dispatch.of(project, mailing, Scripted(answer=saying(Verdict.ACCEPTED), unit=5))
    submit(going)
    older = Path(shutil.copy(file_of(project), tmp_copy(project)))
    project = reopened(project)
    submit(Dispatch.of(project, mailing, Scripted(answer=saying(Verdict.ACCEPTED), unit=5)))
    return mailing, older, project


def tmp_copy(project: Project) -> Path:
    """Where the older file is kept."""
    return project.folder.parent / "older.db"


def test_an_older_file_of_a_mailing_in_mid_send_opens_read_only(tmp_path: Path) -> None:
    """The batch that left since would leave again: so nothing can be sent until staff adopt it, and then in doubt."""
    mailing, older, project = half_sent(on_sqlite(tmp_path))
    live(project, mailing)
    project.close()
    with contextlib.closing(sqlite3.connect(older)) as connection:
        connection.execute("UPDATE mailings SET practice = 0")
        connection.commit()
    there = project.folder / "var" / "pillarbox.db"
    there.write_bytes(older.read_bytes())
    project = reopened(project)
    with pytest.raises(StoreError, match="An older copy of this database"), project.store.writing():
        pass
    project.close()
    assert [(one["state"], one["in_doubt"]) for one in adopted(project.folder)["paused"]] == [("paused", CROWD - 5)]
    project = reopened(project)
    assert states(project, mailing) == {"accepted": 5, "in_doubt": CROWD - 5}
    with project.store.writing() as connection:
        new = connection.execute(insert(schema.attempts).values(
            mailing_id=mailing.id, worker="w", size=0, started_at=clock.now(), lease_until=clock.now(),
        ).returning(schema.attempts.c.id)).scalar_one()
    assert new > 2, "no attempt's number is given out twice"
    project.close()


def test_a_restored_database_is_not_taken_for_an_older_file(tmp_path: Path) -> None:
    """`store restore` goes back in time by rule: it opens, paused and in doubt as ever."""
    project = on_sqlite(tmp_path)
    mailing = start(project, plan(project))
    path = backup.backup(project)
    submit(Dispatch.of(project, mailing, Scripted(answer=saying(Verdict.ACCEPTED), unit=5)))
    project.close()
    restore(project.folder, path, sure=True)
    project = reopened(project)
    with project.store.writing():
        pass
    project.close()


def test_a_witness_that_cannot_be_written_or_read_stops_nobody(tmp_path: Path) -> None:
    """It is one guard more, and no condition of sending."""
    project = on_sqlite(tmp_path)
    (project.folder / "var" / "pillarbox.db.reached").mkdir()
    mailing = start(project, plan(project))
    assert submit(Dispatch.of(project, mailing, Scripted(answer=saying(Verdict.ACCEPTED), unit=5)))
    reopened(project).close()
