"""What SendGrid keeps counts, for one mailing in a span, at the time that it leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from pillarbox.ground import clock
from pillarbox.model.states import MailingState, MessageState
from pillarbox.people import audience, frequency
from pillarbox.people.audience import Rule
from pillarbox.store import schema
from pillarbox.store.connect import Store
from tests import builders
from tests.builders import SENT_AT

HOUR = timedelta(hours=1)


def held_back(store: Store, *, kept: dict[str, Any], asking: dict[str, Any], after: timedelta) -> bool:
    """Whether Alice, whose letter of spring was handed over at SENT_AT, is left out of summer so much later."""
    with store.writing() as connection:
        alice = builders.supporter(connection)
        connection.execute(insert(schema.lists).values(id=1, name="main", created_at=SENT_AT))
        connection.execute(insert(schema.list_members).values(list_id=1, supporter_id=alice, joined_at=SENT_AT))
        there = builders.mailing(connection, "spring", started_at=SENT_AT, **kept)
        builders.message(connection, there, alice, state=MessageState.ACCEPTED, accepted_at=SENT_AT)
        mailing = builders.mailing(connection, "summer", span_hours=20.0, started_at=SENT_AT,
                                   state=MailingState.SENDING, **asking)
        with clock.freeze(SENT_AT + after):
            recent = frequency.of_mailing(connection, mailing)
            return bool(audience.left_out(connection, Rule(lists=("main",)), {}, recent=recent))


@pytest.mark.parametrize(("kept_until", "asked_at", "asker_leaves", "held"), [
    (60, 61, None, True),    # left an hour ago, though handed over sixty hours earlier
    (60, 81, None, False),
    (60, 50, None, True),    # leaves in ten hours
    (60, 1, None, False),    # leaves in more than two days
    (60, 1, 55, True),       # both are kept, five hours apart
    (60, 1, 30, False),
    (0, 1, None, True),      # not kept at all
])
def test_it_counts_when_it_leaves(store: Store, kept_until: int, asked_at: int, asker_leaves: int | None,
                                  held: bool) -> None:
    """Neither when it was handed over, nor when the other was: within the span on either side of its time."""
    until, state = SENT_AT + kept_until * HOUR, MailingState.HELD if kept_until else MailingState.SENDING
    kept = {"state": state, "provider_batch": "b" if kept_until else "", "send_at": until}
    asking = {"provider_batch": "c", "send_at": SENT_AT + asker_leaves * HOUR} if asker_leaves else {}
    assert held_back(store, kept=kept, asking=asking, after=asked_at * HOUR) == held
