"""A schedule walks through its year: each occurrence is planned, told and sent exactly once, or not, and why."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused, StoreError
from pillarbox.mailings import control, planning, preparation, schedules
from pillarbox.mailings.schedules import Wanted
from pillarbox.mailings.status import status
from pillarbox.mailings.submit import Dispatch
from pillarbox.model.states import Basis, MailingState, OccurrenceState, SuppressionReason, Verdict
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.runner.local import Run
from pillarbox.store import mailings, messages, suppressions
from pillarbox.store import schedules as table
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project, open_project
from pillarbox.store.schedules import Occurrence
from pillarbox.store.schema import messages as messages_table
from pillarbox.store.schema import notices as notices_table
from pillarbox.store.schema import schedules as schedules_table
from pillarbox.store.schema import supporters
from tests import projects
from tests.mailings.conftest import Scripted, saying

LONDON = "Europe/London"
NOVEMBER = datetime(2026, 11, 20, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 3, 8, tzinfo=UTC)
"""The first Thursday of December, 8 o'clock in London."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def project(request: pytest.FixtureRequest, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A practice project with a list of three: the test walks through many mailings."""
    if request.param == "postgresql":
        monkeypatch.setenv("PILLARBOX_DATABASE_URL", request.getfixturevalue("postgres_database"))
    made = projects.make(tmp_path / "project")
    with clock.freeze(NOVEMBER):
        opened = open_project(made.folder)
        people(opened, projects.crowd(3))
    yield opened
    opened.close()


def people(project: Project, rows: list[dict[str, str]]) -> None:
    """Put people on the list."""
    path = projects.write_list(project.folder / "list.csv", rows)
    import_list(project.store, secret=project.secret, path=path, list_name="all", format="auto", mapping={},
                basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)


def folder(project: Project, slug: str, words: str = "") -> None:
    """An appeal's folder; what it says is its own unless the test says otherwise."""
    home = project.folder / "appeals" / slug
    home.mkdir(parents=True, exist_ok=True)
    (home / "appeal.toml").write_text(projects.APPEAL, "utf-8")
    (home / "letter.md").write_text(projects.LETTER + (words or f"\nThis is {slug}.\n"), "utf-8")


def added(project: Project, **more: Any) -> table.Schedule:
    """A schedule: the newsletter of each first Thursday."""
    asked: dict[str, Any] = {"appeal": "newsletter-{yyyy}-{mm}", "rule": "FREQ=MONTHLY;BYDAY=1TH", "at": "08:00",
                             "zone": LONDON, "audience": Rule(lists=("all",)), **more}
    with clock.freeze(more.pop("now", NOVEMBER)):
        return schedules.add(project, Wanted(**{k: v for k, v in asked.items() if k != "now"}))


def tick(project: Project, moment: datetime) -> None:
    """What a worker does at a moment: the schedules first, then what has its time."""
    with clock.freeze(moment):
        schedules.tick(project)
        with project.store.reading() as connection:
            found = [each for each in mailings.all_of(connection) if each.state is MailingState.PLANNED
                     and each.send_at and each.send_at <= moment]
        for mailing in found:
            if not schedules.holds_back(project, mailing):
                control.start(project, mailing.name, actor="worker")
        schedules.tick(project)


def send_all(project: Project, transport: Scripted, moment: datetime) -> None:
    """Hand over whatever was started and has its time."""
    with clock.freeze(moment):
        with project.store.reading() as connection:
            found = [each for each in mailings.all_of(connection) if each.state is MailingState.SENDING]
        for mailing in found:
            Run(dispatch=Dispatch.of(project, mailing, transport))(1)


def occasions(project: Project) -> list[Occurrence]:
    """Every occurrence, by its time."""
    with project.store.reading() as connection:
        return table.of_states(connection, *OccurrenceState)


def only(project: Project) -> Occurrence:
    """The one occurrence that there is."""
    [found] = occasions(project)
    return found


def mailing_of(project: Project) -> Mailing:
    """The mailing of the one occurrence that there is."""
    with project.store.reading() as connection:
        return mailings.by_id(connection, only(project).mailing_id or 0)


def approve(project: Project, moment: datetime) -> None:
    """Somebody approves every planned mailing of the schedule."""
    with clock.freeze(moment):
        with project.store.reading() as connection:
            found = [each for each in mailings.all_of(connection) if each.state is MailingState.PLANNED]
        for mailing in found:
            control.approve(project, mailing.name, by="Ada")


def told(project: Project) -> list[tuple[str, str]]:
    """(Kind, words) of everything that staff were told."""
    with project.store.reading() as connection:
        return [(row.kind, row.words) for row in
                connection.execute(select(notices_table).order_by(notices_table.c.id))]


def kinds(project: Project) -> list[str]:
    """The kinds of everything that staff were told."""
    return [kind for kind, _ in told(project)]


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
        now += timedelta(minutes=chance.randint(20, 60 * 20))
        dues = [each.due_at for each in occasions(project) if each.state is OccurrenceState.PLANNED]
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
        words = control.why_unfinished(found.mailing, found.remaining, next_due=found.next_due)
        with project.store.reading() as connection:
            assert messages.next_group(connection, found.mailing.id) is None
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
