"""The calendar: what is due, and how it stands; the same for a calendar program."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from pillarbox.ground import clock
from pillarbox.mailings import agenda, planning, schedules
from pillarbox.mailings.agenda import Entry, to_ics
from pillarbox.people.audience import Rule
from pillarbox.store import mailings
from pillarbox.store.project import Project

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def entry(**more: object) -> Entry:
    """An entry; what a test cares about is said."""
    values = {"at": NOW, "zone": "Europe/London", "appeal": "news", "mailing": None, "schedule": 1, "state": "expected",
              "reason": "", "practice": False, "own_zone": False, "uid": "schedule-1-2026-12-01T12:00", **more}
    return Entry(**values)  # type: ignore[arg-type]


def test_what_is_due_stands_in_order_with_its_state(project: Project) -> None:
    """Times of a schedule, made or only expected, and mailings that wait for their time; each once."""
    with clock.freeze(NOW):
        schedules.add(project, schedules.Wanted(appeal="harbour", rule="FREQ=WEEKLY;BYDAY=TH", at="08:00", zone="",
                                                audience=Rule(lists=("all",))))
        schedules.tick(project)
        own = planning.plan(project, planning.Wish(
            appeal="harbour", rule=Rule(lists=("all",)), send_at=NOW + timedelta(days=3), send_by="Ada"))
        found = agenda.agenda(project, weeks=2)
        with project.store.reading() as connection:
            [_, planned] = mailings.all_of(connection)
    assert [(each.at.isoformat()[:16], each.mailing, each.state) for each in found] == [
        ("2026-12-03T08:00", planned.name, "planned, not approved"),
        ("2026-12-04T12:00", own.mailing.name, "planned, not approved"),
        ("2026-12-10T08:00", None, "expected")]
    assert found[0].to_json()["local"] == "2026-12-03T08:00"
    assert len({each.uid for each in found}) == 3


def test_an_event_has_what_rfc_5545_asks_for() -> None:
    """CRLF line ends, one UID and DTSTAMP an event, moments in UTC, marks escaped, practice labelled."""
    with clock.freeze(NOW):
        text = to_ics([entry(reason="first; second, \\ third\nfourth", practice=True)], project_id="abcdefgh")
    assert text.count("\r\n") == text.count("\n")
    lines = text.replace("\r\n ", "").split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert "UID:schedule-1-2026-12-01T12:00@abcdefgh.pillarbox" in lines
    assert {"DTSTAMP:20261201T120000Z", "DTSTART:20261201T120000Z", "BEGIN:VEVENT", "END:VEVENT"} <= set(lines)
    assert "SUMMARY:PRACTICE: news (expected)" in lines
    assert r"DESCRIPTION:expected.\nfirst\; second\, \\ third\nfourth" in lines


def test_no_line_is_longer_than_75_octets() -> None:
    """And no letter of more than one octet is cut in two."""
    words = "Zoë and the ” marks – " * 40
    text = to_ics([entry(reason=words)], project_id="abcdefgh").encode()
    assert max(len(line) for line in text.split(b"\r\n")) <= 75
    for line in text.split(b"\r\n"):
        line.decode()
    unfolded = re.sub("\r\n ", "", text.decode())
    assert words.replace(",", "\\,").strip() in unfolded


def test_an_empty_calendar_is_a_calendar() -> None:
    """A calendar program may ask before anything is scheduled."""
    assert to_ics([], project_id="abcdefgh").endswith("METHOD:PUBLISH\r\nEND:VCALENDAR\r\n")


def test_a_calendar_program_understands_it() -> None:
    """Read back with the iCalendar library where there is one."""
    icalendar = pytest.importorskip("icalendar", reason="the icalendar library is not installed here")
    text = to_ics([entry(reason="first; second, third"), entry(uid="other")], project_id="abcdefgh")
    events = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert [event["DTSTART"].dt for event in events] == [NOW, NOW]
    assert "first; second, third" in events[0]["DESCRIPTION"]
