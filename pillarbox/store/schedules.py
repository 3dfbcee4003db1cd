"""The schedules and occurrences tables: what comes back, and each time that it does. One row a local time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pillarbox.ground import clock
from pillarbox.model.states import OccurrenceState
from pillarbox.store.schema import occurrences, schedules
from pillarbox.store.upsert import insert_for


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """Something that is mailed again and again."""

    id: int
    appeal: str
    """Its folder, with the day's parts left open: ``newsletter-{yyyy}-{mm}``."""
    rule: str
    at: str
    """``08:00``."""
    zone: str
    starts_on: date
    audience: Mapping[str, Any]
    late_hours: float
    """A worker that was down sends at most so much later; then it asks."""
    own_zone: bool
    """Each supporter gets it at that time where they live."""
    practice: bool
    created_at: datetime
    created_by: str
    removed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """One time of a schedule."""

    id: int
    schedule_id: int
    local: str
    """What the zone's clocks show: ``2026-12-03T08:00``."""
    due_at: datetime
    appeal: str
    """Its folder."""
    state: OccurrenceState
    mailing_id: int | None
    reason: str
    """Why it is not planned or was not sent, as staff were told; while it is being planned: the worker."""
    changed_at: datetime


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(**row._mapping)


def _occurrence(row: Row[Any]) -> Occurrence:
    values = dict(row._mapping)
    return Occurrence(**values | {"state": OccurrenceState(values["state"])})


def add(connection: Connection, **values: Any) -> Schedule:
    """A new schedule."""
    row = connection.execute(insert(schedules).values(created_at=clock.now(), **values).returning(schedules)).one()
    return _schedule(row)


def standing(connection: Connection) -> list[Schedule]:
    """Those that were not removed, oldest first."""
    return [_schedule(row) for row in connection.execute(
        select(schedules).where(schedules.c.removed_at.is_(None)).order_by(schedules.c.id))]


def by_id(connection: Connection, schedule_id: int) -> Schedule:
    """The schedule with this id, removed or not; it must exist."""
    return _schedule(connection.execute(select(schedules).where(schedules.c.id == schedule_id)).one())


def remove(connection: Connection, schedule_id: int) -> bool:
    """End a schedule; whether it stood until now."""
    return connection.execute(update(schedules).where(
        schedules.c.id == schedule_id, schedules.c.removed_at.is_(None)).values(removed_at=clock.now())).rowcount == 1


# ------------------------------------------------------------------------------------------------ occurrences


def make(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Occurrence]:
    """Insert occurrences that are not there yet by (schedule, local time); returns those that were new."""
    if not rows:
        return []
    statement = insert_for(connection, occurrences).on_conflict_do_nothing(
        index_elements=["schedule_id", "local"]).returning(occurrences)
    moment = clock.now()
    found = connection.execute(statement, [{"changed_at": moment, **row} for row in rows])
    return sorted((_occurrence(row) for row in found), key=lambda made: made.due_at)


def of_states(connection: Connection, *states: OccurrenceState, since: datetime | None = None) -> list[Occurrence]:
    """Occurrences in these states, by their time; where said, only those that fall due after a moment."""
    query = select(occurrences).where(occurrences.c.state.in_(states))
    if since:
        query = query.where(occurrences.c.due_at > since)
    return [_occurrence(row) for row in connection.execute(query.order_by(occurrences.c.due_at, occurrences.c.id))]


def of_schedule(connection: Connection, schedule_id: int, *, since: datetime) -> list[Occurrence]:
    """A schedule's occurrences that fall due after a moment, by their time."""
    return [_occurrence(row) for row in connection.execute(
        select(occurrences).where(occurrences.c.schedule_id == schedule_id, occurrences.c.due_at > since)
        .order_by(occurrences.c.due_at))]


def of_mailing(connection: Connection, mailing_id: int) -> Occurrence | None:
    """The occurrence that a mailing was planned for; None: no schedule planned it."""
    row = connection.execute(select(occurrences).where(occurrences.c.mailing_id == mailing_id)
                             .order_by(occurrences.c.id.desc()).limit(1)).one_or_none()
    return _occurrence(row) if row else None


def move(connection: Connection, was: Occurrence, **values: Any) -> bool:
    """Change an occurrence, if it still stands as it was read; whether it did.

    Two workers may have read the same: one of them changes it.
    """
    found = connection.execute(update(occurrences).where(
        occurrences.c.id == was.id, occurrences.c.state == was.state, occurrences.c.reason == was.reason,
        occurrences.c.mailing_id.is_not_distinct_from(was.mailing_id))
        .values(changed_at=clock.now(), **values))
    return found.rowcount == 1
