"""Forgetting and showing reach what payment providers told of a person."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from pillarbox.giving.hooks import take_in
from pillarbox.giving.settling import Ties
from pillarbox.money.stripe import reading
from pillarbox.people import rights
from pillarbox.store import schema
from pillarbox.store.connect import Store
from tests import builders
from tests.builders import SECRET
from tests.paying import AT, charge, invoice, refund, session, stripe_event, subscription

TIES = Ties(secret=SECRET, window_days=30)


def tell(store: Store, *events: dict[str, object]) -> None:
    told = [reading.read(json.dumps(event).encode(), reading.Terms(live=True)) for event in events]
    take_in(store, [each for each in told if each], ties=TIES)


@pytest.fixture
def giver(store: Store) -> Store:
    """Alice gave once, and gives each month; one event names her without her address."""
    with store.writing() as connection:
        builders.message(connection, builders.mailing(connection), builders.supporter(connection))
    tell(store, stripe_event("checkout.session.completed", session()),
         stripe_event("charge.succeeded", charge(billing_details={"name": "Alice Amber", "email": None})),
         stripe_event("refund.created", refund(), at=AT + 5),
         stripe_event("customer.subscription.created", subscription()), stripe_event("invoice.paid", invoice()))
    return store


def test_all_of_it_is_shown(giver: Store) -> None:
    """Donations, pledge, refund and the events that told of them."""
    held = rights.export(giver, secret=SECRET, email="alice@example.org")
    assert [len(held[name]) for name in ("donations", "pledges", "refunds", "payment_events")] == [2, 1, 1, 5]
    json.dumps(held)


def test_all_of_it_is_forgotten(giver: Store) -> None:
    """No table holds name or address any more; the sums stay."""
    rights.forget(giver, secret=SECRET, email="alice@example.org")
    with giver.reading() as connection:
        for table in (schema.donations, schema.pledges, schema.refunds, schema.hook_events):
            held = str([tuple(row) for row in connection.execute(select(table))])
            assert "mber" not in held
            assert "alice@" not in held
        assert sum(connection.execute(select(schema.donations.c.amount_minor)).scalars()) == 3_500
        assert list(connection.execute(select(schema.hook_events.c.address_hash)).scalars()) == [None] * 5


def test_what_comes_after_forgetting_holds_nothing_of_them(giver: Store) -> None:
    """The next month's payment counts, without a name or address; an older event does not bring them back either."""
    rights.forget(giver, secret=SECRET, email="alice@example.org")
    tell(giver, stripe_event("invoice.paid", invoice(2), at=AT + 100),
         stripe_event("refund.updated", refund(), at=AT + 101))
    with giver.reading() as connection:
        for table in (schema.donations, schema.pledges, schema.hook_events):
            assert "alice@" not in str([tuple(row) for row in connection.execute(select(table))])
            assert set(connection.execute(select(table.c.name)).scalars()) == {""}
        assert len(list(connection.execute(select(schema.donations.c.id)))) == 3


def test_somebody_elses_gifts_stay(giver: Store) -> None:
    """Forgetting one donor leaves the others alone."""
    other = session(id="cs_2", payment_intent="pi_2",
                    customer_details={"email": "bob@example.org", "name": "Bob Birch"})
    tell(giver, stripe_event("checkout.session.completed", other, name="other"))
    rights.forget(giver, secret=SECRET, email="alice@example.org")
    with giver.reading() as connection:
        assert "Bob Birch" in list(connection.execute(select(schema.hook_events.c.name)).scalars())
        assert "Bob Birch" in list(connection.execute(select(schema.donations.c.name)).scalars())
