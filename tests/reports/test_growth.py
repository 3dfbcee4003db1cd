"""Lists over time: who joined, left and bounced; who is silent, and of whom that cannot be known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from pillarbox.ground import clock
from pillarbox.model.states import Basis, SuppressionReason
from pillarbox.reports import growing, growth
from pillarbox.store.connect import Store
from pillarbox.store.schema import list_members, messages, suppressions
from tests.reports.builders import Builder
from tests.web.asking import join

NOW = datetime(2026, 12, 15, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def december(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three weeks after the launch."""
    monkeypatch.setattr(clock, "now", lambda: NOW)


def test_months_have_no_gaps_and_add_up(store: Store) -> None:
    """On it at the end = joined - left - bounced, of all months so far."""
    with store.writing() as connection:
        for n, moment in enumerate(("2026-08-31T23:30", "2026-09-01T10:00", "2026-11-20T10:00")):
            who = join(connection, "news", f"{n}@example.org")
            connection.execute(update(list_members).where(list_members.c.supporter_id == who).values(
                joined_at=datetime.fromisoformat(moment).replace(tzinfo=UTC)))
        gone = join(connection, "news", "gone@example.org", suppressed=SuppressionReason.COMPLAINED)
        connection.execute(update(suppressions).values(since=datetime(2026, 12, 1, 12, tzinfo=UTC)))
        assert gone
    with store.reading() as connection:
        found = growth.growth(connection, 1)
    assert found is not None
    # The first joined on 1 September, by London's clocks.
    assert [(f"{m.start:%Y-%m}", m.joined, m.left, m.bounced, m.on_it) for m in found.months] == [
        ("2026-09", 2, 0, 0, 2), ("2026-10", 0, 0, 0, 2), ("2026-11", 2, 0, 0, 4), ("2026-12", 0, 1, 0, 3)]
    drawn = growing.draw(found)
    assert drawn is not None
    assert drawn.rows[0] == ("December 2026", "0", "1", "0", "3")


def test_a_word_of_ones_own_weighs_more_than_a_bounce(store: Store) -> None:
    """Nobody is counted as gone twice."""
    with store.writing() as connection:
        join(connection, "news", "a@example.org", suppressed=SuppressionReason.BOUNCED)
        both = join(connection, "news", "b@example.org", suppressed=SuppressionReason.BOUNCED)
        connection.execute(suppressions.insert().from_select(
            ["address_hash", "address", "reason", "source", "since"],
            suppressions.select().with_only_columns(
                suppressions.c.address_hash, suppressions.c.address, _text("unsubscribed"), suppressions.c.source,
                suppressions.c.since).where(suppressions.c.address == "b@example.org")))
        assert both
    with store.reading() as connection:
        [health] = growth.health(connection)
    assert (health.on_it, health.left, health.bounced) == (0, 1, 1)


def test_who_is_silent_is_told_only_of_those_who_can_be_known(store: Store) -> None:
    """Tracking agreed to, on the list for a year, mailed since: opened, gave, or neither."""
    with store.writing() as connection:
        built = Builder(connection)
        people = {name: join(connection, "news", f"{name}@example.org", consent=Basis.CONSENT,
                             tracking=name != "unasked")
                  for name in ("reader", "giver", "silent", "unasked", "new", "unmailed")}
        connection.execute(update(list_members).where(list_members.c.supporter_id != people["new"]).values(
            joined_at=NOW - timedelta(days=500)))
        for name, who in people.items():
            if name != "unmailed":
                message = built.message(tracked=name != "unasked", address=f"{name}@mail.example.org")
                connection.execute(update(messages).where(messages.c.id == message).values(supporter_id=who))
                if name == "reader":
                    built.opened(message)
        built.gift(10_00, supporter_id=people["giver"])
    with store.reading() as connection:
        [health] = growth.health(connection)
    assert (health.on_it, health.tracking, health.watched, health.silent) == (6, 5, 3, 1)


def _text(value: str) -> object:
    from sqlalchemy import literal

    return literal(value)
