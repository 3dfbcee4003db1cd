"""A report counts what stayed, and tells beside it what was promised and what went back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rich.console import Console
from sqlalchemy import insert

from pillarbox.reports import report, terminal
from pillarbox.reports.across import all_mailings
from pillarbox.reports.figures import figures
from pillarbox.reports.pledged import Pledged, pledged
from pillarbox.store import schema
from pillarbox.store.connect import Store
from tests import builders
from tests.builders import SENT_AT


def gift(number: int, *, amount: int = 1_000, refunded: int = 0, **more: Any) -> dict[str, Any]:
    return {"amount_minor": amount, "refunded_minor": refunded, "currency": "GBP", "source": "stripe",
            "received_at": SENT_AT + timedelta(hours=number), "external_id": f"pi_{number}", "gift_aid": False,
            "regular": False, "mailing_id": 1, "attribution": "link-code", "created_at": SENT_AT, **more}


def pledge(number: int, state: str, **more: Any) -> dict[str, Any]:
    return {"source": "stripe", "external_id": f"sub_{number}", "state": state, "amount_minor": 1_000,
            "currency": "GBP", "unit": "month", "every": 1, "yearly_minor": 12_000, "started_at": SENT_AT,
            "mailing_id": 1, "attribution": "link-code", "created_at": SENT_AT, **more}


def filled(store: Store) -> None:
    with store.writing() as connection:
        message = builders.message(connection, builders.mailing(connection), builders.supporter(connection),
                                   outcome="delivered")
        for row in (gift(1), gift(2, refunded=400), gift(3, refunded=1_000, message_id=message),
                    gift(4, gift_aid=True)):
            connection.execute(insert(schema.donations).values(**row))
        for each in (pledge(1, "active"), pledge(2, "paused"), pledge(3, "ended"),
                     pledge(4, "active", currency="EUR", failed_at=SENT_AT)):
            connection.execute(insert(schema.pledges).values(**each))


def test_figures_are_net_of_what_went_back(store: Store) -> None:
    """A part that went back is taken off; what went back whole is no donation, and its giver gave nothing."""
    filled(store)
    with store.reading() as connection:
        found = figures(connection, 1)
        assert (found.donations.count, found.donations.amount_pence, found.gave) == (3, 2_600, 0)
        assert found.donations.gift_aid_pence == 250
        line = all_mailings(connection)[0]
        assert (line.donations, line.amount_pence) == (3, 2_600)
        assert sum(bucket.amount_pence for bucket in report.gather(connection, 1).timeline.buckets) == 2_600


def test_pledges_stand_apart(store: Store) -> None:
    """With their worth in a year: of active ones, in pounds; the stable keys of the JSON stay as they were."""
    filled(store)
    with store.reading() as connection:
        assert pledged(connection, 1) == Pledged(pledges=3, yearly_pence=12_000, ended=1, failing=1, given_back=2,
                                                 given_back_pence=1_400)
        assert set(figures(connection, 1).to_json()["donations"]) == {
            "count", "amount_pence", "gift_aid_pence", "donors", "pledges", "other_currencies"}


def test_the_words_that_staff_read(store: Store) -> None:
    """On the screen: what was pledged, and that what went back is not in the sums."""
    filled(store)
    out = Console(width=120, record=True, force_terminal=False)
    with store.reading() as connection:
        terminal.show(report.gather(connection, 1), out)
    words = out.export_text()
    assert "3 regular gifts pledged, worth £120 a year if they go on" in words
    assert "£14 went back to 2 givers, and is not in these sums" in words


def test_nothing_is_said_of_nothing(store: Store) -> None:
    """A mailing without pledges and refunds has no such line."""
    with store.writing() as connection:
        builders.mailing(connection)
    with store.reading() as connection:
        assert pledged(connection, 1).sentences() == ()
