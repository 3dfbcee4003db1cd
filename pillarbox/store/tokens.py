"""The table of the API's tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, insert, select, update

from pillarbox.ground import clock
from pillarbox.model.states import TokenScope
from pillarbox.store.schema import api_tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """Who may read the API. The token itself is known to nobody but its holder."""

    id: int
    name: str
    scope: TokenScope
    created_at: datetime
    used_at: datetime | None
    """When it was last shown, to within a minute; None: never."""


_TOKEN: tuple[Column[Any], ...] = (
    api_tokens.c.id, api_tokens.c.name, api_tokens.c.scope, api_tokens.c.created_at, api_tokens.c.used_at)


def _token(row: Row[Any]) -> Token:
    values = dict(row._mapping)
    return Token(**values | {"scope": TokenScope(values["scope"])})


def add(connection: Connection, *, name: str, token_hash: str, scope: TokenScope) -> Token:
    """A new token; its name must be free."""
    return _token(connection.execute(insert(api_tokens).values(
        name=name, token_hash=token_hash, scope=scope, created_at=clock.now()).returning(*_TOKEN)).one())


def by_hash(connection: Connection, token_hash: str) -> Token | None:
    """Whose token it is; None when there is none, or it was revoked."""
    row = connection.execute(select(*_TOKEN).where(
        api_tokens.c.token_hash == token_hash, api_tokens.c.revoked_at.is_(None))).one_or_none()
    return _token(row) if row else None


def named(connection: Connection, name: str) -> Token | None:
    """The token with this name that is not revoked."""
    row = connection.execute(select(*_TOKEN).where(
        api_tokens.c.name == name, api_tokens.c.revoked_at.is_(None))).one_or_none()
    return _token(row) if row else None


def standing(connection: Connection) -> list[Token]:
    """Those that are not revoked, by name."""
    return [_token(row) for row in connection.execute(
        select(*_TOKEN).where(api_tokens.c.revoked_at.is_(None)).order_by(api_tokens.c.name))]


def use(connection: Connection, token_id: int) -> None:
    """It was shown just now."""
    connection.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(used_at=clock.now()))


def revoke(connection: Connection, token_id: int) -> None:
    """It is worth nothing from now on."""
    connection.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(revoked_at=clock.now()))
