"""When it happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pillarbox.model.states import Agent, Attribution, EventKind, Outcome
from pillarbox.reports import timeline as module
from pillarbox.reports.figures import figures
from pillarbox.reports.timeline import Series, Step, timeline
from pillarbox.store.connect import Store
from tests.reports.builders import HOUR, LAUNCH, Builder
from tests.reports.samples import sample_mailing


def test_nothing_heard_is_an_empty_timeline(store: Store) -> None:
    """Without events and gifts there is nothing to draw."""
    with store.writing() as connection:
        built = Builder(connection)
        built.message()
        assert timeline(connection, built.mailing_id).buckets == ()


def test_a_message_counts_when_it_first_happened(store: Store) -> None:
    """Opening again in later hours does not count again; quiet hours between are there with zeros."""
    with store.writing() as connection:
        built = Builder(connection)
        message = built.message()
        built.event(message, EventKind.DELIVERED, after=timedelta())
        for hour in (2, 3, 3):
            built.opened(message, after=hour * HOUR)
        found = timeline(connection, built.mailing_id)
    assert found.step is Step.HOUR
    assert [bucket.counts[Series.OPENED_HUMAN] for bucket in found.buckets] == [0, 0, 1]
    assert found.total(Series.DELIVERED) == 1


def test_a_machine_that_came_first_is_not_the_reader(store: Store) -> None:
    """When a machine and later a person opened, the person's hour counts, and the machine's not at all."""
    with store.writing() as connection:
        built = Builder(connection)
        message = built.message()
        built.opened(message, after=timedelta(), agent=Agent.MACHINE)
        built.opened(message, after=2 * HOUR)
        found = timeline(connection, built.mailing_id)
    assert found.total(Series.OPENED_MACHINE) == 0
    assert found.total(Series.OPENED_HUMAN) == 1
    assert found.buckets[0].start == LAUNCH + 2 * HOUR


def test_days_begin_at_local_midnight(store: Store) -> None:
    """23:30 UTC in a British summer belongs to the next day."""
    with store.writing() as connection:
        built = Builder(connection)
        late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC) - LAUNCH
        built.gift(10_00, after=late)
        built.gift(5_00, after=late + timedelta(days=10))
        found = timeline(connection, built.mailing_id)
    assert found.step is Step.DAY
    assert (found.buckets[0].start.day, found.buckets[0].amount_pence) == (2, 10_00)
    assert found.buckets[-1].amount_pence == 5_00
    assert len(found.buckets) == 11


def test_the_hour_that_happens_twice_is_two_hours(store: Store) -> None:
    """When summer time ends no gift is counted twice or lost."""
    with store.writing() as connection:
        built = Builder(connection)
        for minutes in (0, 60, 120):
            built.gift(1_00, after=datetime(2026, 10, 25, 0, 10, tzinfo=UTC) - LAUNCH + timedelta(minutes=minutes))
        found = timeline(connection, built.mailing_id)
    assert [bucket.amount_pence for bucket in found.buckets] == [100, 100, 100]
    assert [bucket.start.hour for bucket in found.buckets] == [1, 1, 2]


def test_a_long_time_is_told_by_the_week(store: Store) -> None:
    """A gift half a year later does not make a thousand bars."""
    with store.writing() as connection:
        built = Builder(connection)
        built.gift(10_00)
        built.gift(10_00, after=timedelta(days=180))
        found = timeline(connection, built.mailing_id)
    assert found.step is Step.WEEK
    assert len(found.buckets) == 26
    assert sum(bucket.counts[Series.DONATIONS] for bucket in found.buckets) == 2


def test_totals_are_those_of_the_figures(store: Store) -> None:
    """Time and figures tell the same story: every series adds up to its figure."""
    with store.writing() as connection:
        mailing = sample_mailing(connection, 400)
        found, told = timeline(connection, mailing), figures(connection, mailing)
    assert found.total(Series.DELIVERED) == told.delivered > 0
    assert found.total(Series.OPENED_HUMAN) == told.opened_human > 0
    assert found.total(Series.OPENED_MACHINE) == told.opened_machine > 0
    assert found.total(Series.CLICKED) == told.clicked_human > 0
    assert found.total(Series.DONATIONS) == told.donations.count > 0
    assert sum(bucket.amount_pence for bucket in found.buckets) == told.donations.amount_pence


def test_untracked_opens_and_bounced_deliveries_stay_out(store: Store) -> None:
    """What the figures do not count is not drawn either."""
    with store.writing() as connection:
        built = Builder(connection)
        built.opened(built.message(tracked=False))
        built.event(built.message(outcome=Outcome.BOUNCED), EventKind.DELIVERED)
        assert timeline(connection, built.mailing_id).buckets == ()


def test_many_gifts_are_summed(store: Store) -> None:
    """Above the limit gifts come as hourly sums, so that no page holds thousands of dots."""
    with store.writing() as connection:
        built = Builder(connection)
        for n in range(module.MOST_GIFTS + 1):
            built.gift(1_00, after=HOUR * (n % 2))
        found = timeline(connection, built.mailing_id).gifts
    assert [gift.pence for gift in found] == [201_00, 200_00]
    assert found[0].attribution is None


def test_gifts_keep_their_evidence(store: Store) -> None:
    """A single gift says how it was tied to the mailing."""
    with store.writing() as connection:
        built = Builder(connection)
        built.gift(1_00, attribution=Attribution.ADDRESS)
        assert timeline(connection, built.mailing_id).gifts[0].attribution is Attribution.ADDRESS
