"""What a tick does at which moment: starting, closing hours, what lay still, what is late, what asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.mailings import control, departure, planning
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.status import status
from pillarbox.mailings.submit import submit
from pillarbox.model.states import MailingState, MessageState, Verdict
from pillarbox.people.audience import Rule
from pillarbox.runner.local import Run
from pillarbox.runner.tick import tick
from pillarbox.store import claims, mailings, messages, notices, waves, workers
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from tests.mailings.conftest import CROWD, Scripted, saying

NOON = datetime(2026, 12, 10, 12, tzinfo=UTC)
HOURS = "08:00-20:00"


def at(**after: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(**after)


def planned(project: Project, **columns: object) -> Mailing:
    """A planned mailing at noon, with these columns."""
    with clock.freeze(at(hours=-3)):
        mailing = planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("all",)))).mailing
        if columns:
            with project.store.writing() as connection:
                mailings.change(connection, mailing.id, **columns)
    return now(project, mailing)


def now(project: Project, mailing: Mailing) -> Mailing:
    """The mailing as the ledger has it."""
    return status(project, mailing.name).mailing


def told(project: Project) -> list[str]:
    """The notices that staff have not been mailed."""
    with project.store.reading() as connection:
        return [str(row.words) for row in notices.untold(connection)]


def one_unit(project: Project, mailing: Mailing) -> None:
    """Send a part of the mailing."""
    submit(Dispatch.of(project, mailing, Scripted(answer=saying(Verdict.ACCEPTED))))


def test_it_starts_at_its_time_and_not_before(project: Project) -> None:
    """A minute early: nothing. At its time: started, named as sendable, and closed when it is done."""
    mailing = planned(project, send_at=NOON, send_by="Alice")
    with clock.freeze(at(minutes=-1)):
        early = tick(project, worker="w")
        assert (early.did, early.sendable, early.next_at) == ([], [], NOON)
    with clock.freeze(at(seconds=1)):
        found = tick(project, worker="w")
        assert [one.name for one in found.sendable] == [mailing.name]
        assert "as Alice asked" in found.did[0]
        assert tick(project, worker="w").did == []
        run = Run(dispatch=Dispatch.of(project, found.sendable[0], Scripted(answer=saying(Verdict.ACCEPTED))))
        run(1)
        assert tick(project, worker="w").sendable == []
    assert now(project, mailing).state is MailingState.SENT


def test_what_is_a_little_late_goes_and_what_is_very_late_asks(project: Project) -> None:
    """Three hours: by itself. Five: paused, with the reason, and staff are told once; resumed, it goes."""
    first, second = planned(project, send_at=NOON), planned(project, send_at=NOON)
    with clock.freeze(at(hours=3)):
        tick(project, worker="w")
    assert now(project, first).state is MailingState.SENDING
    with project.store.writing() as connection:
        mailings.move(connection, second.id, before=(MailingState.SENDING,), after=MailingState.PLANNED)
    with clock.freeze(at(hours=5)):
        tick(project, worker="w")
        tick(project, worker="w")
        found = now(project, second)
        assert found.state is MailingState.PAUSED
        assert "5 hours late" in found.state_reason
        assert len([words for words in told(project) if second.name in words]) == 1
        control.resume(project, second.name)
        tick(project, worker="w")
        assert now(project, second).state is MailingState.SENDING


def test_a_worker_starts_no_live_mailing_that_nobody_approved(project: Project) -> None:
    """It is held back at its time, in words; practice does not help it."""
    mailing = planned(project, send_at=NOON, practice=False)
    with clock.freeze(at(seconds=1)):
        found = tick(project, worker="w")
        assert found.sendable == []
        assert "planned for files (live)" in found.faults[0], "the settings of this project are practice"
    assert now(project, mailing).state is MailingState.PLANNED
    live = project.settings.model_copy(update={
        "project": project.settings.project.model_copy(update={"transport": "smtp"}),
        "smtp": project.settings.smtp.model_copy(update={"host": "mail.harbour.example"})})
    outside = Project(id=project.id, folder=project.folder, settings=live, store=project.store)
    with project.store.writing() as connection:
        mailings.change(connection, mailing.id, transport="smtp")
    with clock.freeze(at(seconds=1)):
        found = tick(outside, worker="w")
        assert found.sendable == []
    held = now(project, mailing)
    assert held.state is MailingState.PAUSED
    assert "nobody has approved" in held.state_reason


def test_it_stops_at_the_end_of_its_hours_and_goes_on_next_morning(project: Project) -> None:
    """It ran until eight in the evening: it says what went and what did not, and goes on by itself at eight."""
    mailing = planned(project, hours=HOURS, send_at=NOON)
    with clock.freeze(at(seconds=1)):
        tick(project, worker="w")
    for hours in (3, 6):
        with clock.freeze(at(hours=hours)):
            tick(project, worker="w")
    with clock.freeze(at(hours=7, minutes=59, seconds=50)):
        assert tick(project, worker="w").sendable
        one_unit(project, now(project, mailing))
    with clock.freeze(at(hours=8, seconds=5)):
        assert submit(Dispatch.of(project, now(project, mailing), Scripted(answer=saying(Verdict.ACCEPTED)))) is None
        found = tick(project, worker="w")
        assert found.sendable == []
        assert "13 of 100 were handed over, 87 wait" in found.did[0]
        assert tick(project, worker="w").did == []
    assert now(project, mailing).state is MailingState.SENDING
    assert "Friday 11 December 2026 at 08:00" in now(project, mailing).state_reason
    assert len(told(project)) == 1
    with clock.freeze(at(hours=20, seconds=5)):
        found = tick(project, worker="w")
        assert [one.name for one in found.sendable] == [mailing.name]
        assert now(project, mailing).state_reason == ""


@pytest.mark.parametrize("died", [False, True])
def test_what_was_interrupted_waits_for_resume_outside_its_hours(project: Project, died: bool) -> None:
    """The host went down in the afternoon, or the sender died, and it is evening: paused, with what went."""
    mailing = planned(project, hours=HOURS, send_at=NOON)
    with clock.freeze(at(seconds=1)):
        tick(project, worker="w")
        one_unit(project, now(project, mailing))
        if died:
            _claim_and_die(project, mailing)
    with clock.freeze(at(hours=9)):
        found = tick(project, worker="w")
        assert found.sendable == []
        held = now(project, mailing)
        assert held.state is MailingState.PAUSED
        assert "interrupted" in held.state_reason
        assert "13 of 100 were handed over" in held.state_reason
        assert ("nobody is sure" in held.state_reason) is False, "files may be written again"
        control.resume(project, mailing.name)
        waits = tick(project, worker="w")
        assert (waits.sendable, waits.next_at) == ([], None), "what is overdue must not make the worker spin"
        assert now(project, mailing).state is MailingState.PLANNED, "it waits for its hours"
    with clock.freeze(at(hours=20, seconds=1)):
        assert tick(project, worker="w").sendable


def _claim_and_die(project: Project, mailing: Mailing) -> None:
    with project.store.writing() as connection:
        group = waves.next_group(connection, mailing.id)
        assert group is not None
        claims.claim(connection, mailing.id, group, most=10, worker="elsewhere:1:1:1",
                       lease_until=clock.now() + timedelta(minutes=5))


def test_what_lay_still_for_long_asks_even_within_its_hours(project: Project) -> None:
    """Five hours without anybody: paused. Four minutes: it goes on."""
    mailing = planned(project, send_at=NOON)
    with clock.freeze(at(seconds=1)):
        tick(project, worker="w")
    with clock.freeze(at(minutes=4)):
        assert tick(project, worker="w").sendable
    with clock.freeze(at(hours=5)):
        assert tick(project, worker="w").sendable == []
    assert "lay still for 4 hours" in now(project, mailing).state_reason


def test_a_clock_that_jumps_back_changes_nothing_for_good(project: Project) -> None:
    """What was started stays started; outside its hours it waits, and goes on when they come again."""
    mailing = planned(project, hours=HOURS, send_at=NOON)
    with clock.freeze(at(seconds=1)):
        tick(project, worker="w")
        one_unit(project, now(project, mailing))
    with clock.freeze(at(hours=-5)):
        assert tick(project, worker="w").sendable == []
        assert now(project, mailing).state is MailingState.SENDING
    with clock.freeze(at(hours=-4)):
        assert tick(project, worker="w").sendable
        assert status(project, mailing.name).accepted == 13


def test_the_dead_are_buried_in_every_mailing_that_is_open(project: Project) -> None:
    """Also in one that is paused: nothing stays on its way for ever."""
    mailing = planned(project)
    with clock.freeze(NOON):
        control.start(project, mailing.name, actor="test")
        _claim_and_die(project, mailing)
        control.pause(project, mailing.name, reason="lunch")
    with clock.freeze(at(minutes=6)):
        assert "a sender died" in tick(project, worker="w").did[0]
    with project.store.reading() as connection:
        assert MessageState.SUBMITTING not in messages.states(connection, mailing.id)


def test_send_at_needs_a_worker_that_was_seen(project: Project) -> None:
    """Seen within five minutes counts; longer ago, dead on this machine, or in the future does not."""
    mailing = planned(project)
    with clock.freeze(NOON):
        for seen_at, there in ((at(minutes=-6), False), (at(hours=1), False), (at(minutes=-4), True)):
            with clock.freeze(seen_at), project.store.writing() as connection:
                workers.beat(connection, "elsewhere:1:1:1", kind="worker", host="box")
            with clock.freeze(NOON):
                if there:
                    found = departure.wait(project, mailing.name, at=at(days=1), count=CROWD, actor="Alice")
                    assert (found.state, found.send_at) == (MailingState.PLANNED, at(days=1))
                else:
                    with pytest.raises(Refused, match="No worker has been seen"):
                        departure.wait(project, mailing.name, at=at(days=1), count=CROWD, actor="Alice")


def test_pause_and_resume_of_one_that_waits(project: Project) -> None:
    """Resumed before its time it waits on; resumed after it, it goes; sent now, the later time is forgotten."""
    mailing = planned(project, send_at=NOON, send_by="Alice")
    with clock.freeze(at(hours=-1)):
        control.pause(project, mailing.name, reason="a doubt")
        assert control.resume(project, mailing.name).send_at == NOON
        control.pause(project, mailing.name, reason="another doubt")
    with clock.freeze(at(hours=6)):
        assert tick(project, worker="w").did == []
        control.resume(project, mailing.name)
        assert tick(project, worker="w").sendable
    other = planned(project, send_at=at(days=2))
    with clock.freeze(at(hours=7)):
        assert control.start(project, other.name, actor="test").send_at is None


def test_what_breaks_over_the_dead_of_one_mailing_stops_nothing_else(project: Project,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said; what is due is started, and named as sendable."""
    mailing = planned(project, send_at=NOON, send_by="Alice")

    def breaks(*_: object, **__: object) -> int:
        raise ValueError

    monkeypatch.setattr("pillarbox.runner.tick.bury_the_dead", breaks)
    monkeypatch.setattr("pillarbox.store.due.with_open_attempts", lambda *_: [mailing.id])
    with clock.freeze(NOON):
        ticked = tick(project, worker="me")
    assert [each.id for each in ticked.sendable] == [mailing.id]
    assert "ValueError" in ticked.faults[0]
