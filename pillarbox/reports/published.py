"""Letters that anybody may read, where the project publishes any."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from pillarbox.store.schema import metadata


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """One public letter."""

    id: int
    slug: str
    title: str
    summary: str
    language: str
    published_at: datetime
    updated_at: datetime
    html: str
    """Empty in a list."""


def page(connection: Connection, *, before: int | None = None, most: int) -> list[Published]:
    """At most so many that are public now, newest first; those with smaller ids than ``before``."""
    table = metadata.tables.get("public_letters")
    if table is None:
        return []
    query = _public(table).order_by(table.c.id.desc()).limit(most)
    if before is not None:
        query = query.where(table.c.id < before)
    return [_letter(row, html="") for row in connection.execute(query)]


def one(connection: Connection, slug: str) -> Published | None:
    """A letter with its text; None when there is none, or it was withdrawn."""
    table = metadata.tables.get("public_letters")
    if table is None:
        return None
    row = connection.execute(_public(table).where(table.c.slug == slug)).one_or_none()
    return _letter(row, html=row.html) if row else None


def _public(table: Table) -> Any:
    return select(table).where(table.c.withdrawn_at.is_(None), ~table.c.practice)


def _letter(row: Any, *, html: str) -> Published:
    return Published(id=row.id, slug=row.slug, title=row.title, summary=row.summary, language=row.language,
                     published_at=row.published_at, updated_at=row.updated_at, html=html)
