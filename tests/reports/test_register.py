"""The list of a mailing's messages: found, turned over, and never another mailing's."""

from __future__ import annotations

import pytest

from pillarbox.ground.address import keyed_hash
from pillarbox.model.states import Agent, EventKind, MessageState, Outcome
from pillarbox.reports import register
from pillarbox.store.connect import Store
from tests.builders import SECRET
from tests.reports.builders import HOUR, Builder


def test_a_list_is_turned_over_in_the_order_of_planning(store: Store) -> None:
    """Each message once, whatever its state, a page at a time."""
    with store.writing() as connection:
        built = Builder(connection)
        ids = [built.message(state=state, outcome=outcome, tracked=bool(n % 2)) for n, (state, outcome) in enumerate([
            (MessageState.ACCEPTED, Outcome.DELIVERED), (MessageState.FAILED, Outcome.NONE),
            (MessageState.ACCEPTED, Outcome.BOUNCED), (MessageState.IN_DOUBT, Outcome.NONE),
            (MessageState.ACCEPTED, Outcome.DELIVERED)])]
        Builder(connection, name="another").message()
    with store.reading() as connection:
        first = register.page(connection, built.mailing_id, most=3)
        second = register.page(connection, built.mailing_id, after=first[-1].id, most=3)
        assert [entry.id for entry in (*first, *second)] == ids
        back = register.page(connection, built.mailing_id, shown="came-back", most=9)
        assert [(entry.id, entry.standing) for entry in back] == [(ids[2], "Bounced")]
        doubt = register.page(connection, built.mailing_id, shown="in-doubt", most=9)
        assert [(entry.id, entry.standing) for entry in doubt] == [(ids[3], "Not sure it went")]


@pytest.mark.parametrize(("wanted", "found"), [
    ("alice@example.org", ["alice@example.org"]), (" ALICE@example.org ", ["alice@example.org"]),
    ("ample.org", ["alice@example.org", "a_b@example.org", "ab@example.org"]), ("%", []), ("_", ["a_b@example.org"]),
    ("a%b", []), ("*", []), ("", []), ("'; DROP TABLE messages; --", []), ("nobody@example.org", []),
    ("\\", []), ("lice@example.org", ["alice@example.org"])])
def test_an_address_is_found_whole_or_in_part_and_nothing_is_a_wildcard(store: Store, wanted: str,
                                                                        found: list[str]) -> None:
    """Percent, underscore, star and quotes mean themselves."""
    with store.writing() as connection:
        built = Builder(connection)
        for address in ("alice@example.org", "a_b@example.org", "ab@example.org"):
            built.message(address=address, address_hash=keyed_hash(address, SECRET))
        Builder(connection, name="another").message(address="zoe@example.org")
    with store.reading() as connection:
        entries = register.search(connection, built.mailing_id, wanted, SECRET, most=9)
    assert [entry.address for entry in entries] == found


def test_a_message_of_another_mailing_is_not_told(store: Store) -> None:
    """Whose number is guessed learns nothing."""
    with store.writing() as connection:
        built = Builder(connection)
        other = Builder(connection, name="another").message()
    with store.reading() as connection:
        assert register.told(connection, built.mailing_id, other) is None
        assert register.kept(connection, built.mailing_id, other) is None


def test_a_message_tells_its_events_in_order_in_plain_words(store: Store) -> None:
    """Oldest first; machines named; no address within what the provider says; no key in a link."""
    with store.writing() as connection:
        built = Builder(connection)
        message = built.message(outcome=Outcome.BOUNCED)
        built.clicked(message, f"https://donate.example.org/give/{'a' * 30}?ref=k", after=3 * HOUR)
        built.opened(message, after=2 * HOUR, agent=Agent.MACHINE)
        built.event(message, EventKind.BOUNCED, after=HOUR, reason="550 5.1.1 <alice@example.org>: unknown")
    with store.reading() as connection:
        told = register.told(connection, built.mailing_id, message)
    assert told is not None
    assert [event.what for event in told.events] == ["Bounced", "Opened", "Link followed"]
    bounced, opened, clicked = told.events
    assert (bounced.reason, bounced.provider_says) == ("No such mailbox", "550 5.1.1 <(address)>: unknown")
    assert opened.by_machine
    assert clicked.link == "donate.example.org/give/…"


def test_what_a_reader_did_is_not_known_without_consent(store: Store) -> None:
    """Unknown is not no."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message(tracked=False)
        built.opened(built.message())
        built.message()
    with store.reading() as connection:
        entries = register.page(connection, built.mailing_id, most=9)
    assert [entry.read for entry in entries] == ["not known", "opened", ""]
