"""Service letters at a restore and a move: what may have gone is in doubt, what is on its way is waited for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.keeping import aftercare, copying
from pillarbox.store import schema, service
from pillarbox.store.project import Project
from tests.keeping.conftest import project

__all__ = ["project"]


def ask(project: Project) -> None:
    """Somebody asks for a letter."""
    with project.store.writing() as connection:
        service.ask(connection, kind="confirm", deed="d", address="a@example.org", address_hash="x" * 32,
                    values={"link": "secret"})


def test_after_a_restore_nobody_is_answered_twice(project: Project) -> None:
    """A letter that waited when the backup was made may have gone since: in doubt, and its link forgotten."""
    ask(project)
    with project.store.writing() as connection:
        aftercare._pause(connection, clock.now(), frozenset())
    with project.store.reading() as connection:
        row = connection.execute(select(schema.service_letters)).one()
    assert (row.state, row._mapping["values"]) == ("in_doubt", {})


def test_a_letter_on_its_way_is_waited_for(project: Project) -> None:
    """Moving the project while one is being sent is refused."""
    ask(project)
    with project.store.writing() as connection:
        connection.execute(update(schema.service_letters).values(
            state="submitting", lease_until=clock.now() + timedelta(minutes=1)))
        with pytest.raises(Refused, match="service letter"):
            copying._refuse_open_attempts(connection, project.settings)
