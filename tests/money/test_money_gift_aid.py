"""Gift Aid is 25p on each eligible pound, and nothing on the rest."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pillarbox.ground.money import Money
from pillarbox.model.records import Gift
from pillarbox.money.gift_aid import claim_for, claim_pence


@pytest.mark.parametrize(("given", "claimed"), [(10_000, 2_500), (100, 25), (3, 0), (1_001, 250), (0, 0)])
def test_a_quarter_rounded_down(given: int, claimed: int) -> None:
    """25/100 of the sum, whole pence."""
    assert claim_pence(given) == claimed


def test_only_what_is_eligible_counts() -> None:
    """Undeclared gifts, other currencies and CAF vouchers add nothing; pence are rounded once, on the sum."""
    def gift(minor: int, *, currency: str = "GBP", method: str = "card", declared: bool = True) -> Gift:
        return Gift(amount=Money(minor=minor, currency=currency), received=datetime(2026, 12, 10, tzinfo=UTC),
                    source="csv", external_id="x", method=method, gift_aid=declared)

    assert claim_for([gift(1_002), gift(1_002), gift(5_000, declared=False), gift(5_000, currency="EUR"),
                      gift(5_000, method="caf-voucher")]) == 501
