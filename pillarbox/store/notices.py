"""The notices table: what staff are told of things that happen by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from pillarbox.ground import clock
from pillarbox.store.schema import mailings, marks, notices
from pillarbox.store.upsert import insert_for

# When the next mail to staff may be tried; held ahead while one is on its way. And since when mails to them fail.
_NEXT, _FAILING = "staff-mail-next", "staff-mail-failing"
# A mark further ahead than this was set by a clock that has since jumped back.
_FARTHEST = timedelta(hours=2)


def add(connection: Connection, *, kind: str, words: str, mailing_id: int | None = None) -> None:
    """Note something for staff.

    Args:
        connection: in the transaction that did it, so that neither stands without the other.
        kind: ``paused``, ``scheduled``, ``late`` …
        words: one or two sentences without personal data: they are mailed.
        mailing_id: the mailing that it is about.
    """
    connection.execute(insert(notices).values(at=clock.now(), kind=kind, words=words, mailing_id=mailing_id))


def untold(connection: Connection) -> list[Row[Any]]:
    """Notices that nobody has been mailed yet, oldest first."""
    return list(connection.execute(select(notices).where(notices.c.told_at.is_(None)).order_by(notices.c.id)))


def told(connection: Connection, ids: Sequence[int]) -> None:
    """These have been mailed."""
    connection.execute(update(notices).where(notices.c.id.in_(ids)).values(told_at=clock.now()))


def newest(connection: Connection, most: int = 20, *, mailing_id: int | None = None) -> list[Row[Any]]:
    """What happened last, newest first; of one mailing when it is named."""
    query = select(notices).order_by(notices.c.id.desc()).limit(most)
    if mailing_id is not None:
        query = query.where(notices.c.mailing_id == mailing_id)
    return list(connection.execute(query))


def names(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[str, bool]]:
    """Of these mailings: id → name, and whether it is practice."""
    query = select(mailings.c.id, mailings.c.name, mailings.c.practice).where(mailings.c.id.in_(ids))
    return {row.id: (row.name, row.practice) for row in connection.execute(query)}


# ------------------------------------------------------------------------------------------ the next mail


def may_try(connection: Connection) -> bool:
    """Whether a mail may be tried now, as far as a look tells: who looks every few seconds must not lock to do so."""
    moment = clock.now()
    next_at = connection.execute(select(marks.c.at).where(marks.c.name == _NEXT)).scalar_one_or_none()
    return next_at is None or next_at <= moment or next_at > moment + _FARTHEST


def take_turn(connection: Connection, until: datetime) -> bool:
    """Whether this process may mail staff now; nobody else may before ``until``. One conditional update."""
    moment = clock.now()
    connection.execute(insert_for(connection, marks).values(name=_NEXT, at=moment).on_conflict_do_nothing())
    free = or_(marks.c.at <= moment, marks.c.at > moment + _FARTHEST)
    return connection.execute(update(marks).where(marks.c.name == _NEXT, free).values(at=until)).rowcount == 1


def went(connection: Connection, ids: Sequence[int], next_at: datetime) -> None:
    """The mail with these notices went; the next may go at ``next_at``."""
    told(connection, ids)
    connection.execute(delete(marks).where(marks.c.name == _FAILING))
    connection.execute(update(marks).where(marks.c.name == _NEXT).values(at=next_at))


def failed(connection: Connection, *, least: timedelta, most: timedelta) -> timedelta:
    """The mail did not go: the next try comes after as long as they have failed by now, within bounds.

    Returns:
        how long that is.
    """
    moment = clock.now()
    connection.execute(insert_for(connection, marks).values(name=_FAILING, at=moment).on_conflict_do_nothing())
    since: datetime = connection.execute(select(marks.c.at).where(marks.c.name == _FAILING)).scalar_one()
    wait = min(max(moment - since, least), most)
    connection.execute(update(marks).where(marks.c.name == _NEXT).values(at=moment + wait))
    return wait


def failing_since(connection: Connection) -> datetime | None:
    """Since when mails to staff fail; None when they do not."""
    return connection.execute(select(marks.c.at).where(marks.c.name == _FAILING)).scalar_one_or_none()
