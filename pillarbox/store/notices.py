"""The notices table: what staff are told of things that happen by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pillarbox.ground import clock
from pillarbox.store.schema import notices


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


def newest(connection: Connection, most: int = 20) -> list[Row[Any]]:
    """What happened last, newest first."""
    return list(connection.execute(select(notices).order_by(notices.c.id.desc()).limit(most)))
