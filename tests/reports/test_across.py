"""A line for each mailing."""

from __future__ import annotations

from pillarbox.reports.across import all_mailings
from pillarbox.reports.figures import figures
from pillarbox.store.connect import Store
from tests.reports.builders import Builder
from tests.reports.samples import sample_mailing


def test_each_line_says_what_its_report_says(store: Store) -> None:
    """Counts, rate and money are those of the mailing's own report."""
    with store.writing() as connection:
        ids = [sample_mailing(connection, 150, name=name, seed=seed)
               for seed, name in enumerate(("first-20261123", "second-20261123"))]
        lines = {line.id: line for line in all_mailings(connection)}
        for mailing in ids:
            told, line = figures(connection, mailing), lines[mailing]
            assert (line.planned, line.accepted, line.delivered) == (told.planned, told.accepted, told.delivered)
            assert line.opened == told.rates["opened"]
            assert (line.donations, line.amount_pence) == (told.donations.count, told.donations.amount_pence)


def test_newest_first_and_practice_marked(store: Store) -> None:
    """The last mailing leads; one without messages has zeros and no rate."""
    with store.writing() as connection:
        Builder(connection, name="older-20261123")
        Builder(connection, name="newer-20261123", practice=True)
        lines = all_mailings(connection)
    assert [(line.name, line.practice, line.planned, line.opened) for line in lines] == [
        ("newer-20261123", True, 0, None), ("older-20261123", False, 0, None)]
    assert lines[0].to_json()["opened"] is None
