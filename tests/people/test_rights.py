"""Whoever asks to be left alone, to see, or to be forgotten gets exactly that."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from pillarbox.ground.address import keyed_hash
from pillarbox.ground.errors import Refused
from pillarbox.model.states import Basis, SuppressionReason
from pillarbox.people import audience, rights
from pillarbox.people.audience import Rule
from pillarbox.store import lists as list_store
from pillarbox.store.connect import Store
from pillarbox.store.schema import (
    audit,
    bundles,
    consent_changes,
    consents,
    donations,
    editions,
    events,
    list_members,
    mailings,
    message_values,
    messages,
    metadata,
    shapes,
    supporters,
    suppressions,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SECRET = b"a secret for tests"
ALICE = "alice@example.org"
TRACES = ("alice", "Alice", "Wonder", "Leeds")


def join(store: Store, **said: Any) -> str:
    """Add Alice to the list ``main`` unless said otherwise."""
    terms: dict[str, Any] = {"email": ALICE, "first_name": "Alice", "last_name": "Wonder", "list_name": "main",
                             "basis": Basis.CONSENT, "source": "letter", "tracking": True,
                             "fields": {"town": "Leeds"}, **said}
    return rights.add(store, secret=SECRET, **terms)


@pytest.fixture
def history(store: Store) -> Store:
    """Alice and Bob with two messages each (one gone, one planned), an event and a donation."""
    join(store)
    join(store, email="bob@example.org", first_name="Bob", last_name="Builder", fields={})
    with store.writing() as connection:
        connection.execute(insert(bundles).values(id="b", appeal="a", made_at=NOW, content=b""))
        connection.execute(insert(editions), [{"id": n, "appeal": "a", "label": str(n), "practice": False}
                                              for n in (1, 2)])
        connection.execute(insert(mailings), [
            {"id": n, "name": f"a-{n}", "appeal": "a", "kind": "appeal", "edition_id": n, "practice": False,
             "state": "sending", "transport": "sendgrid", "bundle_id": "b", "source_code": f"s{n}", "title": "A",
             "audience": {}, "excluded": {}, "for_date": date(2026, 11, 20), "created_at": NOW} for n in (1, 2)])
        shape = {"subject": "Hello", "html": "<p>x7f00012x</p>", "text": "x", "tokens": [["x7f00012x", 0, "text"]]}
        connection.execute(insert(shapes), [
            {"id": 1, "mailing_id": 1, "content_hash": "shared", "private": False, **shape},
            {"id": 2, "mailing_id": 2, "content_hash": "alice", "private": True, **shape, "html": "<p>Alice</p>"}])
        ids = {row.address: row for row in connection.execute(select(supporters))}
        for number, (address, mailing, state) in enumerate(
                ((a, m, s) for a in (ALICE, "bob@example.org") for m, s in ((1, "accepted"), (2, "planned"))), start=1):
            connection.execute(insert(messages).values(
                id=number, mailing_id=mailing, edition_id=mailing, supporter_id=ids[address].id, address=address,
                address_hash=ids[address].address_hash, to_name=ids[address].first_name, key=f"k{number}",
                shape_id=2 if (address, mailing) == (ALICE, 2) else 1, tracked=True,
                state=state, detail=f"250 for {address}"))
            connection.execute(insert(message_values).values(
                {"message_id": number, "values": json.dumps([ids[address].first_name])}))
        for number, (message, raw) in enumerate(((1, ALICE), (None, "ALICE@example.org"), (3, "bob@example.org"))):
            connection.execute(insert(events).values(
                message_id=message, mailing_id=1, kind="clicked", at=NOW, received_at=NOW, provider="sendgrid",
                provider_key=str(number), fingerprint=str(number), agent="human", url="https://example.org/k1",
                reason=f"550 {raw}", domain="example.org", raw=json.dumps({"email": raw})))
        for number, address in enumerate((ALICE, "bob@example.org")):
            connection.execute(insert(donations).values(
                amount_minor=2_500, currency="GBP", received_at=NOW, source="csv", external_id=str(number),
                name=ids[address].first_name, address=address, address_hash=ids[address].address_hash,
                gift_aid=False, regular=False, note=f"from {address}", supporter_id=ids[address].id,
                attribution="address", created_at=NOW))
    return store


def test_adding_by_hand_is_held_to_an_imports_terms(store: Store) -> None:
    """Added, then unchanged, then updated; refused for who left, for a bad address and for an impossible basis."""
    assert [join(store), join(store), join(store, fields={"town": "York"})] == ["added", "unchanged", "updated"]
    with pytest.raises(Refused, match="no email address"):
        join(store, email="alice")
    with pytest.raises(Refused, match="PECR"):
        join(store, basis=Basis.SOFT_OPT_IN)
    with store.writing() as connection:
        rights.unsubscribe(connection, address_hash=keyed_hash(ALICE, SECRET), address=ALICE, source="x", at=NOW)
    with pytest.raises(Refused, match=r"kept out \(unsubscribed\)"):
        join(store)


def test_one_persons_no_to_tracking_is_taken_at_its_word(store: Store) -> None:
    """What staff say of one person by hand withdraws tracking, which no later import gives again; letters still go."""
    join(store)
    assert [join(store, tracking=False), join(store, tracking=False), join(store)] == [
        "updated", "unchanged", "unchanged"]
    with store.reading() as connection:
        assert dict(map(tuple, connection.execute(select(consents.c.channel, consents.c.basis)))) == {
            "email": "consent", "tracking": "none"}


def test_an_unsubscribe_ends_everything_and_is_harmless_twice(store: Store) -> None:
    """Suppressed once, every consent ended with a line of history, nobody's candidate."""
    join(store)
    told = []
    for _ in range(2):
        with store.writing() as connection:
            told.append(rights.unsubscribe(connection, address_hash=keyed_hash(ALICE, SECRET), address=ALICE,
                                           source="one-click", at=NOW))
    assert told == [True, False]
    with store.reading() as connection:
        assert connection.execute(select(suppressions.c.reason, suppressions.c.source)).all() == [
            ("unsubscribed", "one-click")]
        assert set(connection.execute(select(consents.c.basis)).scalars()) == {"none"}
        ended = connection.execute(select(consent_changes.c.channel).where(consent_changes.c.after == "none")).scalars()
        assert sorted(ended) == ["email", "tracking"]
        assert audience.left_out(connection, Rule(lists=("main",)), {}) == {"unsubscribed": 1}


def test_a_bounce_says_nothing_of_consent(store: Store) -> None:
    """An address that does not work is suppressed; what its owner agreed to stays on record."""
    join(store)
    with store.writing() as connection:
        assert rights.suppress(connection, address_hash=keyed_hash(ALICE, SECRET), address=ALICE,
                               reason=SuppressionReason.BOUNCED, source="sendgrid", at=NOW)
        assert set(connection.execute(select(consents.c.basis)).scalars()) == {"consent"}


def test_an_export_holds_all_that_is_held(history: Store) -> None:
    """Everything of Alice, nothing of Bob, as JSON."""
    held = rights.export(history, secret=SECRET, email=" Alice@Example.org ")
    assert (held["known"], held["supporter"]["first_name"], held["supporter"]["fields"]) == (
        True, "Alice", {"town": "Leeds"})
    parts = ("lists", "consents", "consent_history", "messages", "events", "donations")
    assert [len(held[part]) for part in parts] == [1, 2, 2, 2, 1, 1]
    assert "ob@" not in json.dumps(held).replace("bob", "ob")
    assert rights.export(history, secret=SECRET, email="nobody@example.org")["known"] is False


def test_forgetting_leaves_a_keyed_hash_alone(history: Store) -> None:
    """No table holds a word of Alice afterwards; Bob is whole; the counts still add up."""
    found = rights.forget(history, secret=SECRET, email="Alice@example.org")
    assert (found.was_known, found.messages, found.events, found.donations, found.withdrawn) == (True, 2, 2, 1, 1)
    with history.reading() as connection:
        for name, table in metadata.tables.items():
            for row in connection.execute(select(table)):
                assert not [trace for trace in TRACES if trace in str(tuple(row))], f"{name} still knows her"
        hashed = keyed_hash(ALICE, SECRET)
        tables = {name: str(list(connection.execute(select(table)))) for name, table in metadata.tables.items()}
        assert [name for name, rows in tables.items() if hashed in rows] == ["suppressions"]
        kept = connection.execute(select(suppressions)).one()
        assert (kept.reason, kept.address, "rules 1" in kept.source) == ("erased", None, True)
        states = list(connection.execute(select(messages.c.state).order_by(messages.c.id)).scalars())
        assert states == ["accepted", "withdrawn", "accepted", "planned"]
        bob = connection.execute(select(messages).where(messages.c.id == 3)).one()
        assert bob.address == "bob@example.org"
        values = select(message_values.c["values"]).order_by(message_values.c.message_id)
        assert connection.execute(values).scalars().all() == ["[]", "[]", '["Bob"]', '["Bob"]']
        assert connection.execute(select(shapes.c.html).where(shapes.c.id == 1)).scalar_one() == "<p>x7f00012x</p>"
        assert connection.execute(select(donations.c.amount_minor)).scalars().all() == [2_500, 2_500]
        assert audience.left_out(connection, Rule(lists=("main",)), {}) == {"forgotten": 1}
        assert list(connection.execute(select(consents.c.supporter_id).distinct()).scalars()) == [2]
        assert connection.execute(select(audit.c.subject).where(audit.c.action == "supporters forget")).all()


def test_forgetting_reaches_the_files_of_sqlite(history: Store, tmp_path: Path) -> None:
    """Neither the database file nor its log holds her address any more."""
    if not history.is_sqlite:
        pytest.skip("PostgreSQL's files are its own; VACUUM frees them")
    rights.forget(history, secret=SECRET, email=ALICE)
    for file in tmp_path.glob("test.db*"):
        assert ALICE.encode() not in file.read_bytes().lower(), file.name


def test_a_stranger_can_be_forgotten(store: Store) -> None:
    """Who is on no list is kept out of every later one."""
    assert rights.forget(store, secret=SECRET, email=ALICE).was_known is False
    with pytest.raises(Refused, match="erased"):
        join(store)


def test_lists_at_a_glance(store: Store) -> None:
    """How many are on each list, and how many have left it."""
    join(store)
    join(store, email="bob@example.org")
    join(store, email="bob@example.org", list_name="other")
    with store.writing() as connection:
        main = list_store.find(connection, "main")
        assert main is not None
        bob = connection.execute(select(list_members.c.supporter_id).where(list_members.c.list_id != main)).scalar_one()
        assert [list_store.leave(connection, main, bob, NOW) for _ in range(2)] == [True, False]
        assert [(o.name, o.on_it, o.left) for o in list_store.overview(connection)] == [("main", 1, 1), ("other", 1, 0)]
