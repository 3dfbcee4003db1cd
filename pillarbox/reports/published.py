"""Letters that anybody may read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from pillarbox.store.schema import public_letters


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """One public letter."""

    id: int
    slug: str
    title: str
    summary: str
    language: str
    dated: date
    """The day that stands in it."""
    published_at: datetime
    updated_at: datetime
    html: str
    """Empty in a list."""


_PUBLIC = select(*(public_letters.c[name] for name in (
    "id", "slug", "title", "summary", "language", "dated", "published_at", "updated_at"))).where(
    public_letters.c.withdrawn_at.is_(None), ~public_letters.c.practice)


def page(connection: Connection, *, before: int | None = None, most: int) -> list[Published]:
    """At most so many that are public now, newest first; those with smaller ids than ``before``."""
    query = _PUBLIC.order_by(public_letters.c.id.desc()).limit(most)
    if before is not None:
        query = query.where(public_letters.c.id < before)
    return [_letter(row, html="") for row in connection.execute(query)]


def one(connection: Connection, slug: str) -> Published | None:
    """A letter with its text; None when there is none, or it was withdrawn."""
    row = connection.execute(_PUBLIC.add_columns(public_letters.c.html).where(
        public_letters.c.slug == slug)).one_or_none()
    return _letter(row, html=row.html) if row else None


def _letter(row: Any, *, html: str) -> Published:
    return Published(id=row.id, slug=row.slug, title=row.title, summary=row.summary, language=row.language,
                     dated=row.dated, published_at=row.published_at, updated_at=row.updated_at, html=html)
