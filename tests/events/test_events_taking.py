"""Posts that wait at the same moment are taken in together, and none suffers for another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from pillarbox.events import taking
from pillarbox.events.taking import Intake
from pillarbox.ground.address import keyed_hash
from pillarbox.ground.errors import StoreError
from pillarbox.model.records import Event
from pillarbox.model.states import EventKind
from pillarbox.store import schema, tallies
from pillarbox.store.connect import Store
from tests import builders
from tests.builders import SECRET, SENT_AT


def opened(number: int, at: datetime = SENT_AT) -> Event:
    name = f"open-{number}"
    return Event(kind=EventKind.OPENED, at=at, provider="sendgrid", provider_event_id=name,
                 fingerprint=keyed_hash(name, b"print"), message_id=1, attempt_id=None, provider_id="",
                 address="alice@example.org", raw="{}")


@pytest.fixture
def intake(store: Store) -> Intake:
    with store.writing() as connection:
        builders.message(connection, builders.mailing(connection), builders.supporter(connection))
    return Intake(store, SECRET)


def kept(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.events)).scalar_one())


def watched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events each transaction took in; the first waits until the gate is opened by the test's end."""
    sizes: list[int] = []
    real = taking.apply

    def apply(store: Store, events: Any, *, secret: bytes) -> Any:
        sizes.append(len(events))
        return real(store, events, secret=secret)

    monkeypatch.setattr(taking, "apply", apply)
    return sizes


def waiting(intake: Intake, posts: list[list[Event]]) -> list[Exception | None]:
    """Post these while another holds the turn, so that all of them wait; then what came of each."""
    def post(events: list[Event]) -> Exception | None:
        try:
            intake.take_in(events)
        except Exception as fault:  # noqa: BLE001 - the test looks at it
            return fault
        return None

    with ThreadPoolExecutor(len(posts)) as pool:
        with intake._turn:
            coming = [pool.submit(post, events) for events in posts]
            for _ in range(1_000):
                if len(intake._waiting) == len(posts):
                    break
                threading.Event().wait(0.005)
        return [one.result(timeout=60) for one in coming]


def test_what_waits_is_one_transaction(store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five posts that wait are committed together, and each is answered."""
    sizes = watched(monkeypatch)
    assert waiting(intake, [[opened(number)] for number in range(5)]) == [None] * 5
    assert sizes == [5]
    assert kept(store) == 5
    assert tallies.check(store, 1).equal


def test_a_transaction_has_its_measure(store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more events at once than keeps the first post from waiting long for the last."""
    monkeypatch.setattr(taking, "AT_ONCE", 3)
    sizes = watched(monkeypatch)
    assert waiting(intake, [[opened(2 * number), opened(2 * number + 1)] for number in range(3)]) == [None] * 3
    assert sizes == [2, 2, 2]
    assert kept(store) == 6


def test_a_faulty_post_costs_the_others_nothing(store: Store, intake: Intake) -> None:
    """The one that cannot be taken in is told so; those that waited with it are kept."""
    naive = opened(9, datetime(2026, 12, 10))  # noqa: DTZ001 - the fault
    found = waiting(intake, [[opened(1)], [opened(2), naive], [opened(3)]])
    assert [fault is None for fault in found].count(True) == 2
    assert [type(fault) for fault in found if fault] == [ValueError]
    assert kept(store) == 2


def test_a_post_whose_values_the_database_will_not_have_costs_the_others_nothing(
        store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trying again can never help that one; those that waited with it are kept all the same."""
    real = taking.apply

    def apply(store: Store, events: Any, *, secret: bytes) -> Any:
        if any(event.provider_event_id == "open-2" for event in events):
            raise StoreError("The database did not understand or take it.")
        return real(store, events, secret=secret)

    monkeypatch.setattr(taking, "apply", apply)
    found = waiting(intake, [[opened(1)], [opened(2)], [opened(3)]])
    assert [type(fault) for fault in found] == [type(None), StoreError, type(None)]
    assert kept(store) == 2


def test_a_database_that_is_away_is_told_to_all(store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the transaction fails for the database's sake, no post is answered as kept."""
    def away(*_given: object, **_named: object) -> None:
        raise StoreError("The database could not do it.", retry=True)

    monkeypatch.setattr(taking, "apply", away)
    found = waiting(intake, [[opened(1)], [opened(2)]])
    assert [type(fault) for fault in found] == [StoreError, StoreError]
    assert kept(store) == 0
