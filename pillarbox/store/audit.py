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


def newest(connection: Connection, *, action: str, subject: str) -> Row[Any] | None:
    """The last line of one action on one subject; None when it never happened."""
    return connection.execute(select(audit).where(audit.c.action == action, audit.c.subject == subject)
                              .order_by(audit.c.id.desc()).limit(1)).one_or_none()
