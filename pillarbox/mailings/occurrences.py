"""An occurrence whose time has come: it may go, waits for staff, or is not sent; and what staff are told."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from pillarbox.content.bundle import Bundle
from pillarbox.ground import clock
from pillarbox.mailings import approval, moments, sameness
from pillarbox.model.states import MailingState, OccurrenceState
from pillarbox.store import mailings, notices
from pillarbox.store import schedules as table
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schedules import Occurrence, Schedule

BY = "schedule"
"""What stands in ``mailings.send_by``."""
MISSED = "no worker ran from two days before its time until after it, so that it was never planned"
# As long after its time it is noticed that staff sent by hand what was not sent by itself.
_STILL_LOOKED_AT = timedelta(days=31)


def key(local: datetime) -> str:
    """An occurrence's local time as the ledger keeps it: ``2026-12-03T08:00``."""
    return local.isoformat(timespec="minutes")


def said(schedule: Schedule, words: str) -> str:
    """What staff are told; of a practice schedule, that it is one."""
    return f"PRACTICE: {words}" if schedule.practice else words


def due(project: Project) -> list[Occurrence]:
    """Every occurrence that may have to be settled: not on its way, and not long over."""
    with project.store.reading() as connection:
        found = table.of_states(connection, OccurrenceState.WAITING, OccurrenceState.FAULTY, OccurrenceState.PLANNED)
        over = table.of_states(connection, OccurrenceState.LATE, OccurrenceState.NOT_SENT,
                               since=clock.now() - _STILL_LOOKED_AT)
    return found + [each for each in over if each.mailing_id]


def settle(project: Project, occurrence: Occurrence) -> str:
    """Settle an occurrence whose time has come, or whose mailing staff have sent or cancelled meanwhile.

    Returns:
        what staff are told of it; empty: there is no need to tell.
    """
    with project.store.reading() as connection:
        verdict = _verdict(project, connection, occurrence)
    if verdict is None:
        return ""
    with project.store.writing() as connection:
        if (verdict := _verdict(project, connection, occurrence)) is None:  # as it stands now
            return ""
        return _settle(connection, occurrence, *verdict)


def _verdict(project: Project, connection: Connection, occurrence: Occurrence,
             ) -> tuple[OccurrenceState, str, str] | None:
    """What becomes of an occurrence now: its state, why, and what staff who are told can do; None: nothing."""
    moment = clock.now()
    mailing = mailings.by_id(connection, occurrence.mailing_id) if occurrence.mailing_id else None
    if mailing and (mailing.started_at or mailing.state is MailingState.HELD):
        return OccurrenceState.STARTED, "", ""
    if occurrence.state in (OccurrenceState.NOT_SENT, OccurrenceState.LATE):
        return None
    if occurrence.state is not OccurrenceState.PLANNED or mailing is None:
        if occurrence.due_at > moment:
            return None
        by_hand = f"`pillarbox plan {occurrence.appeal} …` plans it by hand."
        return OccurrenceState.NOT_SENT, occurrence.reason or MISSED, by_hand
    if mailing.state is MailingState.CANCELLED:
        return OccurrenceState.NOT_SENT, f"it was cancelled: {mailing.state_reason or 'by staff'}", ""
    if mailing.send_by != BY:
        return OccurrenceState.STARTED, "staff send it themselves", ""
    leaves = mailing.send_at or occurrence.due_at
    if leaves > moment:
        return None
    schedule = table.by_id(connection, occurrence.schedule_id)
    by_hand = f"`pillarbox send {mailing.name}` sends it now; `pillarbox cancel {mailing.name}` ends it."
    late = moment - leaves > timedelta(hours=schedule.late_hours)
    if mailing.state is MailingState.PAUSED:  # whoever paused it, or was told so, may resume it in time
        return (OccurrenceState.LATE, f"it is paused: {mailing.state_reason or 'by staff'}", "") if late else None
    found = approval.standing(connection, project.settings, mailing)
    if late and found.complete:
        return OccurrenceState.LATE, "no worker could send it at its time, and now it waits for you", by_hand
    if not found.complete:
        return (OccurrenceState.NOT_SENT, found.why_not.replace("has approved", "had approved"),
                f"`pillarbox approve {mailing.name} --by NAME`, then {by_hand}")
    if last := same_as_last(connection, schedule, sameness.kept(connection, mailing), but=mailing.id):
        return OccurrenceState.NOT_SENT, unchanged(last), by_hand
    return None


def _settle(connection: Connection, occurrence: Occurrence, state: OccurrenceState, reason: str, todo: str) -> str:
    if not table.move(connection, occurrence, state=state, reason=reason) or state is OccurrenceState.STARTED:
        return ""
    schedule = table.by_id(connection, occurrence.schedule_id)
    name = occurrence.appeal
    if occurrence.mailing_id:
        name = mailings.by_id(connection, occurrence.mailing_id).name
        mailings.change(connection, occurrence.mailing_id, send_at=None)
    if not todo:
        return ""
    when = moments.in_words(occurrence.due_at, schedule.zone)
    words = said(schedule, f"{name}, due on {when}, was not sent: {reason}. {todo}")
    notices.add(connection, kind=state.value, mailing_id=occurrence.mailing_id, words=words)
    return words


def holds_back(project: Project, mailing: Mailing) -> bool:
    """Whether the mailing of an occurrence must not be started now."""
    with project.store.reading() as connection:
        occurrence = table.of_mailing(connection, mailing.id)
        return (occurrence is None or occurrence.state is not OccurrenceState.PLANNED
                or (mailing.send_at or occurrence.due_at) > clock.now()
                or _verdict(project, connection, occurrence) is not None)


def same_as_last(connection: Connection, schedule: Schedule, bundle: Bundle, *, but: int | None) -> Mailing | None:
    """The last edition of a schedule, when a letter says the same; else None."""
    return sameness.same_as_last(connection, bundle, schedule.appeal, practice=schedule.practice, but=but)


def unchanged(last: Mailing) -> str:
    """Why a letter is not sent that people have."""
    return f"its letter is the same as that of {last.name}, which people have already"
