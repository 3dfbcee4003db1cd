"""The figures of a mailing are honest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pillarbox.ground.errors import Refused
from pillarbox.model.states import Agent, Attribution, EventKind, MessageState, Outcome
from pillarbox.reports.figures import HEARD_MARK, Figures, figures
from pillarbox.store.connect import Store
from tests.reports.builders import HOUR, LAUNCH, Builder, address_hash

KEYS = ["mailing", "practice", "heard_until", "planned", "accepted", "delivered", "bounced", "blocked", "dropped",
        "tracked", "opened", "clicked", "unsubscribed", "complained", "donations", "rates"]


def counted(built: Builder) -> Figures:
    return figures(built.connection, built.mailing_id)


def test_the_keys_are_the_contract(store: Store) -> None:
    """``report --json`` has exactly the promised keys, in the promised shapes."""
    with store.writing() as connection:
        built = Builder(connection)
        built.opened(built.message())
        found = counted(built).to_json()
    assert list(found) == KEYS
    assert list(found["opened"]) == ["human", "machine"]
    assert list(found["clicked"]) == ["human", "scanner"]
    assert list(found["donations"]) == ["count", "amount_pence", "gift_aid_pence", "donors", "pledges",
                                        "other_currencies"]
    assert set(found["rates"]["opened"]) == {"value", "of", "low", "high"}


def test_a_mailing_without_messages_has_no_rates(store: Store) -> None:
    """With nothing sent every rate is null, and nothing divides by zero."""
    with store.writing() as connection:
        found = counted(Builder(connection)).to_json()
    assert found["heard_until"] is None
    assert set(found["rates"].values()) == {None}
    assert found["donations"] == {"count": 0, "amount_pence": 0, "gift_aid_pence": 0, "donors": 0, "pledges": 0,
                                  "other_currencies": {}}


def test_messages_are_counted_not_events(store: Store) -> None:
    """Someone who opens five times is one open."""
    with store.writing() as connection:
        built = Builder(connection)
        message = built.message()
        for _ in range(5):
            built.opened(message)
            built.clicked(message)
            built.event(message, EventKind.UNSUBSCRIBED)
        found = counted(built)
    assert (found.opened_human, found.clicked_human, found.unsubscribed) == (1, 1, 1)


def test_machines_stand_apart(store: Store) -> None:
    """A message that a machine and then a person opened is a person's; one that only machines opened is theirs."""
    with store.writing() as connection:
        built = Builder(connection)
        both, machine_only = built.message(), built.message()
        for message in (both, machine_only):
            built.opened(message, agent=Agent.MACHINE)
            built.clicked(message, agent=Agent.MACHINE)
        built.opened(both)
        built.clicked(both)
        found = counted(built)
    assert (found.opened_human, found.opened_machine) == (1, 1)
    assert (found.clicked_human, found.clicked_scanner) == (1, 1)


def test_opens_are_a_share_of_those_who_agreed(store: Store) -> None:
    """The open rate's denominator is delivered messages whose supporters agreed to tracking, never all."""
    with store.writing() as connection:
        built = Builder(connection)
        built.opened(built.message(tracked=True))
        built.message(tracked=True)
        for _ in range(8):
            built.message(tracked=False)
        built.message(tracked=True, outcome=Outcome.BOUNCED)
        found = counted(built)
    assert (found.delivered, found.tracked, found.tracked_delivered) == (10, 3, 2)
    opened = found.rates["opened"]
    assert opened is not None
    assert (opened.part, opened.of, opened.value) == (1, 2, 0.5)


def test_an_open_without_consent_is_an_alarm_not_a_figure(store: Store) -> None:
    """An open by someone who did not agree to tracking is not counted as one, but told."""
    with store.writing() as connection:
        built = Builder(connection)
        built.opened(built.message(tracked=False))
        found = counted(built)
    assert (found.opened_human, found.untracked_opened) == (0, 1)


def test_an_open_of_a_bounced_message_keeps_the_rate_a_part(store: Store) -> None:
    """An open of a message that bounced later counts, but is no part of the delivered."""
    with store.writing() as connection:
        built = Builder(connection)
        built.opened(built.message(outcome=Outcome.BOUNCED))
        built.message()
        found = counted(built)
    assert found.opened_human == 1
    opened = found.rates["opened"]
    assert opened is not None
    assert (opened.part, opened.of) == (0, 1)


def test_the_states_add_up(store: Store) -> None:
    """planned = accepted + failed + in doubt + cancelled + withdrawn + remaining."""
    with store.writing() as connection:
        built = Builder(connection)
        for number, state in enumerate(MessageState, start=1):
            for _ in range(number):
                built.message(state=state, outcome=Outcome.NONE)
        found = counted(built)
    assert found.planned == 28
    assert found.remaining == 3
    assert found.planned == (found.accepted + found.failed + found.in_doubt + found.cancelled + found.withdrawn
                             + found.remaining)
    assert found.silent == found.accepted == 3


def test_gift_aid_is_a_quarter_of_pounds_given_with_it(store: Store) -> None:
    """25p for each pound marked for Gift Aid, nothing for the others or for euros."""
    with store.writing() as connection:
        built = Builder(connection)
        built.gift(100_00, gift_aid=True)
        built.gift(40_00)
        built.gift(50_00, currency="EUR", gift_aid=True)
        found = counted(built).donations
    assert (found.count, found.amount_pence, found.gift_aid_pence) == (3, 140_00, 25_00)
    assert found.other_currencies == {"EUR": 50_00}


def test_donors_are_people(store: Store) -> None:
    """Two gifts of one supporter are one donor, also when one of them came with the address only."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message(address="alice@example.org")
        supporter = built.connection.exec_driver_sql("SELECT supporter_id FROM messages").scalar_one()
        built.gift(10_00, supporter_id=supporter)
        built.gift(10_00, address_hash=address_hash("alice@example.org"), regular=True)
        built.gift(10_00, address_hash=address_hash("bob@example.org"))
        built.gift(10_00)
        found = counted(built)
    assert (found.donations.count, found.donations.donors, found.donations.pledges) == (4, 3, 1)
    gave = found.rates["gave"]
    assert gave is not None
    assert (gave.part, gave.of) == (1, 1)


def test_the_evidence_is_kept(store: Store) -> None:
    """How each donation was tied to the mailing adds up to what it raised."""
    with store.writing() as connection:
        built = Builder(connection)
        built.gift(10_00, attribution=Attribution.LINK_CODE)
        built.gift(20_00, attribution=Attribution.LINK_CODE)
        built.gift(5_00, attribution=Attribution.ADDRESS)
        found = counted(built).donations.attribution
    assert list(found) == list(Attribution)
    assert (found[Attribution.LINK_CODE].count, found[Attribution.LINK_CODE].amount_pence) == (2, 30_00)
    assert found[Attribution.ADDRESS].amount_pence == 5_00
    assert found[Attribution.SOURCE_CODE].count == 0


def test_pounds_per_letter(store: Store) -> None:
    """What was raised, divided by letters delivered, in pounds."""
    with store.writing() as connection:
        built = Builder(connection)
        for _ in range(4):
            built.message()
        built.gift(10_00)
        rate = counted(built).rates["pounds_per_letter"]
    assert rate is not None
    assert (rate.value, rate.of) == (2.5, 4)
    assert rate.low < 2.5 < rate.high


def test_heard_until_is_the_newest_that_the_provider_told(store: Store) -> None:
    """What was heard of any mailing counts, also when nothing came of this one; when it happened, not when we heard."""
    with store.writing() as connection:
        built = Builder(connection)
        message = built.message()
        built.mark(HEARD_MARK.format(provider="sendgrid"), LAUNCH + 5 * HOUR)
        assert counted(built).heard_until == LAUNCH + 5 * HOUR
        built.opened(message, after=timedelta(hours=9), received_at=LAUNCH + 90 * HOUR)
        assert counted(built).to_json()["heard_until"] == "2026-11-23T19:00:00+00:00"


def test_what_was_heard_before_the_launch_says_nothing(store: Store) -> None:
    """An older mailing's events, or another provider's, do not make this one seem heard of."""
    with store.writing() as connection:
        built = Builder(connection)
        built.mark(HEARD_MARK.format(provider="sendgrid"), LAUNCH - HOUR)
        built.mark(HEARD_MARK.format(provider="another"), LAUNCH + HOUR)
        assert counted(built).heard_until is None


def test_what_was_told_of_the_mailing_itself_was_heard(store: Store) -> None:
    """Events say whole seconds, and a provider's clock may be behind: a delivery proves that something was heard."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message(outcome=Outcome.DELIVERED)
        built.mark(HEARD_MARK.format(provider="sendgrid"), LAUNCH - timedelta(seconds=1))
        assert counted(built).heard_until == LAUNCH - timedelta(seconds=1)


def test_other_mailings_do_not_leak_in(store: Store) -> None:
    """What happened to another mailing is not ours."""
    with store.writing() as connection:
        other = Builder(connection, name="other-20261123")
        message = other.message()
        other.opened(message)
        other.gift(10_00)
        found = counted(Builder(connection))
    assert (found.planned, found.opened_human, found.donations.count) == (0, 0, 0)


def test_an_unknown_mailing_is_refused(store: Store) -> None:
    """Asking for what is not there says so."""
    with store.reading() as connection, pytest.raises(Refused, match="no mailing"):
        figures(connection, 99)
