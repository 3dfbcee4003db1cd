"""The store keeps its word on both engines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from pillarbox.ground.errors import StoreError
from pillarbox.store.connect import Store
from pillarbox.store.schema import marks


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    """An exception inside ``writing`` undoes all of it."""
    with pytest.raises(RuntimeError), store.writing() as connection:
        connection.execute(insert(marks).values(name="x", at=datetime.now(UTC)))
        raise RuntimeError
    with store.reading() as connection:
        assert connection.execute(select(marks)).all() == []


def test_times_come_back_aware(store: Store) -> None:
    """UTC in, UTC out, on every engine."""
    moment = datetime(2026, 12, 10, 8, 30, tzinfo=UTC)
    with store.writing() as connection:
        connection.execute(insert(marks).values(name="x", at=moment))
    with store.reading() as connection:
        assert connection.execute(select(marks.c.at)).scalar_one() == moment


def test_a_fault_never_carries_values(store: Store) -> None:
    """What goes wrong in the database reaches staff without anybody's data."""
    marks.drop(store.writer)
    with pytest.raises((StoreError, DBAPIError)) as caught, store.reading() as connection:
        connection.execute(select(marks).where(marks.c.name == "alice@example.org"))
    assert "alice@example.org" not in str(caught.value)
