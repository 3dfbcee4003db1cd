"""A mailing handed to the worker at once: what the dashboard's "send now" does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.ground.process import Worker
from pillarbox.mailings import control, departure
from pillarbox.model.states import MailingState
from pillarbox.runner.tick import tick
from pillarbox.store import mailings, workers
from pillarbox.store.project import Project
from tests.mailings.conftest import CROWD, planned
from tests.mailings.launching import now


def worker(project: Project) -> None:
    """A worker is there."""
    with project.store.writing() as connection:
        workers.beat(connection, str(Worker.this()), kind="worker", host="box")


def test_the_next_look_starts_it(project: Project) -> None:
    """It is due at once, in the name of who asked, and a mailing that began is refused."""
    mailing = planned(project)
    with pytest.raises(Refused, match="No worker has been seen in the last 5 minutes"):
        departure.at_once(project, mailing.name, count=CROWD, actor="Ann")
    assert now(project, mailing) == mailing
    worker(project)
    departure.at_once(project, mailing.name, count=CROWD, actor="Ann")
    assert now(project, mailing).state is MailingState.PLANNED
    assert [one.id for one in tick(project, worker="test").sendable] == [mailing.id]
    assert now(project, mailing).state is MailingState.SENDING
    with pytest.raises(Refused, match="being sent already"):
        departure.at_once(project, mailing.name, count=CROWD, actor="Ann")


@pytest.mark.parametrize("count", [0, CROWD - 1, CROWD + 1])
def test_the_count_must_be_what_is_left(project: Project, count: int) -> None:
    """Another number, and nothing is changed."""
    mailing = planned(project)
    worker(project)
    with pytest.raises(Refused, match=f"{CROWD} messages to send, not"):
        departure.at_once(project, mailing.name, count=count, actor="Ann")
    assert now(project, mailing) == mailing


def test_its_hours_and_its_reins_hold(project: Project) -> None:
    """Outside the hours of the day, paused or cancelled: refused."""
    mailing = planned(project)
    worker(project)
    with project.store.writing() as connection:
        mailings.change(connection, mailing.id, not_before=clock.now() + timedelta(hours=1))
    with pytest.raises(Refused, match="may not leave before"):
        departure.at_once(project, mailing.name, count=CROWD, actor="Ann")
    control.pause(project, mailing.name, reason="a test")
    with pytest.raises(Refused, match="is paused"):
        departure.at_once(project, mailing.name, count=CROWD, actor="Ann")
    control.cancel(project, mailing.name, reason="a test")
    with pytest.raises(Refused, match="was cancelled"):
        departure.at_once(project, mailing.name, count=CROWD, actor="Ann")
