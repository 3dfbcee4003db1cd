"""What was let go is on disk before it goes, and outlives the database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from pillarbox.ground.errors import Refused
from pillarbox.keeping import backup, journal
from pillarbox.mailings import control, live
from pillarbox.model import config
from pillarbox.model.states import MailingState
from pillarbox.store import schema
from pillarbox.store.project import Project
from tests import projects
from tests.keeping.conftest import CROWD, filled, lines, plan, standing, start


def test_a_launch_is_written_down_once(project: Project) -> None:
    """A line with the edition, and nothing of anybody's; a mailing that goes on is not a new launch."""
    mailing = start(project, plan(project))
    control.pause(project, mailing.name, reason="test")
    control.resume(project, mailing.name)
    start(project, mailing)
    beside = journal.place(project.settings)
    assert len([line for line in lines(beside) if "begun" not in line]) == 1
    assert "example.org" not in beside.read_text("utf-8")
    launch = journal.read([beside])[0]
    assert (launch.mailing, launch.appeal, launch.edition, launch.planned, launch.source_code) == (
        mailing.name, "harbour", mailing.edition, CROWD, mailing.source_code)
    assert launch.highest["messages"] >= CROWD


def test_it_is_written_before_the_gate_opens(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between the two leaves a launch that did not happen, never one that nobody knows of."""
    mailing = plan(project)

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(control.audit, "record", crash)
    with pytest.raises(RuntimeError):
        start(project, mailing)
    assert standing(project, mailing.name).state is MailingState.PLANNED
    assert len(lines(journal.place(project.settings))) == 1


def test_without_it_nothing_starts(project: Project) -> None:
    """A journal that cannot be written stops the send, with a sentence."""
    mailing = plan(project)
    beside = journal.place(project.settings)
    beside.parent.mkdir(exist_ok=True)
    beside.mkdir()
    with pytest.raises(Refused, match="journal of launches cannot be written"):
        start(project, mailing)
    assert standing(project, mailing.name).state is MailingState.PLANNED


def test_a_copy_lies_with_the_backups(project: Project) -> None:
    """From the first backup on every launch is told there as well; one that was missed is added by the next."""
    first = start(project, plan(project, again="one"))
    folder = backup.backup(project).parent
    second = start(project, plan(project, again="two"))
    assert [launch.source_code for launch in journal.read([journal.copy_in(folder, project.id)])] == [
        first.source_code, second.source_code]


def test_a_line_cut_short_is_no_launch_and_harms_no_other(project: Project) -> None:
    """As a crash in mid-write leaves it."""
    beside = journal.place(project.settings)
    first = start(project, plan(project, again="one"))
    with beside.open("ab") as file:
        file.write(b'{"at":"2026-11-23T10:00')
    second = start(project, plan(project, again="two"))
    assert [launch.source_code for launch in journal.read([beside])] == [first.source_code, second.source_code]


def test_a_live_edition_of_a_lost_database_is_not_planned_again(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was deleted and begun anew: what was sent from the old one is still known."""
    monkeypatch.setattr(config, "is_loopback", lambda _host: False)
    monkeypatch.setattr(live, "faults", lambda _project: [])
    monkeypatch.setattr("pillarbox.ground.address.is_reserved", lambda _address: False)
    made = projects.make(tmp_path / "project", transport="sendgrid", sendgrid_url="https://api.sendgrid.example")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    project = filled(made.folder, tmp_path)
    mailing = plan(project)
    assert not mailing.practice
    control.approve(project, mailing.name, by="René")
    start(project, mailing)
    project.close()
    for tail in ("", "-wal", "-shm"):
        (made.folder / "var" / f"pillarbox.db{tail}").unlink(missing_ok=True)
    project = filled(made.folder, tmp_path)
    with pytest.raises(Refused, match=rf"was sent on .*, as {mailing.name}, from a database that is not this one"):
        plan(project)
    with project.store.reading() as connection:
        assert connection.execute(select(schema.mailings)).all() == []
    assert plan(project, again="once more").planned == CROWD
    project.close()
