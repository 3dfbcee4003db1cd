"""Public letters in the database: one a mailing, found by the name in their address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, insert, select, update

from pillarbox.store.schema import mailings, public_letters

_T = public_letters.c
_BRIEF = (_T.slug, _T.title, _T.summary, _T.language, _T.practice, _T.published_at, _T.updated_at, _T.withdrawn_at,
          _T.published_by, _T.dated, mailings.c.name.label("mailing"))

_PAGE: tuple[Column[Any], ...] = (_T.html, _T.practice, _T.updated_at, _T.withdrawn_at)
_CARD: tuple[Column[Any], ...] = (_T.card, _T.card_kind, _T.practice, _T.updated_at, _T.withdrawn_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicLetter:
    """A published letter at a glance."""

    slug: str
    mailing: str
    title: str
    summary: str
    language: str
    practice: bool
    dated: date
    """The day that stands in it."""
    published_at: datetime
    published_by: str
    updated_at: datetime
    withdrawn_at: datetime | None


def published(connection: Connection, *, practice_too: bool, withdrawn_too: bool = False) -> list[PublicLetter]:
    """Published letters, newest first.

    Args:
        connection: to read with.
        practice_too: whether those of practice mailings are among them (on a practice site).
        withdrawn_too: whether those that were withdrawn are.
    """
    query = select(*_BRIEF).join(mailings).order_by(_T.published_at.desc(), _T.id.desc())
    if not practice_too:
        query = query.where(_T.practice.is_(False))
    if not withdrawn_too:
        query = query.where(_T.withdrawn_at.is_(None))
    return [PublicLetter(**row._mapping) for row in connection.execute(query)]


def of_mailing(connection: Connection, mailing_id: int) -> PublicLetter | None:
    """A mailing's public letter, withdrawn or not; None when it never had one."""
    row = connection.execute(select(*_BRIEF).join(mailings).where(_T.mailing_id == mailing_id)).one_or_none()
    return PublicLetter(**row._mapping) if row else None


def page(connection: Connection, slug: str) -> Row[Any] | None:
    """What answers at a name: html, practice, updated_at, withdrawn_at."""
    return connection.execute(select(*_PAGE).where(_T.slug == slug)).one_or_none()


def card(connection: Connection, slug: str) -> Row[Any] | None:
    """The picture of the letter at a name: card, card_kind, practice, updated_at, withdrawn_at."""
    return connection.execute(select(*_CARD).where(_T.slug == slug)).one_or_none()


def taken(connection: Connection, slug: str, *, but: int) -> bool:
    """Whether another mailing's letter has this name."""
    return connection.execute(select(_T.id).where(_T.slug == slug, _T.mailing_id != but)).first() is not None


def keep(connection: Connection, mailing_id: int, values: Mapping[str, Any], *, at: datetime, by: str) -> None:
    """Publish a mailing's letter, or replace what was published of it; its first day of publishing stays."""
    changed = connection.execute(update(public_letters).where(_T.mailing_id == mailing_id).values(
        **values, updated_at=at, withdrawn_at=None))
    if not changed.rowcount:
        connection.execute(insert(public_letters).values(
            **values, mailing_id=mailing_id, published_at=at, published_by=by, updated_at=at))


def withdraw(connection: Connection, mailing_id: int, at: datetime) -> bool:
    """Take a mailing's letter from the web; whether it was there. Its words are deleted, its name stays taken."""
    return connection.execute(update(public_letters).where(
        _T.mailing_id == mailing_id, _T.withdrawn_at.is_(None)).values(
        withdrawn_at=at, html="", card=b"")).rowcount == 1
