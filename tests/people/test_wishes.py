"""Wishes obeyed: who is left out for what they asked, at the plan and at the claim, at next to no cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from pillarbox.ground import clock
from pillarbox.model.states import Frequency, Kind, MailingState, MessageState
from pillarbox.people import audience, wishes
from pillarbox.people.audience import Rule
from pillarbox.store import schema
from pillarbox.store import wishes as kept
from pillarbox.store.connect import Store
from pillarbox.store.wishes import Wish
from tests import builders
from tests.builders import SENT_AT

DAY = timedelta(days=1)
RULE = Rule(lists=("main",))


def reader(connection: Connection, wish: Wish, address: str = "alice@example.org") -> int:
    """Somebody on the list ``main`` with a wish."""
    person = builders.supporter(connection, address)
    connection.execute(insert(schema.list_members).values(list_id=1, supporter_id=person, joined_at=SENT_AT))
    kept.keep(connection, person, wish, SENT_AT)
    return person


def asking(connection: Connection, **columns: Any) -> int:
    """The mailing that asks."""
    return builders.mailing(connection, "summer", **{"state": MailingState.SENDING, "started_at": SENT_AT, **columns})


def left_out(store: Store, wish: Wish, *, at: datetime = SENT_AT, earlier: datetime | None = None,
             other: dict[str, Any] | None = None, **columns: Any) -> dict[str, int]:
    """Why Alice is left out of a mailing at a moment; ``earlier``: when another letter had gone to her.

    The plan and the claim must agree.
    """
    with store.writing() as connection:
        connection.execute(insert(schema.lists).values(id=1, name="main", created_at=SENT_AT))
        alice = reader(connection, wish)
        if earlier is not None:
            spring = builders.mailing(connection, "spring", **{"started_at": earlier, "finished_at": earlier,
                                                               **(other or {})})
            builders.message(connection, spring, alice, accepted_at=earlier)
        mailing = asking(connection, **columns)
        attempt = connection.execute(insert(schema.attempts).values(
            mailing_id=mailing, worker="w", size=1, started_at=SENT_AT, lease_until=SENT_AT)
            .returning(schema.attempts.c.id)).scalar_one()
        message = builders.message(connection, mailing, alice, state=MessageState.SUBMITTING, attempt_id=attempt)
        with clock.freeze(at):
            asked = wishes.of_mailing(connection, mailing)
            found = audience.left_out(connection, RULE, {}, asked=asked)
            assert len(list(audience.candidates(connection, RULE, {}, asked=asked))) == (not found)
            claimed = audience.no_longer_eligible(connection, RULE, {}, mailing_id=mailing, attempt_id=attempt,
                                                  tracked=False)
    assert claimed == dict.fromkeys([message] if found else [], next(iter(found), ""))
    return found


@pytest.mark.parametrize(("until", "send_at", "reason"), [
    (SENT_AT + DAY, None, {"paused": 1}),
    (SENT_AT, None, {}),
    (SENT_AT - DAY, None, {}),
    (SENT_AT + DAY, SENT_AT + 2 * DAY, {}),
    (SENT_AT + 3 * DAY, SENT_AT + 2 * DAY, {"paused": 1}),
])
def test_a_pause_holds_until_its_day(store: Store, until: datetime, send_at: datetime | None,
                                     reason: dict[str, int]) -> None:
    """What leaves after the pause is over may come, also when it is planned before."""
    assert left_out(store, Wish(paused_until=until), send_at=send_at) == reason


@pytest.mark.parametrize(("kind", "reason"), [
    (Kind.NEWSLETTER, {}), (Kind.APPEAL, {"newsletters-only": 1}), (Kind.MESSAGE, {"newsletters-only": 1}),
    (Kind.SERVICE, {}), (Kind.PROOF, {})])
def test_newsletters_only(store: Store, kind: Kind, reason: dict[str, int]) -> None:
    """No appeal and no message; what answers their own deed comes all the same."""
    assert left_out(store, Wish(frequency=Frequency.NEWSLETTERS), kind=kind) == reason


@pytest.mark.parametrize(("earlier", "at", "held"), [
    (datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 30, 9, tzinfo=UTC), True),
    (datetime(2026, 3, 31, 9, tzinfo=UTC), datetime(2026, 4, 1, 9, tzinfo=UTC), True),
    (datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 4, 6, 9, tzinfo=UTC), False),
    (datetime(2026, 2, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 9, tzinfo=UTC), False),
])
def test_one_a_month(store: Store, earlier: datetime, at: datetime, held: bool) -> None:
    """Never two in a calendar month, nor within three weeks; first Mondays are far enough apart."""
    assert left_out(store, Wish(frequency=Frequency.MONTHLY), at=at, earlier=earlier) == (
        {"frequency": 1} if held else {})


@pytest.mark.parametrize(("other", "columns", "held"), [
    ({}, {}, True),
    ({"practice": True}, {}, False),
    ({"kind": Kind.SERVICE}, {}, False),
    ({}, {"corrects_id": 1}, False),
    ({}, {"span_hours": 0.0}, True),
])
def test_what_counts_as_the_months_letter(store: Store, other: dict[str, Any], columns: dict[str, Any],
                                          held: bool) -> None:
    """Live letters; a correction of one is no second one."""
    assert left_out(store, Wish(frequency=Frequency.MONTHLY), at=SENT_AT + DAY, earlier=SENT_AT, other=other,
                    **columns) == ({"frequency": 1} if held else {})


def test_who_wishes_for_nothing_is_never_asked(store: Store) -> None:
    """Without a wish in the table no mailing pays for the question."""
    with store.writing() as connection:
        assert wishes.of_mailing(connection, asking(connection)) is None
    assert Wish().is_usual


def test_a_wish_is_found_by_its_key(store: Store) -> None:
    """One look-up a supporter by primary key; no table is walked through."""
    if not store.is_sqlite:
        pytest.skip("PostgreSQL's planner walks through tables as small as these")
    seen: list[tuple[str, Any]] = []
    with store.writing() as connection:
        connection.execute(insert(schema.lists).values(id=1, name="main", created_at=SENT_AT))
        reader(connection, Wish(frequency=Frequency.MONTHLY))
        asked = wishes.of_mailing(connection, asking(connection))
        event.listen(store.writer, "before_cursor_execute",
                     lambda _c, _u, said, given, _x, _m: seen.append((said, given)))
        audience.left_out(connection, RULE, {}, asked=asked)
        said, given = seen[-1]
        steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", given)]
    assert any("SEARCH wishes USING INTEGER PRIMARY KEY" in step for step in steps), steps
