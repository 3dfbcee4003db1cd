"""A schedule walks through its year: each occurrence is planned, told and sent exactly once, or not, and why."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from pillarbox.ground import clock
from pillarbox.mailings import control, planning, preparation, schedules
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.model.states import MailingState, OccurrenceState, SuppressionReason, Verdict
from pillarbox.people.audience import Rule
from pillarbox.runner.local import Run
from pillarbox.store import mailings, suppressions
from pillarbox.store.project import Project
from pillarbox.store.schema import supporters
from tests.mailings.conftest import Scripted, saying
from tests.mailings.walking import (
    DECEMBER,
    NOVEMBER,
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

# ------------------------------------------------------------------------------------------------ the usual road


def test_an_occurrence_is_planned_two_days_ahead_approved_and_started_at_its_time(project: Project) -> None:
    """Not before; staff are told once; what was approved is on its way at 8 o'clock, once."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=49))
    assert occasions(project) == []
    for hours in (48, 47, 30):
        tick(project, DECEMBER - timedelta(hours=hours))
    made = mailing_of(project)
    assert (only(project).state, made.appeal, made.send_at, made.send_by, made.planned) == (
        OccurrenceState.PLANNED, "newsletter-2026-12", DECEMBER, "schedule", 3)
    assert made.for_date.isoformat() == "2026-12-03"
    [(kind, words)] = told(project)
    assert kind == "scheduled"
    assert f"{made.name} is planned for Thursday 3 December 2026 at 08:00 (Europe/London), for 3 supporters" in words
    assert words.startswith("PRACTICE: ")
    approve(project, DECEMBER - timedelta(hours=20))
    tick(project, DECEMBER - timedelta(seconds=1))
    assert mailing_of(project).state is MailingState.PLANNED
    for late in (0, 1, 60, 3_600):
        tick(project, DECEMBER + timedelta(seconds=late))
    assert (mailing_of(project).state, only(project).state) == (MailingState.SENDING, OccurrenceState.STARTED)
    assert kinds(project) == ["scheduled"]


def test_a_year_with_both_clock_changes_sends_each_month_exactly_once(project: Project) -> None:
    """Every last Sunday at 01:30: in March that time is missing, in October it comes twice; each is sent once."""
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    chance = random.Random(20270328)
    added(project, appeal="news-{yyyy}-{mm}", rule="FREQ=MONTHLY;BYDAY=-1SU", at="01:30")
    for month in range(1, 13):
        folder(project, f"news-2027-{month:02}")
    folder(project, "news-2026-11")
    folder(project, "news-2026-12")
    now, started = NOVEMBER, {}
    while now < datetime(2028, 1, 2, tzinfo=UTC):
        dues = [each.due_at for each in occasions(project) if each.state is OccurrenceState.PLANNED]
        now += timedelta(minutes=chance.randint(20, 60 * 20) if dues else chance.randint(60 * 6, 60 * 44))
        now = min([now, *(due for due in dues if due > now - timedelta(hours=20))])  # stop at each time itself
        tick(project, now)
        approve(project, now)
        send_all(project, transport, now)
        for each in occasions(project):
            if each.state is OccurrenceState.STARTED:
                started.setdefault(each.local, now)
        if dues and now in dues:
            now += timedelta(minutes=1)
    found = occasions(project)
    assert len(found) == 14
    assert {each.state for each in found} == {OccurrenceState.STARTED}
    assert {each.local: each.due_at for each in found if each.local[:7] in ("2027-03", "2027-10")} == {
        "2027-03-28T01:30": datetime(2027, 3, 28, 1, tzinfo=UTC),
        "2027-10-31T01:30": datetime(2027, 10, 31, 0, 30, tzinfo=UTC)}
    assert started["2027-03-28T01:30"] == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert started["2027-10-31T01:30"] == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert len(transport.addresses) == 14 * 3
    assert kinds(project) == ["scheduled"] * 14


# ------------------------------------------------------------------------------------------------ what is not sent


def test_what_nobody_approved_is_not_sent(project: Project) -> None:
    """Staff are told why, once; approving it afterwards starts nothing by itself, but `send` by hand goes."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    for minutes in (0, 1, 2):
        tick(project, DECEMBER + timedelta(minutes=minutes))
    assert only(project).state is OccurrenceState.NOT_SENT
    assert kinds(project) == ["scheduled", "not-sent"]
    assert "nobody had approved it" in told(project)[1][1]
    approve(project, DECEMBER + timedelta(minutes=5))
    tick(project, DECEMBER + timedelta(minutes=6))
    assert (mailing_of(project).state, mailing_of(project).send_at) == (MailingState.PLANNED, None)
    with clock.freeze(DECEMBER + timedelta(minutes=7)):
        control.start(project, mailing_of(project).name, actor="staff")
    tick(project, DECEMBER + timedelta(minutes=8))
    assert only(project).state is OccurrenceState.STARTED


def test_a_missing_folder_is_told_once_and_planned_when_it_appears(project: Project) -> None:
    """Before its time it is still planned, and sent when approved."""
    added(project)
    for hours in (48, 40, 30):
        tick(project, DECEMBER - timedelta(hours=hours))
    assert only(project).state is OccurrenceState.WAITING
    [(kind, words)] = told(project)
    assert kind == "waiting"
    assert "there is no folder appeals/newsletter-2026-12" in words
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=1))
    assert only(project).state is OccurrenceState.PLANNED
    approve(project, DECEMBER - timedelta(minutes=10))
    tick(project, DECEMBER)
    assert only(project).state is OccurrenceState.STARTED


def test_a_folder_that_never_appears_is_not_sent(project: Project) -> None:
    """At its time the occurrence is over, and staff are told why; a folder that comes too late changes nothing."""
    added(project)
    tick(project, DECEMBER - timedelta(hours=40))
    tick(project, DECEMBER)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER + timedelta(hours=1))
    assert (only(project).state, only(project).mailing_id) == (OccurrenceState.NOT_SENT, None)
    assert kinds(project) == ["waiting", "not-sent"]
    assert "there is no folder" in told(project)[1][1]


@pytest.mark.parametrize("letter", ["# Hello\n\n{{ supporter.nickname }}\n", "# Hello\n\n{% if %}\n", ""])
def test_a_letter_with_errors_is_not_planned_until_it_is_mended(project: Project, letter: str) -> None:
    """Told once; mended, it is planned."""
    added(project)
    folder(project, "newsletter-2026-12")
    (project.folder / "appeals/newsletter-2026-12/letter.md").write_text(letter, "utf-8")
    for hours in (48, 40, 30):
        tick(project, DECEMBER - timedelta(hours=hours))
    assert only(project).mailing_id is None
    [(kind, words)] = told(project)
    assert kind == "waiting"
    assert "`pillarbox check newsletter-2026-12`" in words
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=20))
    assert only(project).state is OccurrenceState.PLANNED


def test_last_months_letter_is_not_sent_again(project: Project) -> None:
    """A folder copied from last month's, even with a new subject: told once, planned when the letter is a new one."""
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    added(project)
    folder(project, "newsletter-2026-12", "\nThe lamp burns.\n")
    tick(project, DECEMBER - timedelta(hours=40))
    approve(project, DECEMBER - timedelta(hours=30))
    tick(project, DECEMBER)
    send_all(project, transport, DECEMBER)
    folder(project, "newsletter-2027-01", "\nThe lamp  burns.\n\n")
    toml = project.folder / "appeals/newsletter-2027-01/appeal.toml"
    toml.write_text(toml.read_text("utf-8").replace("The harbour needs you", "News of January"), "utf-8")
    january = datetime(2027, 1, 7, 8, tzinfo=UTC)
    for hours in (48, 40):
        tick(project, january - timedelta(hours=hours))
    assert occasions(project)[1].state is OccurrenceState.WAITING
    assert kinds(project) == ["scheduled", "waiting"]
    assert "the same as that of newsletter-2026-12-20261203" in told(project)[1][1]
    folder(project, "newsletter-2027-01", "\nThe lamp burned all January.\n")
    tick(project, january - timedelta(hours=30))
    assert occasions(project)[1].state is OccurrenceState.PLANNED


def test_a_letter_that_went_by_hand_meanwhile_is_not_sent_again(project: Project) -> None:
    """Planned and approved, but staff sent the same letter themselves the day before."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    approve(project, DECEMBER - timedelta(hours=30))
    with clock.freeze(DECEMBER - timedelta(hours=24)):
        by_hand = planning.plan(project, planning.Wish(
            appeal="newsletter-2026-12", rule=Rule(lists=("all",)), again="by hand")).mailing
        Run(dispatch=Dispatch.of(project, control.start(project, by_hand.name, actor="staff"),
                                 Scripted(answer=saying(Verdict.ACCEPTED))))(1)
    tick(project, DECEMBER)
    assert only(project).state is OccurrenceState.NOT_SENT
    assert f"the same as that of {by_hand.name}" in told(project)[-1][1]


# ------------------------------------------------------------------------------------------------ mended letters


def test_a_letter_mended_before_approval_is_planned_again(project: Project) -> None:
    """The old plan is replaced; staff are told of the new one."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    first = mailing_of(project)
    folder(project, "newsletter-2026-12", "\nWith better words.\n")
    tick(project, DECEMBER - timedelta(hours=30))
    second = mailing_of(project)
    assert second.id != first.id
    with project.store.reading() as connection:
        assert mailings.by_id(connection, first.id).state is MailingState.CANCELLED
    assert kinds(project) == ["scheduled", "scheduled"]
    assert "was changed and is planned again" in told(project)[1][1]


def test_an_approved_letter_is_not_touched(project: Project) -> None:
    """What was approved is what is sent."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    approve(project, DECEMBER - timedelta(hours=35))
    first = mailing_of(project)
    folder(project, "newsletter-2026-12", "\nWith better words.\n")
    tick(project, DECEMBER - timedelta(hours=30))
    tick(project, DECEMBER)
    assert mailing_of(project).id == first.id
    assert mailing_of(project).state is MailingState.SENDING


def test_an_approval_in_the_last_moment_before_planning_again_stands(project: Project,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    """Approved between the look at the folder and the new plan: the approved plan stays."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    first = mailing_of(project)
    folder(project, "newsletter-2026-12", "\nWith better words.\n")
    look = preparation.check

    def approved_meanwhile(*given: Any) -> Any:
        control.approve(project, first.name, by="Ada")
        return look(*given)

    monkeypatch.setattr(preparation, "check", approved_meanwhile)
    tick(project, DECEMBER - timedelta(hours=30))
    monkeypatch.undo()
    tick(project, DECEMBER)
    assert (mailing_of(project).id, mailing_of(project).state) == (first.id, MailingState.SENDING)


def test_a_planned_letter_whose_folder_breaks_stays_planned(project: Project) -> None:
    """Staff are in the middle of it: told once, and the plan that stands is not lost."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    (project.folder / "appeals/newsletter-2026-12/letter.md").unlink()
    for hours in (30, 20):
        tick(project, DECEMBER - timedelta(hours=hours))
    assert (only(project).state, mailing_of(project).state) == (OccurrenceState.PLANNED, MailingState.PLANNED)
    assert kinds(project) == ["scheduled", "waiting"]
    assert "stays planned as it was" in told(project)[1][1]


def test_who_joined_after_the_planning_is_not_in_it_and_who_left_is_left_out(project: Project) -> None:
    """The plan is what was approved; whoever left since is withdrawn at the claim."""
    transport = Scripted(answer=saying(Verdict.ACCEPTED))
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER - timedelta(hours=40))
    approve(project, DECEMBER - timedelta(hours=35))
    with clock.freeze(DECEMBER - timedelta(hours=30)):
        people(project, [{"email": "late@example.org", "first_name": "Zoe"}])
        with project.store.writing() as connection:
            row = connection.execute(select(supporters).where(supporters.c.address == "supporter1@example.org")).one()
            suppressions.add(connection, address_hash=row.address_hash, address=row.address, source="test",
                             reason=SuppressionReason.UNSUBSCRIBED, since=clock.now())
    tick(project, DECEMBER)
    send_all(project, transport, DECEMBER)
    assert sorted(transport.addresses) == ["supporter0@example.org", "supporter2@example.org"]


def test_a_clock_that_was_ahead_costs_no_occurrence(project: Project) -> None:
    """What a clock two weeks ahead called missed is planned all the same, once the clock is right again."""
    added(project)
    folder(project, "newsletter-2026-12")
    tick(project, DECEMBER + timedelta(days=14))
    assert (only(project).state, only(project).mailing_id) == (OccurrenceState.NOT_SENT, None)
    tick(project, DECEMBER - timedelta(days=10))
    assert only(project).state is OccurrenceState.NOT_SENT, "not planned too early either"
    tick(project, DECEMBER - timedelta(hours=47))
    assert (only(project).state, mailing_of(project).send_at) == (OccurrenceState.PLANNED, DECEMBER)


def test_nothing_is_made_of_a_schedule_that_was_just_removed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that had read it before makes no occurrence of it."""
    schedule = added(project)
    folder(project, "newsletter-2026-12")
    with clock.freeze(DECEMBER - timedelta(hours=50)):
        schedules.remove(project, str(schedule.id))
    monkeypatch.setattr(schedules.table, "standing", lambda _connection: [schedule])  # as it was read
    tick(project, DECEMBER - timedelta(hours=40))
    assert occasions(project) == []
