"""Backups and the worker: a backup that cannot be made is one mailing's trouble, and none is made for nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pillarbox.ground import clock
from pillarbox.keeping import backup, journal
from pillarbox.mailings import control
from pillarbox.mailings import live as liveness
from pillarbox.model.states import MailingState
from pillarbox.runner.tick import Ticked, tick
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from tests.runner.test_tick import now, planned, told

NOON = datetime(2026, 12, 10, 12, tzinfo=UTC)


@pytest.fixture
def live(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The same project, whose letters go to people by a mail server."""
    monkeypatch.setattr(liveness, "faults", lambda _project: [])
    settings = project.settings
    return replace(project, settings=settings.model_copy(update={
        "project": settings.project.model_copy(update={"transport": "smtp"}),
        "smtp": settings.smtp.model_copy(update={"host": "mail.harbour.example"}),
        "backup": settings.backup.model_copy(update={"nightly": False})}))


@pytest.fixture
def waiting(project: Project, live: Project) -> Mailing:
    """An approved live mailing that leaves at noon."""
    mailing = planned(project, send_at=NOON, practice=False, transport="smtp")
    control.approve(live, mailing.name, by="Ada")
    return mailing


def ticked(live: Project, **after: float) -> Ticked:
    """A look, so long after noon."""
    with clock.freeze(NOON + timedelta(**after)):
        return tick(live, worker="w")


def made(live: Project) -> int:
    """How many backups there are."""
    return len(backup.known(journal.backups(live.settings), live.id))


def test_a_full_backup_disk_holds_back_its_mailing_alone(live: Project, waiting: Mailing) -> None:
    """The others go on, the brakes look on; after ten minutes it is paused, and staff are told why."""
    mailing = waiting
    folder = journal.backups(live.settings)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder should be")
    first = ticked(live, seconds=1)
    assert "The backup could not be written" in first.faults[0]
    assert now(live, mailing).state is MailingState.PLANNED
    assert ticked(live, minutes=11).faults == []
    held = now(live, mailing)
    assert held.state is MailingState.PAUSED
    assert "The backup could not be written" in held.state_reason
    assert any("The backup could not be written" in words for words in told(live))


def test_a_journal_that_cannot_be_written_holds_back_its_mailing_alone(live: Project, waiting: Mailing) -> None:
    """As with the backup: the worker goes on, and says why."""
    mailing = waiting
    place = journal.place(live.settings)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup, "before_send", lambda _project: None)
        assert "journal of launches cannot be written" in ticked(live, seconds=1).faults[0]
    assert now(live, mailing).state is MailingState.PLANNED


def test_no_backup_is_made_while_something_else_stands_in_the_way(live: Project, waiting: Mailing,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """A web side that does not answer yet is asked every two seconds; a backup each time would push the nights out."""
    mailing = waiting
    monkeypatch.setattr(liveness, "faults", lambda _project: ["Nothing answers at https://letters.harbour.example."])
    for seconds in range(1, 4):
        assert "Nothing answers" in ticked(live, seconds=seconds).faults[0]
    assert made(live) == 0
    monkeypatch.setattr(liveness, "faults", lambda _project: [])
    ticked(live, seconds=10)
    assert now(live, mailing).state is MailingState.SENDING
    assert made(live) == 1
