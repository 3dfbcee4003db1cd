"""Leaving, and thinking better of it: fewer instead, or all as it was; a forwarded letter brings nobody back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from pillarbox.ground import clock
from pillarbox.model.states import Basis, SuppressionReason
from pillarbox.people import audience
from pillarbox.people.audience import Rule
from pillarbox.store import schema
from pillarbox.store.connect import Store
from tests import builders
from tests.web.site import TestClient, rows
from tests.web.wishing import alice, client, hidden, standing

NOW = datetime(2026, 12, 15, 9, 0, tzinfo=UTC)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def here(store: Store) -> Iterator[tuple[TestClient, Store, str]]:
    """On each engine in turn: the application, its database, and the key of Alice's letter."""
    with store.writing() as connection:
        key = alice(connection)
    with client(store) as web, clock.freeze(NOW):
        yield web, store, key


def test_undo_brings_back_exactly_what_stood(here: tuple[TestClient, Store, str]) -> None:
    """Consents word for word with their days, no suppression, and a history that tells both."""
    web, store, key = here
    before = standing(store)
    answer = web.post(f"/u/{key}", data={"leave": "yes"})
    assert "Was it too many?" in answer.text
    assert standing(store) != before
    answer = web.post(f"/u/{key}/undo", data={"undo": hidden(answer.text, "undo")})
    assert "All is as it was before" in answer.text
    assert standing(store) == before
    history = rows(store, schema.consent_changes.c.channel, schema.consent_changes.c.after,
                   schema.consent_changes.c.source)
    assert sorted(history) == [
        ("email", "consent", "taken back by the supporter"), ("email", "none", "pillarbox: unsubscribed"),
        ("tracking", "consent", "taken back by the supporter"), ("tracking", "none", "pillarbox: unsubscribed")]


@pytest.mark.parametrize(("sent", "frequency", "paused", "lists"), [
    ({"fewer": "newsletters"}, "newsletters", None, {1, 2, 3}),
    ({"fewer": "pause"}, "everything", datetime(2027, 3, 15, tzinfo=UTC), {1, 2, 3}),
    ({"fewer": "lists", "list": ["campaigns"]}, None, None, {2, 3}),
    ({"fewer": "lists", "list": ["campaigns", "events"]}, None, None, {2, 3}),
])
def test_fewer_instead(here: tuple[TestClient, Store, str], sent: dict[str, Any], frequency: str | None,
                       paused: datetime | None, lists: set[int]) -> None:
    """The leaving is taken back and the choice put on top; a list never joined is not joined by this."""
    web, store, key = here
    consents = standing(store)["consents"]
    token = hidden(web.post(f"/u/{key}", data={"leave": "yes"}).text, "undo")
    answer = web.post(f"/u/{key}/fewer", data={**sent, "undo": token})
    assert "Thank you for staying" in answer.text
    after = standing(store)
    assert (after["consents"], after["suppressions"]) == (consents, [])
    assert rows(store, schema.wishes.c.frequency, schema.wishes.c.paused_until) == (
        [(frequency, paused)] if frequency else [])
    with store.reading() as connection:
        assert set(connection.execute(select(schema.list_members.c.list_id).where(
            schema.list_members.c.left_at.is_(None))).scalars()) == lists
    assert web.post(f"/u/{key}/fewer", data={**sent, "undo": token}).status_code == 200  # a second press: the same
    assert standing(store)["wishes"] == after["wishes"]


@pytest.mark.parametrize("sent", [{"fewer": "lists"}, {"fewer": "lists", "list": "main"}, {"fewer": "all"}, {}])
def test_fewer_of_nothing_changes_nothing(here: tuple[TestClient, Store, str], sent: dict[str, str]) -> None:
    """No list ticked, a list that is not open to choice, a word that is none of ours."""
    web, store, key = here
    token = hidden(web.post(f"/u/{key}", data={"leave": "yes"}).text, "undo")
    before = standing(store)
    assert web.post(f"/u/{key}/fewer", data={**sent, "undo": token}).status_code in (400, 422)
    assert standing(store) == before


def test_a_forwarded_letter_brings_nobody_back(here: tuple[TestClient, Store, str]) -> None:
    """Alice left; whoever has her letter can look, leave again, undo with what they see or make up: she is out."""
    web, store, key = here
    hers = hidden(web.post(f"/u/{key}", data={"leave": "yes"}).text, "undo")
    before = standing(store)
    again = web.post(f"/u/{key}", data={"leave": "yes", "once": "a" * 30})
    assert 'name="undo"' not in again.text
    for token in ("", "a" * 30):
        for path, sent in (("undo", {}), ("fewer", {"fewer": "newsletters"})):
            assert web.post(f"/u/{key}/{path}", data={"undo": token, **sent}).status_code == 409, (token, path)
    assert web.post(f"/p/{key}", data={"frequency": "everything"}).status_code == 200
    assert web.post(f"/p/{key}/link").status_code == 200
    assert standing(store) == before
    assert rows(store, schema.service_letters.c.kind) == []
    # What they did changed nothing: her own page, which she has open still, takes back what she did.
    assert web.post(f"/u/{key}/undo", data={"undo": hers}).status_code == 200
    assert standing(store) != before


def test_a_providers_one_click_leaves_the_open_page_good(here: tuple[TestClient, Store, str]) -> None:
    """She left by the page, and by her mail program's button too: the page's undo still works."""
    web, store, key = here
    before = standing(store)
    undo = hidden(web.post(f"/u/{key}", data={"leave": "yes"}).text, "undo")
    assert web.post(f"/u/{key}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert web.post(f"/u/{key}/undo", data={"undo": undo}).status_code == 200
    assert standing(store) == before


def test_a_button_pressed_twice_can_still_be_taken_back(here: tuple[TestClient, Store, str]) -> None:
    """A double click on one page: the second answer is the one that is seen, and its undo works."""
    web, store, key = here
    before = standing(store)
    sent = {"leave": "yes", "once": hidden(web.get(f"/u/{key}").text, "once")}
    web.post(f"/u/{key}", data=sent)
    web.post(f"/u/{key}/undo", data={"undo": hidden(web.post(f"/u/{key}", data=sent).text, "undo")})
    assert standing(store) == before


def test_undo_does_not_overrule_a_later_word(here: tuple[TestClient, Store, str]) -> None:
    """She left, then marked the letter as spam: what the complaint did stays."""
    web, store, key = here
    token = hidden(web.post(f"/u/{key}", data={"leave": "yes"}).text, "undo")
    with store.writing() as connection:
        hashed = connection.execute(select(schema.supporters.c.address_hash)).scalar_one()
        connection.execute(schema.suppressions.insert().values(
            address_hash=hashed, reason=SuppressionReason.COMPLAINED, source="sendgrid", since=NOW))
    web.post(f"/u/{key}/undo", data={"undo": token})
    assert rows(store, schema.suppressions.c.reason) == [("complained",)]
    with store.reading() as connection:
        assert audience.left_out(connection, Rule(lists=("main",)), {}) == {"complained": 1}


def test_leaving_by_an_old_letter_reaches_the_new_address(here: tuple[TestClient, Store, str]) -> None:
    """Her address changed since: she leaves as a person, wherever she is reached."""
    web, store, key = here
    with store.writing() as connection:
        connection.execute(update(schema.supporters).values(address="new@example.org", address_hash=builders.keyed_hash(
            "new@example.org", builders.SECRET)))
    before = standing(store)
    answer = web.post(f"/u/{key}", data=ONE_CLICK)
    assert sorted(rows(store, schema.suppressions.c.address)) == [("alice@example.org",), ("new@example.org",)]
    assert {row[0] for row in rows(store, schema.consents.c.basis)} == {Basis.NONE}
    web.post(f"/u/{key}/undo", data={"undo": hidden(answer.text, "undo")})
    assert standing(store) == before


def test_the_pass_is_kept_as_a_hash(here: tuple[TestClient, Store, str]) -> None:
    """Who reads the database cannot take anything back; and it is of more than 128 bits."""
    web, store, key = here
    token = hidden(web.post(f"/u/{key}", data={"leave": "yes"}).text, "undo")
    assert len(token) == 30
    assert all(token not in str(row) for row in rows(store, *schema.passes.c))
