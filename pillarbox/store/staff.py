"""The tables of staff: users and their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, delete, insert, or_, select, update

from pillarbox.ground import clock
from pillarbox.model.states import Role
from pillarbox.store.schema import staff_sessions, staff_users


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """Somebody who may work in the dashboard."""

    id: int
    name: str
    role: Role
    password_at: datetime
    """When the password was last set."""
    created_at: datetime
    disabled_at: datetime | None
    seen_at: datetime | None
    """When they last logged in; None: never."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """One login, on one device."""

    id: int
    user_id: int
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    """At the latest."""
    device: str
    """``Firefox on Windows``; empty when unknown."""
    flash: str
    """What the next page shall say; empty: nothing."""
    flash_kind: str
    """``done`` or ``failed``."""


_USER: tuple[Column[Any], ...] = (
    staff_users.c.id, staff_users.c.name, staff_users.c.role, staff_users.c.password_at, staff_users.c.created_at,
    staff_users.c.disabled_at, staff_users.c.seen_at)
_SESSION: tuple[Column[Any], ...] = (
    staff_sessions.c.id, staff_sessions.c.user_id, staff_sessions.c.began_at, staff_sessions.c.seen_at,
    staff_sessions.c.ends_at, staff_sessions.c.device, staff_sessions.c.flash, staff_sessions.c.flash_kind)


def _user(row: Row[Any]) -> User:
    values = dict(row._mapping)
    return User(**values | {"role": Role(values["role"])})


def add_user(connection: Connection, *, name: str, folded: str, role: Role, password_hash: str) -> User:
    """A new user; their name, folded, must be free."""
    moment = clock.now()
    return _user(connection.execute(insert(staff_users).values(
        name=name, folded=folded, role=role, password_hash=password_hash, password_at=moment, created_at=moment,
    ).returning(*_USER)).one())


def user(connection: Connection, folded: str) -> User | None:
    """The user with this name, disabled or not."""
    row = connection.execute(select(*_USER).where(staff_users.c.folded == folded)).one_or_none()
    return _user(row) if row else None


def password_hash(connection: Connection, user_id: int) -> str:
    """What a user's password is compared with."""
    return str(connection.execute(select(staff_users.c.password_hash).where(staff_users.c.id == user_id)).scalar_one())


def users(connection: Connection) -> list[User]:
    """Everybody, by name."""
    return [_user(row) for row in connection.execute(select(*_USER).order_by(staff_users.c.folded))]


def change_user(connection: Connection, user_id: int, **values: Any) -> None:
    """Write some columns of a user."""
    connection.execute(update(staff_users).where(staff_users.c.id == user_id).values(**values))


# ------------------------------------------------------------------------------------------------ sessions


def begin(connection: Connection, *, user_id: int, token_hash: str, ends_at: datetime, device: str) -> None:
    """A user logged in."""
    moment = clock.now()
    connection.execute(insert(staff_sessions).values(user_id=user_id, token_hash=token_hash, began_at=moment,
                                                     seen_at=moment, ends_at=ends_at, device=device))


def standing(connection: Connection, token_hash: str, *, seen_after: datetime) -> tuple[Session, User] | None:
    """Whose session a token is of; None when it ended, ran out, or its user may not log in any more."""
    moment = clock.now()
    row = connection.execute(
        select(*(column.label(f"session_{column.name}") for column in _SESSION), *_USER)
        .join_from(staff_sessions, staff_users)
        .where(staff_sessions.c.token_hash == token_hash, staff_sessions.c.ends_at > moment,
               staff_sessions.c.seen_at > seen_after, staff_users.c.disabled_at.is_(None))).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    session = Session(**{column.name: values.pop(f"session_{column.name}") for column in _SESSION})
    return session, User(**values | {"role": Role(values["role"])})


def of_user(connection: Connection, user_id: int, *, seen_after: datetime) -> list[Session]:
    """A user's sessions that have not run out, the one used last first."""
    query = select(*_SESSION).where(staff_sessions.c.user_id == user_id, staff_sessions.c.ends_at > clock.now(),
                                    staff_sessions.c.seen_at > seen_after)
    return [Session(**row._mapping) for row in connection.execute(query.order_by(staff_sessions.c.seen_at.desc()))]


def change(connection: Connection, session_id: int, **values: Any) -> None:
    """Write some columns of a session."""
    connection.execute(update(staff_sessions).where(staff_sessions.c.id == session_id).values(**values))


def end(connection: Connection, token_hash: str) -> None:
    """The session with this token ends."""
    connection.execute(delete(staff_sessions).where(staff_sessions.c.token_hash == token_hash))


def end_all(connection: Connection, user_id: int, *, but: int | None = None) -> int:
    """All sessions of a user end, save one where it is named; returns how many."""
    query = delete(staff_sessions).where(staff_sessions.c.user_id == user_id)
    if but is not None:
        query = query.where(staff_sessions.c.id != but)
    return connection.execute(query).rowcount


def sweep(connection: Connection, *, seen_after: datetime) -> None:
    """Delete the rows of sessions that ran out."""
    connection.execute(delete(staff_sessions).where(
        or_(staff_sessions.c.ends_at <= clock.now(), staff_sessions.c.seen_at <= seen_after)))
