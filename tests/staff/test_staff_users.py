"""Who may log in: names, passwords, roles; and what the audit log is told."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pillarbox.ground.errors import Refused
from pillarbox.model.states import Role
from pillarbox.staff import passwords, users
from pillarbox.store.connect import Store
from pillarbox.store.schema import audit, staff_users

GOOD = "heron lantern quarry"


def test_a_password_is_kept_as_argon2id_alone(store: Store) -> None:
    """Neither the password nor anything from which it can be read stands in the database."""
    users.add(store, name="Ann Lee", role=Role.SEND, password=GOOD)
    with store.reading() as connection:
        kept = connection.execute(select(staff_users.c.password_hash)).scalar_one()
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert GOOD not in kept
    assert passwords.agrees(kept, GOOD)
    assert not passwords.agrees(kept, GOOD + "x")


@pytest.mark.parametrize("weak", [
    "short", "           x", "aaaaaaaaaaaaaaaa", "password1234", "Ann Lee 1234", "x" * 201])
def test_weak_passwords_are_refused(store: Store, weak: str) -> None:
    """Too short, too long, known to everybody, or the user's own name: refused, and nobody is added."""
    with pytest.raises(Refused):
        users.add(store, name="Ann Lee", role=Role.VIEW, password=weak)
    assert users.everybody(store) == []


def test_a_password_is_the_same_from_any_keyboard() -> None:
    """Letters that look alike and are written in other ways are the same password."""
    assert passwords.agrees(passwords.hashed("caf\u00e9 lantern quarry"), "cafe\u0301 lantern quarry")


@pytest.mark.parametrize("name", ["", "x", "a" * 61, "Ann\u0000Lee", "Ann\u202eeeL", "staff", "Worker", "PILLARBOX"])
def test_impossible_names_are_refused(store: Store, name: str) -> None:
    """A name can be read by people, and is nobody's who acts by itself."""
    with pytest.raises(Refused):
        users.add(store, name=name, role=Role.VIEW, password=GOOD)


def test_two_names_that_look_alike_are_one(store: Store) -> None:
    """Letter case, spaces and the form of accents make no second user."""
    users.add(store, name="Zoé Lee", role=Role.VIEW, password=GOOD)
    with pytest.raises(Refused, match="already"):
        users.add(store, name="ZOE\u0301   lee", role=Role.SEND, password=GOOD)
    assert [user.role for user in users.everybody(store)] == [Role.VIEW]


def test_what_is_done_to_users_stands_in_the_audit_log(store: Store) -> None:
    """Each change is one line, without any password."""
    users.add(store, name="Ann Lee", role=Role.VIEW, password=GOOD)
    users.change_role(store, "ann lee", Role.SEND)
    users.set_password(store, "Ann Lee", "otter saddle violin")
    users.disable(store, "Ann Lee")
    users.enable(store, "Ann Lee")
    with store.reading() as connection:
        lines = connection.execute(select(audit).order_by(audit.c.id)).all()
    assert [line.action for line in lines] == ["user-add", "user-role", "user-password", "user-disable", "user-enable"]
    assert {line.subject for line in lines} == {"Ann Lee"}
    assert "lantern" not in str(lines)
    assert "violin" not in str(lines)


def test_an_unknown_user_is_named_with_those_that_there_are(store: Store) -> None:
    """The sentence helps who mistyped."""
    users.add(store, name="Ann Lee", role=Role.VIEW, password=GOOD)
    with pytest.raises(Refused, match="Ann Lee"):
        users.disable(store, "An Lee")


def test_each_role_includes_the_smaller_ones() -> None:
    """View, then prepare, then send."""
    assert [[one.includes(other) for other in Role] for one in Role] == [
        [True, False, False], [True, True, False], [True, True, True]]
