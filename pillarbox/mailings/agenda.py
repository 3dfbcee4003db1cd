"""What is due in the next weeks: mailings that wait for their time, and the times of schedules; also as iCalendar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from pillarbox.ground import clock
from pillarbox.mailings import approval, moments, occurrences, recurrence, schedules
from pillarbox.model.states import MailingState, OccurrenceState
from pillarbox.store import mailings
from pillarbox.store import schedules as table
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schedules import Schedule

WEEKS = 8
MOST = 500
"""Entries; a rule of every day for two years has more."""
_LINE_BYTES = 75
# What waits by itself: the rest waits for staff.
_WAITING = (MailingState.PLANNED, MailingState.HELD, MailingState.PAUSED)
_WORDS = {
    OccurrenceState.WAITING: "not planned yet", OccurrenceState.FAULTY: "cannot be planned yet",
    OccurrenceState.PLANNING: "being planned", OccurrenceState.PLANNED: "planned",
    OccurrenceState.STARTED: "on its way", OccurrenceState.LATE: "late",
    OccurrenceState.NOT_SENT: "not sent",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of the calendar."""

    at: datetime
    zone: str
    """In which staff think of it."""
    appeal: str
    mailing: str | None
    """None: not planned yet."""
    schedule: int | None
    state: str
    """In words: ``expected``, ``planned, not approved`` …"""
    reason: str
    """Why it is not planned, or does not go; may be empty."""
    practice: bool
    own_zone: bool
    """Each supporter gets it at that time where they live."""
    uid: str
    """The same for the same entry, always."""

    def to_json(self) -> dict[str, object]:
        """The same as JSON-like data."""
        return {"at": self.at.isoformat(), "local": moments.local_text(self.at, self.zone), "zone": self.zone,
                "appeal": self.appeal, "mailing": self.mailing, "schedule": self.schedule, "state": self.state,
                "reason": self.reason, "practice": self.practice, "own_zone": self.own_zone}


def agenda(project: Project, *, weeks: int = WEEKS) -> list[Entry]:
    """Everything that is due within so many weeks, by its time; the first ``MOST`` of it."""
    moment = clock.now()
    until = moment + timedelta(weeks=weeks)
    with project.store.reading() as connection:
        found = [entry for schedule in table.standing(connection)
                 for entry in _times(project, connection, schedule, moment, until)]
        planned = {entry.mailing for entry in found}
        found += [_waiting(project, connection, each) for each in mailings.all_of(connection)
                  if each.state in _WAITING and each.send_at and moment < each.send_at <= until
                  and each.name not in planned]
    return sorted(found, key=lambda entry: (entry.at, entry.appeal))[:MOST]


def _times(project: Project, connection: Connection, schedule: Schedule, after: datetime, until: datetime,
           ) -> Iterable[Entry]:
    made = {each.local: each for each in table.of_schedule(connection, schedule.id, since=after)}
    for occasion in schedules.repeats(schedule).between(max(after, schedule.created_at), until):
        occurrence = made.get(occurrences.key(occasion.local))
        mailing, state, reason = None, "expected", ""
        if occurrence:
            state = _WORDS[occurrence.state]
            if occurrence.state is not OccurrenceState.PLANNING:  # its reason is a worker then, its mailing an old one
                reason = occurrence.reason
                mailing = mailings.by_id(connection, occurrence.mailing_id) if occurrence.mailing_id else None
            if mailing and occurrence.state is OccurrenceState.PLANNED:
                state = _how_planned(project, connection, mailing)
        yield Entry(
            at=occasion.due, zone=schedule.zone, appeal=recurrence.folder(schedule.appeal, occasion.local.date()),
            mailing=mailing.name if mailing else None, schedule=schedule.id, state=state, reason=reason,
            practice=schedule.practice, own_zone=schedule.own_zone,
            uid=f"schedule-{schedule.id}-{occurrences.key(occasion.local)}")


def _waiting(project: Project, connection: Connection, mailing: Mailing) -> Entry:
    assert mailing.send_at is not None
    return Entry(at=mailing.send_at, zone=project.settings.project.zone, appeal=mailing.appeal, mailing=mailing.name,
                 schedule=None, state=_how_planned(project, connection, mailing), reason=mailing.state_reason,
                 practice=mailing.practice, own_zone=False, uid=f"mailing-{mailing.name}")


def _how_planned(project: Project, connection: Connection, mailing: Mailing) -> str:
    match mailing.state:
        case MailingState.PLANNED:
            found = approval.standing(connection, project.settings, mailing)
            words = "approved" if found.complete else "not approved" if not found.counted else "approved by one of two"
            return f"planned, {words}"
        case MailingState.HELD:
            return "handed over, to leave at its time"
        case state:
            return state.value


# ------------------------------------------------------------------------------------------------ iCalendar


def to_ics(entries: Iterable[Entry], *, project_id: str) -> str:
    """The calendar as iCalendar (RFC 5545), for a calendar program: moments in UTC, without an end of their own."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Pillarbox//Calendar//EN", "CALSCALE:GREGORIAN",
             "METHOD:PUBLISH"]
    stamp = _utc(clock.now())
    for entry in entries:
        what = "PRACTICE: " if entry.practice else ""
        say = [f"{entry.state}.", entry.reason, entry.mailing or "",
               "To each supporter at this time where they live." if entry.own_zone else ""]
        lines += ["BEGIN:VEVENT", f"UID:{entry.uid}@{project_id}.pillarbox", f"DTSTAMP:{stamp}",
                  f"DTSTART:{_utc(entry.at)}", f"SUMMARY:{_text(f'{what}{entry.appeal} ({entry.state})')}",
                  f"DESCRIPTION:{_text(chr(10).join(part for part in say if part))}", "TRANSP:TRANSPARENT",
                  "END:VEVENT"]
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) for line in lines)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    """Escaped as TEXT (RFC 5545, 3.3.11)."""
    for mark in ("\\", ";", ","):
        words = words.replace(mark, f"\\{mark}")
    return words.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def _folded(line: str) -> str:
    """No line is longer than 75 octets (RFC 5545, 3.1); what goes on begins with a space. No letter is cut in two."""
    out, length = [], 0
    for letter in line:
        size = len(letter.encode())
        if length + size > _LINE_BYTES:
            out.append("\r\n ")
            length = 1
        out.append(letter)
        length += size
    return "".join(out) + "\r\n"
