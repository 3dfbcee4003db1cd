"""What is mailed again and again: added, removed, and looked after by every tick of a worker.

``tick`` may be called at any time, as often as one likes, by any number of workers: each occurrence is one row, unique
by schedule and local time, and leaves each of its states by one conditional update.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused, StoreError
from pillarbox.mailings import letters, moments, occurrences, preparation, recurrence
from pillarbox.mailings.recurrence import Occasion, Recurrence
from pillarbox.model.states import MailingState, OccurrenceState
from pillarbox.people import audience
from pillarbox.store import audit, mailings, notices
from pillarbox.store import schedules as table
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schedules import Occurrence, Schedule

T = TypeVar("T")
AHEAD = timedelta(hours=48)
"""So long before its time an occurrence is planned."""
LATE_HOURS = 6.0
"""A worker that was down sends at most so much later, where the schedule says nothing else."""
_LATE_RANGE = (0.25, 14 * 24.0)
# A worker that was away for longer does not speak of what it missed before.
_LOOK_BACK = timedelta(days=31)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What staff ask to be mailed again and again."""

    appeal: str
    rule: str
    at: str
    zone: str
    """Empty: the charity's."""
    audience: audience.Rule
    late_hours: float = LATE_HOURS
    starts_on: date | None = None
    """Today, when not said."""
    own_zone: bool = False
    actor: str = "staff"


def repeats(schedule: Schedule) -> Recurrence:
    """When a schedule falls due."""
    return recurrence.read(schedule.rule, at=schedule.at, zone=schedule.zone, starts_on=schedule.starts_on)


def upcoming(schedule: Schedule, count: int) -> list[Occasion]:
    """The next times of a schedule."""
    return repeats(schedule).next(max(clock.now(), schedule.created_at), count)


def add(project: Project, wanted: Wanted) -> Schedule:
    """Add a schedule.

    Raises:
        Refused: an impossible rule, an unknown zone, list or segment, a folder's name that is none or is scheduled
            already, or hours at which nothing may leave.
        ListError: faults in lists/segments.toml.
    """
    settings = project.settings
    zone = wanted.zone or settings.project.zone
    starts_on = wanted.starts_on or clock.now().astimezone(moments.zone_of(zone)).date()
    read = recurrence.read(wanted.rule, at=wanted.at, zone=zone, starts_on=starts_on)
    recurrence.folder(wanted.appeal, starts_on)
    if not _LATE_RANGE[0] <= wanted.late_hours <= _LATE_RANGE[1]:
        raise Refused(f"--late {wanted.late_hours:g} is not possible.",
                      todo=f"It takes hours, from {_LATE_RANGE[0]:g} to {_LATE_RANGE[1]:g}.")
    first = next(iter(read.next(clock.now(), 1)), None)
    if first is None:
        raise Refused("The rule's last time lies in the past.", todo="Look at --starts, COUNT and UNTIL.")
    if not moments.within(settings.launch.hours, settings.project.zone, first.due):
        raise Refused(f"Nothing may leave at {read.at:%H:%M}: [launch] hours = {settings.launch.hours!r}.",
                      todo="Name a time within these hours, or change them in pillarbox.toml.")
    segments = letters.read_segments(project)
    with project.store.writing() as connection:
        audience.check(connection, wanted.audience, segments)
        mailings.plan_alone(connection)  # two at once would not see each other
        if earlier := next((each for each in table.standing(connection) if each.appeal == wanted.appeal), None):
            raise Refused(f"{wanted.appeal} is scheduled already (number {earlier.id}).",
                          todo=f"One schedule may name several lists. To put another in its place: "
                               f"`pillarbox schedule remove {earlier.id}` first.")
        schedule = table.add(
            connection, appeal=wanted.appeal, rule=read.rule, at=f"{read.at:%H:%M}", zone=zone, starts_on=starts_on,
            audience=wanted.audience.to_json(), late_hours=wanted.late_hours, own_zone=wanted.own_zone,
            practice=settings.practice, created_by=wanted.actor)
        audit.record(connection, actor=wanted.actor, action="schedule", subject=wanted.appeal,
                     detail={"schedule": schedule.id, "rule": schedule.rule, "at": schedule.at, "zone": zone})
        return schedule


def remove(project: Project, named: str, *, actor: str = "staff") -> tuple[Schedule, list[Mailing]]:
    """End a schedule, by its number or its folder: nothing of it leaves by itself any more.

    Returns:
        the schedule, and its mailings that are planned and now wait for staff.

    Raises:
        Refused: there is none.
    """
    with project.store.writing() as connection:
        standing = table.standing(connection)
        schedule = next((each for each in standing if named.strip() in (str(each.id), each.appeal)), None)
        if schedule is None or not table.remove(connection, schedule.id):
            known = ", ".join(f"{each.id} ({each.appeal})" for each in standing)
            raise Refused(f"There is no schedule {named[:80]!r}.",
                          todo=f"There are: {known}." if known else "None has been added.")
        left = _let_go(connection, schedule)
        audit.record(connection, actor=actor, action="unschedule", subject=schedule.appeal,
                     detail={"schedule": schedule.id})
        return schedule, left


def _let_go(connection: Connection, schedule: Schedule) -> list[Mailing]:
    left = []
    for occurrence in table.of_schedule(connection, schedule.id, since=schedule.created_at):
        if occurrence.state in (OccurrenceState.STARTED, OccurrenceState.NOT_SENT):
            continue
        table.move(connection, occurrence, state=OccurrenceState.NOT_SENT, reason="its schedule was removed")
        mailing = mailings.by_id(connection, occurrence.mailing_id) if occurrence.mailing_id else None
        if mailing and mailing.state is MailingState.PLANNED:
            mailings.change(connection, mailing.id, send_at=None)
            left.append(mailing)
    return left


# ------------------------------------------------------------------------------------------------ the worker's


@dataclass(slots=True)
class _Guard:
    """Does one thing for each of many: what breaks over one keeps nothing from the others, and is raised at the end.

    Only a database that is away ends it at once.
    """

    say: Callable[[str], object]
    first: Exception | None = None

    def __enter__(self) -> _Guard:
        return self

    def each(self, things: Iterable[T], call: Callable[[T], str]) -> None:
        """Call for each; pass on what it says, and remember the first fault."""
        for thing in things:
            try:
                if words := call(thing):
                    self.say(words)
            except StoreError:
                raise
            except Exception as fault:  # noqa: BLE001 - raised in the end
                self.first = self.first or fault

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if fault is None and self.first:
            raise self.first


def tick(project: Project, *, say: Callable[[str], object] = lambda _words: None) -> None:
    """Look after every schedule: what is due now, what will be within 48 hours.

    What breaks over one schedule is raised when all have been looked after.

    Args:
        project: the open project.
        say: told a sentence about each thing that it did; staff are told the same.

    Raises:
        StoreError: the database is away; whatever was done stays done.
        PillarboxError: a schedule can no longer be read: its zone is gone.
    """
    with project.store.reading() as connection:
        standing = table.standing(connection)
    if not standing:
        return
    with _Guard(say=say) as guard:
        guard.each(occurrences.due(project), partial(occurrences.settle, project))
        guard.each(standing, partial(_make, project))
        guard.each(preparation.ahead(project), partial(preparation.consider, project))


def _make(project: Project, schedule: Schedule) -> str:
    """Make the occurrences of the next 48 hours, and those that were missed while no worker ran; says what was missed.

    Nothing is made of a schedule that was removed at this moment.
    """
    moment = clock.now()
    since = max(schedule.created_at, moment - _LOOK_BACK)
    found = list(repeats(schedule).between(since, moment + AHEAD))
    with project.store.reading() as connection:
        standing = table.of_schedule(connection, schedule.id, since=since)
    _call_back(project, standing, moment)
    known = {occurrence.local for occurrence in standing}
    fresh = [occasion for occasion in found if occurrences.key(occasion.local) not in known]
    if not fresh:
        return ""
    with project.store.writing() as connection:
        if table.by_id(connection, schedule.id).removed_at:
            return ""
        made = table.make(connection, [{
            "schedule_id": schedule.id, "local": occurrences.key(occasion.local), "due_at": occasion.due,
            "appeal": recurrence.folder(schedule.appeal, occasion.local.date()),
            "state": OccurrenceState.NOT_SENT if occasion.due <= moment else OccurrenceState.WAITING,
            "reason": occurrences.MISSED if occasion.due <= moment else ""} for occasion in fresh])
        missed = [occurrence for occurrence in made if occurrence.state is OccurrenceState.NOT_SENT]
        if not missed:
            return ""
        when = moments.in_words(missed[-1].due_at, schedule.zone)
        were = "was" if len(missed) == 1 else f"and {len(missed) - 1:,} before it were"
        words = occurrences.said(
            schedule, f"{missed[-1].appeal}, due on {when}, {were} not sent: {occurrences.MISSED}. "
                      f"`pillarbox plan {missed[-1].appeal} …` plans it by hand.")
        notices.add(connection, kind="not-sent", words=words)
        return words


def _call_back(project: Project, standing: Iterable[Occurrence], moment: datetime) -> None:
    """Wait again for what was called missed though its time is still to come: a clock was ahead, and jumped back."""
    for occurrence in standing:
        ahead = moment < occurrence.due_at <= moment + AHEAD
        if occurrence.state is OccurrenceState.NOT_SENT and not occurrence.mailing_id and ahead:
            with project.store.writing() as connection:
                table.move(connection, occurrence, state=OccurrenceState.WAITING, reason="")


def holds_back(project: Project, mailing: Mailing) -> bool:
    """Whether a mailing that a schedule planned must not be started at this moment.

    Whoever starts mailings by their ``send_at`` asks this first: it holds until the schedule's own conditions have been
    looked at.
    """
    return mailing.send_by == occurrences.BY and occurrences.holds_back(project, mailing)
