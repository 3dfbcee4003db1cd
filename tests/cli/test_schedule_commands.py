"""schedule and calendar, as staff type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import projects
from tests.projects import TestProject

RULE = ("--rule", "FREQ=MONTHLY;BYDAY=1TH", "--at", "08:00", "--zone", "Europe/London", "--list", "all")


@pytest.fixture
def project(tmp_path: Path) -> TestProject:
    """A practice project with a list called ``all``."""
    made = projects.make(tmp_path / "project")
    path = projects.write_list(tmp_path / "list.csv", projects.crowd(3))
    made.run("lists", "import", str(path), "--list", "all", "--basis", "consent", "--source", "test")
    return made


def test_a_schedule_is_added_shown_and_removed(project: TestProject) -> None:
    """With its next times; the calendar has them too, for people, scripts and calendar programs."""
    made = project.json("schedule", "add", "newsletter-{yyyy}-{mm}", *RULE)
    assert {key: made[key] for key in ("schedule", "appeal", "rule", "at", "zone", "lists", "late_hours", "own_zone",
                                       "practice")} == {
        "schedule": 1, "appeal": "newsletter-{yyyy}-{mm}", "rule": "FREQ=MONTHLY;BYDAY=1TH", "at": "08:00",
        "zone": "Europe/London", "lists": ["all"], "late_hours": 6.0, "own_zone": False, "practice": True}
    assert len(made["next"]) == 3
    assert project.json("schedule", "list")["schedules"] == [made]
    shown = project.run("schedule", "list").stdout
    assert "1  newsletter-{yyyy}-{mm}  PRACTICE" in shown
    assert "Thursday" in shown
    due = project.json("calendar", "--weeks", "9")["due"]
    assert [each["at"] for each in due] == [each for each in made["next"] if each <= due[-1]["at"]]
    assert "PRACTICE, expected" in project.run("calendar").stdout.replace("\n", " ")
    assert project.run("calendar", "--ics").stdout.count("BEGIN:VEVENT") == len(project.json("calendar")["due"])
    assert project.json("schedule", "remove", "1") == {
        "schedule": 1, "appeal": "newsletter-{yyyy}-{mm}", "left": []}
    assert "Nothing is scheduled." in project.run("schedule", "list").stdout
    assert "Nothing is due" in project.run("calendar").stdout


@pytest.mark.parametrize(("arguments", "words"), [
    (("news-{yyyy}", "--rule", "FREQ=SECONDLY", "--at", "08:00", "--list", "all"), "again and again"),
    (("news-{yyyy}", "--rule", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "--at", "08:00", "--list", "all"), "never falls"),
    (("news-{yyyy}", "--rule", "nonsense", "--at", "08:00", "--list", "all"), "not a rule"),
    (("news-{yyyy}", "--rule", "FREQ=DAILY", "--at", "late", "--list", "all"), "no time of day"),
    (("news-{yyyy}", "--rule", "FREQ=DAILY", "--at", "08:00", "--zone", "Europe/Londn", "--list", "all"),
     "Did you mean Europe/London?"),
    (("news-{yyyy}", "--rule", "FREQ=DAILY", "--at", "08:00"), "No list and no segment"),
    (("news-{yyyy}", "--rule", "FREQ=DAILY", "--at", "08:00", "--list", "friends"), "Known lists: all"),
    (("../{yyyy}", "--rule", "FREQ=DAILY", "--at", "08:00", "--list", "all"), "no name for an appeal"),
])
def test_what_cannot_be_is_refused_and_nothing_is_added(project: TestProject, arguments: tuple[str, ...],
                                                        words: str) -> None:
    """A sentence, exit 1, nothing changed."""
    said = project.run("schedule", "add", *arguments, expect=1).stderr
    assert words in said
    assert "Traceback" not in said
    assert project.json("schedule", "list") == {"schedules": []}


def test_removing_what_is_not_there_is_refused(project: TestProject) -> None:
    """And the sentence names what there is."""
    project.run("schedule", "add", "news-{yyyy}", *RULE)
    assert "There are: 1 (news-{yyyy})." in project.run("schedule", "remove", "7", expect=1).stderr


def test_rules_at_the_ends_of_time(project: TestProject) -> None:
    """"Without end", as calendar programs write it, is a rule; a first day in another age is a slip of the pen."""
    endless = ("--rule", "FREQ=MONTHLY;BYDAY=1TH;UNTIL=99991231T235959Z", "--at", "08:00", "--list", "all")
    assert len(project.json("schedule", "add", "news-{mm}", *endless, "--zone", "Asia/Tokyo")["next"]) == 3
    for day in ("0001-01-01", "9999-12-31"):
        said = project.run("schedule", "add", "other-{mm}", *RULE, "--starts", day, expect=1).stderr
        assert f"cannot count from {day}" in said
    said = project.run("schedule", "add", "other-{mm}", "--rule", "FREQ=DAILY;UNTIL=00010101T000000Z", "--at", "08:00",
                       "--list", "all", "--zone", "America/New_York", expect=1).stderr
    assert "Something broke" not in said


def test_the_calendar_cuts_no_name(project: TestProject) -> None:
    """What stands there can be copied, at eighty columns too; each supporter's own time is said."""
    project.run("schedule", "add", "the-newsletter-of-all-our-friends-{yyyy}", "--rule", "FREQ=DAILY", "--at", "06:30",
                "--zone", "America/New_York", "--list", "all", "--own-zone")
    project.run("schedule", "add", "news-{mm}", "--rule", "FREQ=DAILY", "--at", "06:30", "--zone", "America/New_York",
                "--list", "all")
    shown = project.run("calendar", "--weeks", "1").stdout
    assert "the-newsletter-of-all-our-friends-20" in shown
    assert "…" not in shown
    assert "(where each lives)" in shown
    assert "(America/New_York)" in shown
