"""An occurrence before its time: planned from its folder, and again when its letter is mended before it is approved."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pillarbox.ground import clock
from pillarbox.ground.errors import LetterError, PillarboxError, Refused, StoreError
from pillarbox.ground.process import Worker
from pillarbox.mailings import control, letters, moments, ownzone, planning
from pillarbox.mailings.check import check
from pillarbox.mailings.occurrences import BY, said, same_as_last, unchanged
from pillarbox.model.states import MailingState, OccurrenceState
from pillarbox.people.audience import Rule
from pillarbox.store import mailings, notices, waves
from pillarbox.store import schedules as table
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schedules import Occurrence, Schedule

# A letter of which some copy cannot be composed is tried again no more often than this: it costs a whole composing.
_AGAIN = timedelta(minutes=2)
# As long may a worker on another machine take to compose a mailing before another one does it.
_PLANNING_LIMIT = timedelta(minutes=30)


def ahead(project: Project) -> list[Occurrence]:
    """Every occurrence that may have to be planned, or planned again."""
    with project.store.reading() as connection:
        return table.of_states(connection, OccurrenceState.WAITING, OccurrenceState.FAULTY, OccurrenceState.PLANNED,
                               OccurrenceState.PLANNING)


def consider(project: Project, occurrence: Occurrence) -> str:
    """Plan an occurrence that is not, or whose letter was mended before anybody approved it.

    Returns:
        what staff are told of it; empty: there is no news.
    """
    if occurrence.state is OccurrenceState.PLANNING:
        _free(project, occurrence)
    elif occurrence.due_at > clock.now():
        return _consider(project, occurrence)
    return ""


def _free(project: Project, occurrence: Occurrence) -> None:
    """Give back what a worker began to plan that died over it."""
    worker = Worker.parse(occurrence.reason)
    if worker is None or worker.surely_dead or clock.now() - occurrence.changed_at > _PLANNING_LIMIT:
        with project.store.writing() as connection:
            planned = _still_planned(connection, occurrence)
            table.move(connection, occurrence, reason="",
                       state=OccurrenceState.PLANNED if planned else OccurrenceState.WAITING)


def _consider(project: Project, occurrence: Occurrence) -> str:
    """Plan an occurrence if it can be planned and needs to be; else keep, and say once, why not."""
    with project.store.reading() as connection:
        schedule = table.by_id(connection, occurrence.schedule_id)
        mailing = mailings.by_id(connection, occurrence.mailing_id) if occurrence.mailing_id else None
    planned = occurrence.state is OccurrenceState.PLANNED
    if planned and (mailing is None or mailing.approved_by or mailing.state is not MailingState.PLANNED):
        return ""
    if schedule.practice != project.settings.practice:
        now, then = ("practice", "live") if project.settings.practice else ("live", "practice")
        return _note(project, schedule, occurrence, f"the schedule was added when mailings were {then}, and they are "
                                                    f"{now} now; remove it and add it again")
    try:
        bundle = letters.read(project, occurrence.appeal).bundle
    except LetterError:
        return _note(project, schedule, occurrence, _faulty_folder(project, occurrence))
    if planned and mailing and mailing.bundle_id == bundle.id:
        return _note(project, schedule, occurrence, "")
    with project.store.reading() as connection:
        last = same_as_last(connection, schedule, bundle, but=mailing.id if mailing else None)
    if last:
        return _note(project, schedule, occurrence, unchanged(last))
    if occurrence.state is not OccurrenceState.FAULTY or clock.now() - occurrence.changed_at >= _AGAIN:
        return _plan(project, schedule, occurrence)
    return ""


def _faulty_folder(project: Project, occurrence: Occurrence) -> str:
    if not (project.folder / "appeals" / occurrence.appeal).is_dir():
        return f"there is no folder appeals/{occurrence.appeal}"
    return f"its letter has faults; `pillarbox check {occurrence.appeal}` shows them"


def _note(project: Project, schedule: Schedule, occurrence: Occurrence, reason: str) -> str:
    """Keep why an occurrence is not planned, or not planned again; staff are told when it is another reason."""
    planned = occurrence.state is OccurrenceState.PLANNED
    state = OccurrenceState.PLANNED if planned else OccurrenceState.WAITING
    if reason == occurrence.reason and state is occurrence.state:
        return ""
    with project.store.writing() as connection:
        if not table.move(connection, occurrence, state=state, reason=reason):
            return ""
        return _tell(connection, schedule, occurrence, before=occurrence.reason, reason=reason, planned=planned)


def _tell(connection: Connection, schedule: Schedule, occurrence: Occurrence, *, before: str, reason: str,
          planned: bool) -> str:
    if not reason or _shape_of(reason) == _shape_of(before):
        return ""
    when = moments.in_words(occurrence.due_at, schedule.zone)
    words = ("stays planned as it was, though its folder has changed" if planned else
             "cannot be planned yet; until then it is looked at again")
    told = said(schedule, f"{occurrence.appeal}, due on {when}, {words}: {reason}.")
    notices.add(connection, kind="waiting", mailing_id=occurrence.mailing_id if planned else None, words=told)
    return told


def _shape_of(reason: str) -> str:
    """A reason without its numbers: 12 faults or 11 are no news."""
    return re.sub(r"[\d,]+", "", reason)


def _plan(project: Project, schedule: Schedule, was: Occurrence) -> str:
    """Plan an occurrence in the name of this worker; others leave it alone meanwhile."""
    claimed = replace(was, state=OccurrenceState.PLANNING, reason=str(Worker.this()))
    with project.store.writing() as connection:
        if not table.move(connection, was, state=claimed.state, reason=claimed.reason):
            return ""
    try:
        made = _compose(project, schedule, was)
    except PillarboxError as fault:
        # A retry is no fault of the letter: another process plans the same appeal just now, or the database is away.
        words = _give_back(project, schedule, was, claimed, "" if fault.retry else _why(was, fault))
        if isinstance(fault, StoreError):
            raise
        return words
    except BaseException:
        _give_back(project, schedule, was, claimed, "")
        raise
    return _keep(project, schedule, was, claimed, made)


def _compose(project: Project, schedule: Schedule, occurrence: Occurrence) -> Mailing:
    rule = Rule.from_json(schedule.audience)
    if not check(project, occurrence.appeal, rule).ok:
        raise LetterError("The check of the letter has errors.")
    local = datetime.fromisoformat(occurrence.local)
    due_at = ownzone.due_at(local, occurrence.due_at, not_before=clock.now()) if schedule.own_zone else None
    return planning.plan(project, planning.Wish(
        appeal=occurrence.appeal, rule=rule, for_date=local.date(), again=occurrence.local.replace("T", " "),
        send_at=occurrence.due_at, send_by=BY, due_at=due_at, keep_approved=True, actor=BY)).mailing


def _why(occurrence: Occurrence, fault: PillarboxError) -> str:
    if isinstance(fault, LetterError):
        return f"its letter has faults, perhaps in some copies only; `pillarbox check {occurrence.appeal}` shows them"
    return fault.sentence().rstrip(".")


def _give_back(project: Project, schedule: Schedule, was: Occurrence, claimed: Occurrence, words: str) -> str:
    """Nothing was planned: the earlier plan stands if there still is one, else the occurrence waits."""
    with project.store.writing() as connection:
        planned = _still_planned(connection, was)
        state = OccurrenceState.FAULTY if words else OccurrenceState.WAITING
        if was.state is OccurrenceState.FAULTY:
            state = was.state
        if not table.move(connection, claimed, state=OccurrenceState.PLANNED if planned else state,
                          reason=words or was.reason):
            return ""
        return _tell(connection, schedule, was, before=was.reason, reason=words, planned=planned)


def _still_planned(connection: Connection, occurrence: Occurrence) -> bool:
    return (occurrence.mailing_id is not None
            and mailings.state(connection, occurrence.mailing_id) is MailingState.PLANNED)


def _keep(project: Project, schedule: Schedule, was: Occurrence, claimed: Occurrence, made: Mailing) -> str:
    """The occurrence is planned; staff are told, and asked to approve it."""
    with project.store.writing() as connection:
        leaves = min(waves.first_due(connection, made.id) or was.due_at, was.due_at)
        mailings.change(connection, made.id, send_at=leaves)
        if table.move(connection, claimed, state=OccurrenceState.PLANNED, mailing_id=made.id, reason=""):
            words = said(schedule, _planned_words(schedule, was, made, leaves))
            notices.add(connection, kind="scheduled", mailing_id=made.id, words=words)
            return words
    with suppress(Refused):  # another worker took this one for dead, and has replaced its plan already
        control.cancel(project, made.name, reason="another worker planned it too", actor=BY)
    return ""


def _planned_words(schedule: Schedule, was: Occurrence, made: Mailing, leaves: datetime) -> str:
    when = f"{moments.in_words(was.due_at, schedule.zone)} ({schedule.zone})"
    if schedule.own_zone:
        when += f", to each supporter at {schedule.at} where they live (from {moments.in_words(leaves, schedule.zone)})"
    again = "was changed and is planned again" if was.mailing_id else "is planned"
    return (f"{made.name} {again} for {when}, for {made.planned:,} supporters. Look at it and approve it: "
            f"`pillarbox approve {made.name} --by NAME`. Unapproved, it is not sent.")
