"""Mailings at a glance: the numbers are those of a full count."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from pillarbox.ground import clock
from pillarbox.model.states import MailingState, MessageState
from pillarbox.reports.glance import glances, progress
from pillarbox.store import mailings
from pillarbox.store.connect import Store
from pillarbox.store.schema import donations
from tests import builders

ONE_OF_EACH = tuple(MessageState)


@pytest.mark.parametrize("state", [state for state in MailingState if state is not MailingState.COMPOSING])
def test_the_states_add_up_in_every_state_of_a_mailing(store: Store, state: MailingState) -> None:
    """Whether all are counted or what is done is told from what is not: the same numbers."""
    with store.writing() as connection:
        made = builders.mailing(connection, state=state, planned=9)
        for number, each in enumerate((*ONE_OF_EACH, MessageState.ACCEPTED, MessageState.ACCEPTED)):
            builders.message(connection, made, builders.supporter(connection, f"s{number}@example.org"), state=each)
        found = progress(connection, mailings.by_id(connection, made))
    assert (found.accepted, found.failed, found.in_doubt, found.cancelled, found.withdrawn, found.remaining) == (
        3, 1, 1, 1, 1, 2)
    assert found.settled == 7
    assert found.share == pytest.approx(7 / 9)


def test_what_was_raised_is_each_mailings_own_and_in_pounds(store: Store) -> None:
    """Other currencies count as gifts, never as pounds; mailings still composed are not shown."""
    with store.writing() as connection:
        first, second = builders.mailing(connection, "one"), builders.mailing(connection, "two", practice=True)
        builders.mailing(connection, "three", state=MailingState.COMPOSING)
        for number, (mailing, amount, currency) in enumerate(
                ((first, 2_000, "GBP"), (first, 550, "GBP"), (first, 900, "EUR"), (second, 100, "GBP"),
                 (None, 7, "GBP"))):
            connection.execute(insert(donations).values(
                amount_minor=amount, currency=currency, received_at=clock.now(), source="csv", external_id=str(number),
                gift_aid=False, regular=False, mailing_id=mailing, attribution="none", created_at=clock.now()))
        found = glances(connection, most=10)
        older = glances(connection, most=1, before=second)
    assert [(each.mailing.name, each.gifts, each.raised_pence) for each in found] == [
        ("two", 1, 100), ("one", 3, 2_550)]
    assert [each.mailing.name for each in older] == ["one"]
