"""The rule of one mailing in a span, as SQL: who counts, and that it is found by index."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select

from pillarbox.ground import clock
from pillarbox.model.states import Kind, MailingState, MessageState
from pillarbox.people import audience, frequency
from pillarbox.people.audience import Rule
from pillarbox.store import schema
from pillarbox.store.connect import Store
from tests import builders
from tests.builders import SENT_AT

HOUR = timedelta(hours=1)


def summer(connection: Connection, **columns: Any) -> int:
    """The mailing that asks."""
    return builders.mailing(connection, "summer", **{"span_hours": 20.0, "state": MailingState.SENDING,
                                                      "started_at": SENT_AT, **columns})


def spring(connection: Connection, **columns: Any) -> int:
    """Another one, being sent."""
    return builders.mailing(connection, "spring", **{"state": MailingState.SENDING, "started_at": SENT_AT, **columns})


def attempt(connection: Connection, mailing: int) -> int:
    """One of its attempts, begun at SENT_AT."""
    return int(connection.execute(insert(schema.attempts).values(
        mailing_id=mailing, worker="w", size=1, started_at=SENT_AT, lease_until=SENT_AT,
    ).returning(schema.attempts.c.id)).scalar_one())


def held_back(store: Store, state: MessageState, *, after: timedelta = HOUR, asking: dict[str, Any] | None = None,
              other: dict[str, Any] | None = None) -> bool:
    """Whether Alice, whose message of the other mailing stands so, is left out of a plan so much later."""
    with store.writing() as connection:
        alice = builders.supporter(connection)
        connection.execute(insert(schema.lists).values(id=1, name="main", created_at=SENT_AT))
        connection.execute(insert(schema.list_members).values(list_id=1, supporter_id=alice, joined_at=SENT_AT))
        there = spring(connection, **(other or {}))
        builders.message(connection, there, alice, state=state, attempt_id=attempt(connection, there))
        mailing = summer(connection, **(asking or {}))
        with clock.freeze(SENT_AT + after):
            recent = frequency.of_mailing(connection, mailing)
            found = audience.left_out(connection, Rule(lists=("main",)), {}, recent=recent)
            written = list(audience.candidates(connection, Rule(lists=("main",)), {}, recent=recent))
    assert found in ({}, {"recently-mailed": 1})
    assert len(written) == (not found)
    return bool(found)


@pytest.mark.parametrize("state", list(MessageState))
def test_only_what_went_or_may_have_counts(store: Store, state: MessageState) -> None:
    """Accepted, in doubt, on its way; not planned, failed, cancelled or withdrawn."""
    assert held_back(store, state) == (state in ("accepted", "in_doubt", "submitting"))


@pytest.mark.parametrize("state", [MessageState.ACCEPTED, MessageState.IN_DOUBT])
def test_after_the_span_it_no_longer_counts(store: Store, state: MessageState) -> None:
    """Doubt is as old as its attempt."""
    assert not held_back(store, state, after=timedelta(hours=20, seconds=1))


def test_a_clock_that_was_put_back_forgets_nobody(store: Store) -> None:
    """The letter left before midnight by a clock that was two days ahead: by now's clock that is still to come."""
    assert held_back(store, MessageState.ACCEPTED, after=timedelta(days=-2))


@pytest.mark.parametrize(("asking", "other", "held"), [
    ({}, {}, True),
    ({"span_hours": 0.0}, {}, False),
    ({"span_hours": None}, {}, False),
    ({"practice": True}, {}, False),
    ({"kind": Kind.SERVICE}, {}, False),
    ({"corrects_id": 1}, {}, False),
    ({}, {"practice": True}, False),
    ({}, {"kind": Kind.SERVICE}, False),
    ({}, {"kind": Kind.PROOF}, False),
    ({}, {"kind": Kind.NEWSLETTER, "state": MailingState.PAUSED}, True),
    ({}, {"state": MailingState.SENT, "finished_at": SENT_AT}, True),
    ({}, {"state": MailingState.CANCELLED, "finished_at": SENT_AT}, True),
    ({}, {"state": MailingState.HELD}, True),
])
def test_which_mailings_count(store: Store, asking: dict[str, Any], other: dict[str, Any], held: bool) -> None:
    """Live ones to supporters, in whatever state; staff, practice, service letters and corrections are free."""
    assert held_back(store, MessageState.ACCEPTED, asking=asking, other=other) == held


def test_a_changed_address_is_the_same_supporter(store: Store) -> None:
    """Mailed at the old address this morning: not again at the new one."""
    with store.writing() as connection:
        alice = builders.supporter(connection, "new@example.org")
        connection.execute(insert(schema.lists).values(id=1, name="main", created_at=SENT_AT))
        connection.execute(insert(schema.list_members).values(list_id=1, supporter_id=alice, joined_at=SENT_AT))
        builders.message(connection, spring(connection), alice, address="old@example.org", address_hash="old")
        with clock.freeze(SENT_AT + HOUR):
            recent = frequency.of_mailing(connection, summer(connection))
            assert audience.left_out(connection, Rule(lists=("main",)), {}, recent=recent) == {"recently-mailed": 1}


def test_the_claim_finds_the_other_letter_by_index(store: Store) -> None:
    """On SQLite by edition and supporter, whatever else they have had over the years; no table is walked through."""
    if not store.is_sqlite:
        pytest.skip("PostgreSQL's planner walks through tables as small as these")
    seen: list[tuple[str, Any]] = []
    event.listen(store.writer, "before_cursor_execute", lambda _c, _u, said, given, _x, _m: seen.append((said, given)))
    with store.writing() as connection, clock.freeze(SENT_AT + HOUR):
        alice = builders.supporter(connection)
        builders.message(connection, spring(connection), alice)
        mailing = summer(connection)
        held = attempt(connection, mailing)
        builders.message(connection, mailing, alice, state=MessageState.SUBMITTING, attempt_id=held)
        assert audience.no_longer_eligible(connection, Rule(lists=(), segments=()), {}, mailing_id=mailing,
                                           attempt_id=held, tracked=False)
        said, given = seen[-1]
        steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", given)]
    assert any("other USING INDEX uq_messages_edition_supporter (edition_id=? AND supporter_id=?)" in step
               for step in steps), steps
    assert not [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step]


def test_those_whom_a_mailing_reached(store: Store) -> None:
    """A correction is for exactly them: not for whom it bounced, was refused, or who left since; all are counted."""
    with store.writing() as connection:
        mailing = spring(connection)
        states = {"alice": {}, "bob": {"state": MessageState.IN_DOUBT}, "charlie": {"outcome": "delivered"},
                  "dana": {"outcome": "deferred"}, "erin": {"outcome": "bounced"}, "frank": {"outcome": "blocked"},
                  "grace": {"outcome": "dropped"}, "heidi": {"state": MessageState.FAILED},
                  "ivan": {"state": MessageState.WITHDRAWN}, "judy": {"state": MessageState.CANCELLED}, "mallory": {}}
        connection.execute(insert(schema.lists).values(id=1, name="main", created_at=SENT_AT))
        for name, columns in states.items():
            person = builders.supporter(connection, f"{name}@example.org")
            connection.execute(insert(schema.list_members).values(list_id=1, supporter_id=person, joined_at=SENT_AT))
            builders.message(connection, mailing, person, **columns)
        builders.supporter(connection, "stranger@example.org")
        gone = connection.execute(select(schema.supporters.c.address_hash).where(
            schema.supporters.c.address == "mallory@example.org")).scalar_one()
        connection.execute(insert(schema.suppressions).values(address_hash=gone, reason="complained", source="test",
                                                              since=SENT_AT))
        rule = Rule(lists=("main",), corrects=mailing)
        assert Rule.from_json(rule.to_json()) == rule
        found = [person.address.partition("@")[0] for person in audience.candidates(connection, rule, {})]
        assert found == ["alice", "bob", "charlie", "dana"]
        assert audience.left_out(connection, rule, {}) == {"complained": 1, "not-reached": 6}
