"""Users of the dashboard: added, given a role or a password, disabled, by the command line or the account page."""

from __future__ import annotations

import unicodedata

from sqlalchemy import Connection

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.model.states import Role
from pillarbox.staff import passwords
from pillarbox.store import audit, staff
from pillarbox.store.connect import ClashError, Store
from pillarbox.store.staff import User

_LONGEST_NAME = 60
# Who acts by itself, or in a terminal, is called so in the audit log: no person may be taken for them.
_TAKEN = ("staff", "worker", "the schedule", "schedule", "sendgrid", "pillarbox", "restore", "supporter",
          "message search", "events")


def folded(name: str) -> str:
    """A name as it is compared: whatever its letter case, spaces and form of accents."""
    plain = unicodedata.normalize("NFKC", name[:4 * _LONGEST_NAME].replace("\0", ""))  # PostgreSQL takes no NUL
    return " ".join(plain.casefold().split())


def add(store: Store, *, name: str, role: Role, password: str, actor: str = "staff") -> User:
    """Let somebody work in the dashboard.

    Raises:
        Refused: an impossible name, one that is taken, or a weak password.
    """
    name = _fit(name)
    kept = hashed_for(name, password)
    try:
        with store.writing() as connection:
            if staff.user(connection, folded(name)):
                raise _taken(name)
            made = staff.add_user(connection, name=name, folded=folded(name), role=role, password_hash=kept)
            audit.record(connection, actor=actor, action="user-add", subject=name, detail={"role": role.value})
            return made
    except ClashError:
        raise _taken(name) from None


def change_role(store: Store, name: str, role: Role, *, actor: str = "staff") -> User:
    """Give somebody another role; it holds from their next click.

    Raises:
        Refused: no such user.
    """
    with store.writing() as connection:
        user = find(connection, name)
        staff.change_user(connection, user.id, role=role)
        audit.record(connection, actor=actor, action="user-role", subject=user.name,
                     detail={"before": user.role.value, "after": role.value})
        return find(connection, name)


def set_password(store: Store, name: str, password: str, *, actor: str = "staff") -> User:
    """Give somebody another password; every session of theirs ends.

    Raises:
        Refused: no such user, or a weak password.
    """
    with store.reading() as connection:
        user = find(connection, name)
    kept = hashed_for(user.name, password)
    with store.writing() as connection:
        replace_password(connection, user, kept, actor=actor)
    return user


def hashed_for(name: str, password: str) -> str:
    """What is kept of a password that this user wants; made outside any transaction, for it takes its time.

    Raises:
        Refused: a weak one.
    """
    passwords.refuse_weak(password, name=name)
    return passwords.hashed(password)


def replace_password(connection: Connection, user: User, kept: str, *, actor: str, but: int | None = None) -> None:
    """Keep another password, in the caller's transaction; sessions end, save one where it is named."""
    staff.change_user(connection, user.id, password_hash=kept, password_at=clock.now())
    ended = staff.end_all(connection, user.id, but=but)
    audit.record(connection, actor=actor, action="user-password", subject=user.name, detail={"sessions": ended})


def disable(store: Store, name: str, *, actor: str = "staff") -> User:
    """Let somebody in no more; whatever they have open ends now.

    Raises:
        Refused: no such user.
    """
    with store.writing() as connection:
        user = find(connection, name)
        staff.change_user(connection, user.id, disabled_at=user.disabled_at or clock.now())
        staff.end_all(connection, user.id)
        audit.record(connection, actor=actor, action="user-disable", subject=user.name)
        return find(connection, name)


def enable(store: Store, name: str, *, actor: str = "staff") -> User:
    """Let somebody in again, with the password that they had.

    Raises:
        Refused: no such user.
    """
    with store.writing() as connection:
        user = find(connection, name)
        staff.change_user(connection, user.id, disabled_at=None)
        audit.record(connection, actor=actor, action="user-enable", subject=user.name)
        return find(connection, name)


def everybody(store: Store) -> list[User]:
    """All users, by name."""
    with store.reading() as connection:
        return staff.users(connection)


def find(connection: Connection, name: str) -> User:
    """The user with this name.

    Raises:
        Refused: there is none.
    """
    if user := staff.user(connection, folded(name)):
        return user
    known = ", ".join(each.name for each in staff.users(connection))
    raise Refused(f"There is no user called {name[:_LONGEST_NAME]!r}.",
                  todo=f"There are: {known}." if known else "`pillarbox users add NAME --role send` adds one.")


def _fit(name: str) -> str:
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if not 2 <= len(plain) <= _LONGEST_NAME or not plain.isprintable():
        raise Refused(f"{plain[:_LONGEST_NAME]!r} cannot be a user's name.",
                      todo=f"Write their name in 2 to {_LONGEST_NAME} letters: it stands in the audit log.")
    if folded(plain) in _TAKEN:
        raise Refused(f"{plain!r} means something else in the audit log.", todo="Write the person's own name.")
    return plain


def _taken(name: str) -> Refused:
    return Refused(f"There is a user called {name} already.",
                   todo="`pillarbox users password` gives them another password.")
