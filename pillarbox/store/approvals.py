"""The tables of approval: what a mailing was planned with, and who stands for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pillarbox.ground import clock
from pillarbox.store.schema import approvals, mailings, plannings
from pillarbox.store.upsert import insert_for


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """Somebody stands for a mailing."""

    id: int
    mailing_id: int
    approved_by: str
    """As they wrote it."""
    person: str
    """The same for the same person."""
    approved_at: datetime
    via: str
    """``terminal`` or ``dashboard``."""
    bundle_id: str
    """What it was given for, with ``count`` and ``terms``."""
    count: int
    """Messages planned then."""
    terms: Mapping[str, Any]
    withdrawn_at: datetime | None
    """When they took it back; None: it stands."""
    kept_from_id: int | None
    """The approval of an earlier plan that is kept by this one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planning:
    """What a mailing was planned with, beside its own row."""

    planned_by: str
    """A person's name, or who acts by itself (``schedule``); empty: not known."""
    roads: Mapping[str, Any]


NOTHING = Planning(planned_by="", roads={})
"""Of a mailing that an earlier Pillarbox planned."""


def note_planning(connection: Connection, mailing_id: int, *, planned_by: str, roads: Mapping[str, Any]) -> None:
    """Keep who planned a mailing, and what its links were made from."""
    connection.execute(insert(plannings).values(mailing_id=mailing_id, planned_by=planned_by, roads=dict(roads)))


def planning(connection: Connection, mailing_id: int) -> Planning:
    """What a mailing was planned with."""
    row = connection.execute(select(plannings).where(plannings.c.mailing_id == mailing_id)).one_or_none()
    return Planning(planned_by=row.planned_by, roads=row.roads) if row else NOTHING


def add(connection: Connection, *, mailing_id: int, approved_by: str, person: str, via: str, bundle_id: str, count: int,
        terms: Mapping[str, Any], approved_at: datetime | None = None, kept_from_id: int | None = None) -> bool:
    """Note that somebody stands for a mailing, once, or again after they took it back; returns whether it is news.

    Args:
        approved_at: when they did; now when not said.
    """
    row = {"mailing_id": mailing_id, "approved_by": approved_by, "person": person, "via": via, "bundle_id": bundle_id,
           "count": count, "terms": dict(terms), "approved_at": approved_at or clock.now(),
           "kept_from_id": kept_from_id}
    again = connection.execute(update(approvals).where(
        approvals.c.mailing_id == mailing_id, approvals.c.person == person, approvals.c.withdrawn_at.is_not(None),
    ).values(**row, withdrawn_at=None))
    if again.rowcount:
        return True
    made = connection.execute(insert_for(connection, approvals).values(row).on_conflict_do_nothing()
                              .returning(approvals.c.id))
    return made.first() is not None


def withdraw(connection: Connection, approval_id: int) -> bool:
    """Note that somebody took their approval back; returns whether it stood until now."""
    done = connection.execute(update(approvals).where(
        approvals.c.id == approval_id, approvals.c.withdrawn_at.is_(None)).values(withdrawn_at=clock.now()))
    return done.rowcount == 1


def of_mailing(connection: Connection, mailing_id: int) -> list[Approval]:
    """Who stands for a mailing, or did until they took it back; first come first."""
    return [_approval(row) for row in connection.execute(
        select(approvals).where(approvals.c.mailing_id == mailing_id).order_by(approvals.c.id))]


def newest_before(connection: Connection, *, appeal: str, practice: bool, mailing_id: int) -> Approval | None:
    """The newest approval of another mailing of an appeal, but for those that were taken back.

    One that was kept stands for the one that was given.
    """
    row = connection.execute(
        select(approvals).join(mailings, mailings.c.id == approvals.c.mailing_id)
        .where(mailings.c.appeal == appeal, mailings.c.practice == practice, mailings.c.id < mailing_id,
               approvals.c.withdrawn_at.is_(None))
        .order_by(approvals.c.mailing_id.desc(), approvals.c.id.desc()).limit(1)).one_or_none()
    return _approval(row) if row else None


def _approval(row: Row[Any]) -> Approval:
    return Approval(**row._mapping)


def delete_all(connection: Connection, mailing_id: int) -> None:
    """Delete what is kept of a mailing that never was sendable."""
    connection.execute(approvals.delete().where(approvals.c.mailing_id == mailing_id))
    connection.execute(plannings.delete().where(plannings.c.mailing_id == mailing_id))
