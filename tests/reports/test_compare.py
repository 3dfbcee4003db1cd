"""Comparing mailings: honest words on what the ranges allow."""

from __future__ import annotations

import pytest

from pillarbox.reports import comparing
from pillarbox.reports.compare import compare, verdict
from pillarbox.reports.rates import Rate
from pillarbox.store import mailings
from pillarbox.store.connect import Store
from tests.reports.builders import Builder
from tests.reports.samples import sample_mailing


def rate(low: float, value: float, high: float) -> Rate:
    """A rate with this range."""
    return Rate(part=1, of=10, value=value, low=low, high=high)


@pytest.mark.parametrize(("ranges", "says"), [
    ({"A": (.1, .2, .3), "B": (.25, .4, .5)}, "Too close to tell: the ranges of A and B overlap."),
    ({"A": (.1, .2, .3), "B": (.4, .5, .6)}, "Higher for B than for A."),
    ({"A": (.4, .5, .6), "B": (.45, .5, .6), "C": (.1, .2, .3)},
     "Higher for A and B than for C. Too close to tell between A and B."),
    ({"A": (.1, .2, .3), "B": (.3, .5, .6)}, "Too close to tell: the ranges of A and B overlap."),
    ({"A": (.1, .2, .3)}, "Nothing to compare: only one of them can tell."),
    ({}, "None of them can tell."),
    ({"A": (.1, .2, .3), "B": (.25, .35, .45), "C": (.4, .5, .6)},
     "Higher for C than for A. Too close to tell between A and B; B and C."),
])
def test_a_difference_is_claimed_only_where_ranges_are_apart(ranges: dict[str, tuple[float, float, float]],
                                                             says: str) -> None:
    """Who is higher for sure, and between whom chance may have decided."""
    assert verdict([(name, rate(*of)) for name, of in ranges.items()]) == says


def test_mailings_stand_beside_each_other_with_warnings(store: Store) -> None:
    """Practice, few letters; a measure that nobody can tell is left undrawn."""
    with store.writing() as connection:
        sample_mailing(connection, 200)
        few = Builder(connection, name="few", practice=True)
        few.message()
    with store.reading() as connection:
        found = compare(connection, mailings.newest_first(connection, 2))
    assert [column.letter for column in found.columns] == ["A", "B"]
    assert any("practice" in warning for warning in found.warnings)
    assert any("fewer than 30" in warning for warning in found.warnings)
    drawn = comparing.draw(found, found.measures[0])
    assert drawn is not None
    assert [row[0] for row in drawn.rows] == ["A", "B"]
    assert "var(--accent)" in drawn.wide
