"""Schedules in the hands of several workers, of workers that were down or die, and of staff; and own zones."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused, StoreError
from pillarbox.mailings import control, preparation, refusals, schedules
from pillarbox.mailings.status import status
from pillarbox.model.states import MailingState, OccurrenceState, Verdict
from pillarbox.people.audience import Rule
from pillarbox.store import mailings, waves
from pillarbox.store import schedules as table
from pillarbox.store.project import Project
from pillarbox.store.schema import messages as messages_table
from pillarbox.store.schema import schedules as schedules_table
from tests import projects
from tests.mailings.conftest import Scripted, saying
from tests.mailings.walking import (
    DECEMBER,
    added,
    approve,
    folder,
    kinds,
    mailing_of,
    occasions,
    only,
    people,
    send_all,
    tick,
    told,
)
from tests.mailings.walking import small_project as small_project

# ------------------------------------------------------------------------------------------------ their own zone


def test_each_supporter_gets_it_at_that_time_where_they_live(project: Project) -> None:
    """The list's zone, else a country that keeps one time, else the schedule's zone; never before that time."""
    people(project, [
        {"email": "auckland@example.org", "zone": "Pacific/Auckland", "country": "GB"},
        {"email": "berlin@example.org", "zone": "", "country": "DE"},
        {"email": "america@example.org", "zone": "", "country": "US"},
        {"email": "nowhere@example.org", "zone": "Mars/Olympus", "country": ""}])
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    added(project, own_zone=True)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    made = mailing_of(project)
    with project.store.reading() as connection:
        due = dict(connection.execute(select(messages_table.c.address, messages_table.c.due_at)).all())  # type: ignore[arg-type]
    auckland = datetime(2026, 12, 2, 19, tzinfo=UTC)
    assert (made.send_at, only(project).due_at) == (auckland, DECEMBER)
    assert {address.partition("@")[0]: moment for address, moment in due.items()} == {
        "auckland": auckland, "berlin": DECEMBER - timedelta(hours=1), "america": DECEMBER, "nowhere": DECEMBER,
        "supporter0": DECEMBER, "supporter1": DECEMBER, "supporter2": DECEMBER}
    assert "from Wednesday 2 December 2026 at 19:00" in told(project)[0][1]
    approve(project, DECEMBER - timedelta(hours=30))
    gone = []
    for moment in (auckland - timedelta(minutes=1), auckland, DECEMBER - timedelta(hours=1), DECEMBER):
        tick(project, moment)
        send_all(project, transport, moment)
        gone.append(len(transport.addresses))
    assert gone == [0, 1, 2, 7]
    assert transport.addresses[:2] == ["auckland@example.org", "berlin@example.org"]
    assert mailing_of(project).state is MailingState.SENT


def test_a_message_that_waits_for_its_time_keeps_its_mailing_open(project: Project) -> None:
    """A run ends with a word on the next time, and the mailing is not closed."""
    people(project, [{"email": "auckland@example.org", "zone": "Pacific/Auckland"}])
    added(project, own_zone=True)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    approve(project, DECEMBER - timedelta(hours=30))
    moment = DECEMBER - timedelta(hours=12)
    tick(project, moment)
    send_all(project, Scripted(answer=saying(Verdict.ACCEPTED)), moment)
    with clock.freeze(moment):
        found = status(project, mailing_of(project).name)
        words = refusals.why_unfinished(found.mailing, found.remaining, next_due=found.next_due)
        with project.store.reading() as connection:
            assert waves.next_group(connection, found.mailing.id) is None
    assert (found.mailing.state, found.accepted, found.remaining) == (MailingState.SENDING, 1, 3)
    assert "3 messages wait for their own time, the next at 03 December 2026 08:00 UTC" in words


# ------------------------------------------------------------------------------------------------ workers


def test_a_worker_that_was_down_sends_within_the_limit(project: Project) -> None:
    """Five hours late, of six that are allowed: it is sent."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    approve(project, DECEMBER - timedelta(hours=35))
    tick(project, DECEMBER + timedelta(hours=5))
    assert only(project).state is OccurrenceState.STARTED


def test_later_than_the_limit_staff_are_asked(project: Project) -> None:
    """It waits: a notice, once; `send` by hand goes."""
    added(project, late_hours=2.0)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    approve(project, DECEMBER - timedelta(hours=35))
    for hours in (3, 4):
        tick(project, DECEMBER + timedelta(hours=hours))
    assert (only(project).state, mailing_of(project).state) == (OccurrenceState.LATE, MailingState.PLANNED)
    assert kinds(project) == ["scheduled", "late"]
    assert f"`pillarbox send {mailing_of(project).name}` sends it now" in told(project)[1][1]
    with clock.freeze(DECEMBER + timedelta(hours=5)):
        control.start(project, mailing_of(project).name, actor="staff")
    tick(project, DECEMBER + timedelta(hours=6))
    assert only(project).state is OccurrenceState.STARTED


def test_what_passed_while_no_worker_ran_is_told_once_and_not_made_up_for(project: Project) -> None:
    """Four daily letters missed: one notice; the next ones are planned as ever."""
    added(project, appeal="daily-{mm}-{dd}", rule="FREQ=DAILY")
    folder(project, "daily-11-25")
    folder(project, "daily-11-26")
    for _ in range(2):
        tick(project, datetime(2026, 11, 24, 9, tzinfo=UTC))
    found = occasions(project)
    assert [each.state.value for each in found] == ["not-sent"] * 4 + ["planned"] * 2
    assert kinds(project) == ["not-sent", "scheduled", "scheduled"]
    assert "daily-11-24" in told(project)[0][1]
    assert "and 3 before it were not sent: no worker ran" in told(project)[0][1]


def test_two_workers_at_once_plan_once(project: Project) -> None:
    """Four at the same moment: one mailing, one notice; and at its time it is settled once."""
    added(project)
    folder(project, "newsletter-2026-12")

    def at_once(moment: datetime) -> None:
        faults: list[BaseException] = []

        def one() -> None:
            try:
                schedules.tick(project)
            except BaseException as fault:  # noqa: BLE001 - shown by the assertion
                faults.append(fault)

        with clock.freeze(moment):
            threads = [threading.Thread(target=one) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert faults == []

    at_once(DECEMBER - timedelta(hours=48))
    assert only(project).state is OccurrenceState.PLANNED
    with project.store.reading() as connection:
        assert len(mailings.all_of(connection)) == 1
    at_once(DECEMBER)
    assert only(project).state is OccurrenceState.NOT_SENT
    assert kinds(project) == ["scheduled", "not-sent"]


@pytest.mark.parametrize("breaks", ["preparation.check", "preparation.mailings.change"], ids=["composing", "planned"])
def test_what_a_dead_worker_was_planning_is_planned_by_another(project: Project, breaks: str) -> None:
    """A process that dies before or after its plan was made: another one on this machine takes over at once."""
    added(project)
    folder(project, "newsletter-2026-12")
    code = f"""if True:
        import os, pathlib, datetime
        from pillarbox.ground import clock
        from pillarbox.mailings import preparation, schedules
        from pillarbox.store.project import open_project
        project = open_project(pathlib.Path({str(project.folder)!r}))
        {breaks} = lambda *given, **more: os._exit(9)
        with clock.freeze(datetime.datetime.fromisoformat("2026-12-01T20:00:00+00:00")):
            schedules.tick(project)"""
    assert subprocess.run([sys.executable, "-c", code], cwd=projects.ROOT, check=False).returncode == 9
    assert only(project).state is OccurrenceState.PLANNING
    tick(project, DECEMBER - timedelta(hours=35))
    tick(project, DECEMBER - timedelta(hours=35))
    assert only(project).state is OccurrenceState.PLANNED
    assert kinds(project) == ["scheduled"]
    approve(project, DECEMBER - timedelta(hours=30))
    tick(project, DECEMBER)
    with project.store.reading() as connection:
        assert [each.state for each in mailings.all_of(connection)].count(MailingState.SENDING) == 1


def test_a_clock_that_jumps_back_plans_and_sends_nothing_twice(project: Project) -> None:
    """Sent; then the clock says yesterday, and it becomes 8 o'clock a second time."""
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    added(project)
    folder(project, "newsletter-2026-12")
    for moment in (DECEMBER - timedelta(hours=40), DECEMBER, DECEMBER - timedelta(hours=47),
                   DECEMBER - timedelta(hours=1), DECEMBER, DECEMBER + timedelta(hours=1)):
        tick(project, moment)
        approve(project, moment)
        tick(project, moment)
        send_all(project, transport, moment)
    assert len(transport.addresses) == 3
    assert kinds(project) == ["scheduled"]


# ------------------------------------------------------------------------------------------------ staff's own hand


def test_what_staff_cancel_or_pause_is_theirs(project: Project) -> None:
    """A cancelled occurrence is over without a word; a paused one may be resumed in time."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    approve(project, DECEMBER - timedelta(hours=35))
    name = mailing_of(project).name
    with clock.freeze(DECEMBER - timedelta(hours=30)):
        control.pause(project, name, reason="the picture")
    tick(project, DECEMBER)
    assert (only(project).state, mailing_of(project).state) == (OccurrenceState.PLANNED, MailingState.PAUSED)
    with clock.freeze(DECEMBER + timedelta(hours=1)):
        control.resume(project, name)
    tick(project, DECEMBER + timedelta(hours=1))
    assert only(project).state is OccurrenceState.STARTED
    assert kinds(project) == ["scheduled"]


def test_a_cancelled_occurrence_is_over(project: Project) -> None:
    """It is not planned again, and staff are not told what they did themselves."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    with clock.freeze(DECEMBER - timedelta(hours=30)):
        control.cancel(project, mailing_of(project).name, reason="no news")
    for hours in (29, 10, 0):
        tick(project, DECEMBER - timedelta(hours=hours))
    assert (only(project).state, only(project).reason) == (OccurrenceState.NOT_SENT, "it was cancelled: no news")
    assert kinds(project) == ["scheduled"]


def test_removing_a_schedule_lets_its_mailing_go(project: Project) -> None:
    """Nothing of it leaves by itself any more; the planned mailing waits for staff."""
    schedule = added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    approve(project, DECEMBER - timedelta(hours=35))
    with clock.freeze(DECEMBER - timedelta(hours=30)):
        _, left = schedules.remove(project, str(schedule.id))
    assert [each.name for each in left] == [mailing_of(project).name]
    tick(project, DECEMBER)
    assert (mailing_of(project).state, mailing_of(project).send_at) == (MailingState.PLANNED, None)
    with pytest.raises(Refused, match="There is no schedule"):
        schedules.remove(project, str(schedule.id))


def test_a_practice_schedule_does_nothing_live(project: Project) -> None:
    """Added in practice, the settings now live: it is not planned, and staff read why."""
    added(project)
    folder(project, "newsletter-2026-12")
    settings = project.settings.model_copy(update={
        "project": project.settings.project.model_copy(update={"transport": "sendgrid"})})
    tick(replace(project, settings=settings), DECEMBER - timedelta(hours=40))
    assert only(project).mailing_id is None
    assert "added when mailings were practice, and they are live now" in told(project)[0][1]


@pytest.mark.parametrize(("more", "words"), [
    ({"rule": "FREQ=SECONDLY"}, "again and again"), ({"zone": "Europe/Londn"}, "no time zone"),
    ({"at": "8am"}, "no time of day"), ({"appeal": "news {mm}"}, "no name for an appeal"),
    ({"appeal": "news-{month}"}, "in it"), ({"audience": Rule(lists=("friends",))}, "Known lists: all"),
    ({"audience": Rule(lists=())}, "No list and no segment"), ({"late_hours": 0.0}, "--late 0"),
    ({"late_hours": float("nan")}, "--late nan"), ({"late_hours": -1.0}, "--late -1"),
    ({"rule": "FREQ=DAILY;COUNT=2", "starts_on": datetime(2026, 1, 1, tzinfo=UTC).date()}, "lies in the past"),
])
def test_a_schedule_that_cannot_be_is_refused(project: Project, more: dict[str, Any], words: str) -> None:
    """A sentence, and nothing is added."""
    with pytest.raises(Refused) as caught:
        added(project, **more)
    assert words in str(caught.value)
    with project.store.reading() as connection:
        assert table.standing(connection) == []


def test_one_folder_has_one_schedule(project: Project) -> None:
    """A second one for the same folders would send the same letter again: refused."""
    added(project)
    with pytest.raises(Refused, match="scheduled already"):
        added(project, rule="FREQ=DAILY")


def test_one_broken_schedule_keeps_nothing_from_the_others(project: Project) -> None:
    """Its zone is gone from the system: that is raised, and the other schedule is planned all the same."""
    broken = added(project, appeal="other-{yyyy}-{mm}", rule="FREQ=DAILY")
    added(project)
    folder(project, "newsletter-2026-12")
    with project.store.writing() as connection:
        connection.execute(schedules_table.update().where(schedules_table.c.id == broken.id).values(zone="Gone/Zone"))
    with pytest.raises(Refused, match="Gone/Zone"):
        tick(project, DECEMBER - timedelta(hours=40))
    assert only(project).state is OccurrenceState.PLANNED


def test_a_database_that_comes_back_finds_the_occurrence_waiting(project: Project,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """Gone in mid-planning: nothing is said of the letter, and the next tick plans it."""
    added(project)
    folder(project, "newsletter-2026-12")

    def away(*_given: Any) -> Any:
        raise StoreError("The database could not do it.", retry=True)

    monkeypatch.setattr(preparation, "check", away)
    with pytest.raises(StoreError):
        tick(project, DECEMBER - timedelta(hours=40))
    monkeypatch.undo()
    assert (only(project).state, told(project)) == (OccurrenceState.WAITING, [])
    tick(project, DECEMBER - timedelta(hours=40))
    assert only(project).state is OccurrenceState.PLANNED


ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Nuuk", "Asia/Beirut",
         "Antarctica/Troll", "Pacific/Auckland")
RULES = ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU", "FREQ=MONTHLY;BYDAY=-1SU", "FREQ=DAILY;INTERVAL=3", "FREQ=DAILY;COUNT=9")


def test_each_local_occurrence_is_made_exactly_once(project: Project) -> None:
    """For many zones, rules and times of day, and workers that look at any moments, also backwards."""
    numbers = iter(range(10_000))

    @given(st.sampled_from(RULES), st.sampled_from(ZONES), st.integers(0, 47), st.sampled_from((3, 10)),
           st.lists(st.integers(-60 * 24, 60 * 24 * 4), min_size=1, max_size=12))
    @settings(max_examples=40, deadline=None, database=None)
    def walk(rule: str, zone: str, half_hour: int, month: int, gaps: list[int]) -> None:
        began = now = datetime(2027, month, 20, tzinfo=UTC)
        schedule = added(project, appeal=f"news{next(numbers)}", rule=rule, zone=zone, now=began,
                         at=f"{half_hour // 2:02}:{half_hour % 2 * 30:02}")
        moments = [now := now + timedelta(minutes=gap) for gap in gaps]
        for moment in moments:
            with clock.freeze(moment):
                schedules._make(project, schedule)
        wanted = schedules.repeats(schedule).between(began, max(moments) + schedules.AHEAD)
        with project.store.reading() as connection:
            made = table.of_schedule(connection, schedule.id, since=began - timedelta(days=9))
        assert [(each.local, each.due_at) for each in made] == [
            (occasion.local.isoformat(timespec="minutes"), occasion.due) for occasion in wanted]

    walk()
