"""The audit log: who did what to what, and when. No personal data beyond the actor's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from pillarbox.ground import clock
from pillarbox.store.schema import audit


def record(connection: Connection, *, actor: str, action: str, subject: str,
           detail: Mapping[str, Any] | None = None) -> None:
    """Add a line to the audit log, in the caller's transaction."""
    connection.execute(insert(audit).values(at=clock.now(), actor=actor, action=action, subject=subject,
                                            detail=dict(detail or {})))


def page(connection: Connection, *, most: int, before: int | None = None, subject: str = "", actor: str = ""
         ) -> list[Row[Any]]:
    """Lines of the log, newest first: id, at, actor, action, subject, detail.

    Args:
        most: at most so many.
        before: only lines with smaller ids than this.
        subject: only of this very subject; empty: of all.
        actor: only of this very actor; empty: of all.
    """
    query = select(audit).order_by(audit.c.id.desc()).limit(most)
    if before is not None:
        query = query.where(audit.c.id < before)
    if subject:
        query = query.where(audit.c.subject == subject)
    if actor:
        query = query.where(audit.c.actor == actor)
    return list(connection.execute(query))


def actors(connection: Connection) -> list[str]:
    """Everybody who stands in the log, by name."""
    return list(connection.execute(select(audit.c.actor).distinct().order_by(audit.c.actor)).scalars())


def newest(connection: Connection, *, action: str, subject: str) -> Row[Any] | None:
    """The last line of one action on one subject; None when it never happened."""
    return connection.execute(select(audit).where(audit.c.action == action, audit.c.subject == subject)
                              .order_by(audit.c.id.desc()).limit(1)).one_or_none()
