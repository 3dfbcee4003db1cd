"""Rates say how sure they are."""

from __future__ import annotations

import pytest

from pillarbox.reports.rates import pounds_each, proportion


def test_wilson_interval_of_a_known_case() -> None:
    """10 of 100 lies between 5.5% and 17.4%, as the published tables say."""
    rate = proportion(10, 100)
    assert rate is not None
    assert (round(rate.low, 4), round(rate.high, 4)) == (0.0552, 0.1744)


def test_none_of_a_few_is_not_never() -> None:
    """0 of 5 may still be a rate of 43%; the lower end is exactly 0."""
    rate = proportion(0, 5)
    assert rate is not None
    assert rate.low == 0.0
    assert rate.high == pytest.approx(0.4345, abs=1e-4)


def test_no_denominator_no_rate() -> None:
    """A part of nothing is no rate."""
    assert proportion(0, 0) is None
    assert pounds_each(0, 0, squares=0, largest=0) is None


def test_a_part_must_be_a_part() -> None:
    """More than the whole is a fault in the counting, not a rate."""
    with pytest.raises(ValueError, match="no part"):
        proportion(6, 5)


def test_one_large_gift_is_less_certain_than_many_small() -> None:
    """The same total from one donor has a wider range than from a hundred."""
    one = pounds_each(100_00, 1000, squares=100_00**2, largest=100_00)
    many = pounds_each(100_00, 1000, squares=100 * 1_00**2, largest=1_00)
    assert one is not None
    assert many is not None
    assert one.value == many.value == 0.10
    assert one.low < many.low < 0.10 < many.high < one.high
    assert (round(many.low, 3), round(many.high, 3)) == (0.081, 0.122)  # exact Poisson for 100: 81.4 to 121.6
