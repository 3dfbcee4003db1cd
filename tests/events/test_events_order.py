"""Whatever order and repetition events come in, the same state stands at the end."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pillarbox.events.apply import apply
from pillarbox.ground.address import keyed_hash
from pillarbox.model.records import Event
from pillarbox.model.states import Agent, EventKind, MessageState
from pillarbox.store import schema
from pillarbox.store.connect import Store, connect
from tests import builders
from tests.builders import SECRET, SENT_AT

PEOPLE = ("alice@example.org", "bob@example.org", "charlie@example.org")
STATES = (MessageState.ACCEPTED, MessageState.IN_DOUBT, MessageState.WITHDRAWN, MessageState.SUBMITTING,
          MessageState.PLANNED, MessageState.FAILED)


@st.composite
def an_event(draw: st.DrawFn) -> Event:
    """About one of six messages to three people, or about a stranger; now and then without our id."""
    message = draw(st.integers(1, 7))
    kind = draw(st.sampled_from(EventKind))
    seconds = draw(st.integers(0, 30))
    url = draw(st.sampled_from(["/a", "/b", "/c", "/d"])) if kind is EventKind.CLICKED else ""
    address = PEOPLE[(message - 1) % 3] if message < 7 else "stranger@example.net"
    name = f"{kind}-{message}-{seconds}-{url}"
    return Event(
        kind=kind, at=SENT_AT + timedelta(seconds=seconds), provider="sendgrid", provider_event_id=name,
        fingerprint=keyed_hash(name, b"print"), message_id=draw(st.sampled_from([message, message, None])),
        attempt_id=None, provider_id=f"sg-{message}", address=address, url=url,
        agent=Agent.MACHINE if kind is EventKind.OPENED and seconds % 2 else Agent.HUMAN,
        suppresses=kind is EventKind.DROPPED, reason="Bounced Address" if kind is EventKind.DROPPED else "")


def a_store(folder: str) -> Store:
    """Three people, two mailings, a message in each state."""
    store = connect("sqlite:///test.db", Path(folder))
    schema.metadata.create_all(store.writer)
    with store.writing() as connection:
        people = [builders.supporter(connection, address) for address in PEOPLE]
        for number in range(2):
            mailing = builders.mailing(connection, f"mailing-{number}")
            for position, person in enumerate(people):
                state = STATES[number * 3 + position]
                builders.message(connection, mailing, person, state=state,
                                 provider_id="sg-1" if state is MessageState.ACCEPTED else "")
    return store


def final_state(store: Store) -> dict[str, Any]:
    """All that matters after the events: ids and the times of our own clock aside."""
    m, e, s, c = schema.messages, schema.events, schema.suppressions, schema.consents
    questions = {
        "messages": select(m.c.id, m.c.state, m.c.outcome, m.c.accepted_at, m.c.provider_id),
        "events": select(e.c.fingerprint, e.c.message_id, e.c.mailing_id, e.c.kind, e.c.at, e.c.agent, e.c.domain),
        "suppressions": select(s.c.address_hash, s.c.address, s.c.reason, s.c.source, s.c.since),
        "consents": select(c.c.supporter_id, c.c.basis),
        "changes": select(schema.consent_changes.c.supporter_id, schema.consent_changes.c.after),
        "alarms": select(schema.audit.c.action, schema.audit.c.subject),
        "heard": select(schema.marks.c.at).where(schema.marks.c.name == "events-heard:sendgrid"),
    }
    with store.reading() as connection:
        return {name: sorted(map(tuple, connection.execute(query)), key=repr) for name, query in questions.items()}


@settings(max_examples=60, deadline=None)
@given(events=st.lists(an_event(), min_size=1, max_size=25, unique_by=lambda event: event.fingerprint),
       chance=st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(events: list[Event], chance: random.Random) -> None:
    """Shuffled, doubled and cut into posts at random, a set of events leaves the same state as in one post."""
    shuffled = [*events, *chance.choices(events, k=len(events))]
    chance.shuffle(shuffled)
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        at_once, in_pieces = a_store(one), a_store(other)
        apply(at_once, events, secret=SECRET)
        while shuffled:
            size = chance.randint(1, 6)
            apply(in_pieces, shuffled[:size], secret=SECRET)
            shuffled = shuffled[size:]
        expected, found = final_state(at_once), final_state(in_pieces)
        at_once.close()
        in_pieces.close()
    assert found == expected
