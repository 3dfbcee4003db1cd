"""Schedules in the hands of the real worker: planned, approved, sent; each supporter at their own time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from pillarbox.ground import clock
from pillarbox.mailings import schedules
from pillarbox.model.states import MailingState, MessageState, OccurrenceState
from pillarbox.runner import tick as ticking
from pillarbox.runner.worker import Loop
from pillarbox.store.project import Project
from pillarbox.store.schema import messages
from tests.mailings.walking import DECEMBER, added, approve, folder, kinds, mailing_of, only, people, told
from tests.mailings.walking import small_project as small_project


def work(project: Project, hours: float) -> None:
    """A worker does what is due so many hours before the time of December's newsletter."""
    with clock.freeze(DECEMBER - timedelta(hours=hours)):
        assert Loop(project=project).once().faults == []


def accepted(project: Project) -> int:
    """How many messages were handed over."""
    with project.store.reading() as connection:
        return len(connection.execute(select(messages.c.id).where(messages.c.state == MessageState.ACCEPTED)).all())


def test_a_worker_sends_it_where_it_is_eight_oclock(project: Project) -> None:
    """Auckland thirteen hours before London; the mailing is done when the last zone is."""
    people(project, [{"email": "auckland@example.org", "zone": "Pacific/Auckland"}])
    added(project, own_zone=True)
    folder(project, "newsletter-2026-12")
    work(project, 40)
    approve(project, DECEMBER - timedelta(hours=30))
    gone = []
    for hours in (14, 13, 12, 1, 0):
        work(project, hours)
        gone.append(accepted(project))
    assert gone == [0, 1, 1, 1, 4]
    assert (mailing_of(project).state, only(project).state) == (MailingState.SENT, OccurrenceState.STARTED)


def test_a_worker_sends_nothing_that_nobody_approved(project: Project) -> None:
    """Not even in practice, where `send` asks for no approval."""
    added(project)
    folder(project, "newsletter-2026-12")
    for hours in (40, 1, 0, -1):
        work(project, hours)
    assert (mailing_of(project).state, only(project).state) == (MailingState.PLANNED, OccurrenceState.NOT_SENT)
    assert kinds(project) == ["scheduled", "not-sent"]


def test_a_mailing_that_falls_due_within_a_tick_is_looked_at_before_it_is_started(project: Project) -> None:
    """Between the look at the schedules and the start it became eight o'clock: the next tick decides."""
    added(project)
    folder(project, "newsletter-2026-12")
    work(project, 40)
    made = mailing_of(project)
    with clock.freeze(DECEMBER):
        assert schedules.holds_back(project, made)
        ticking._start(project, made, ticking.Ticked(), "worker")
    assert mailing_of(project).state is MailingState.PLANNED


def test_a_worker_says_what_it_did_for_a_schedule(project: Project) -> None:
    """What it planned, and what it did not send: the same words that staff are told."""
    added(project)
    folder(project, "newsletter-2026-12")
    said: list[str] = []
    for hours in (40, 39, -1):
        with clock.freeze(DECEMBER - timedelta(hours=hours)):
            Loop(project=project, say=said.append).once()
    assert ["is planned for" in said[0], "nobody had approved it" in said[1], len(said)] == [True, True, 2]
    assert said == [words for _, words in told(project)]
