"""Gift Aid: what HMRC adds to eligible donations.

A charity claims back 25p for every £1 that a UK taxpayer gives under a declaration, which is basic-rate tax (20%) on
the donation before tax: 20/80 (https://www.gov.uk/claim-gift-aid, read 2026-11). Vouchers of a charity account (CAF)
are excluded: their Gift Aid was claimed when the account was filled
(https://www.gov.uk/claim-gift-aid/what-you-can-claim-it-on, read 2026-11).
"""

from __future__ import annotations

from collections.abc import Iterable

from pillarbox.model.records import Gift

PENCE_PER_HUNDRED = 25
"""Pence claimed for each 100 pence given."""

EXCLUDED_METHODS = frozenset({"caf-voucher", "caf", "payroll"})
"""Ways of giving on which Gift Aid can never be claimed."""


def is_eligible(*, currency: str, method: str, declared: bool) -> bool:
    """Whether a donation counts towards a claim, as far as we know: GBP, declared, and no voucher or payroll gift."""
    return declared and currency == "GBP" and method not in EXCLUDED_METHODS


def claim_pence(eligible_pence: int) -> int:
    """What may be claimed on eligible donations of this sum, in pence, rounded down once."""
    return eligible_pence * PENCE_PER_HUNDRED // 100


def claim_for(gifts: Iterable[Gift]) -> int:
    """The same for gifts, in pence; those that are not eligible add nothing."""
    return claim_pence(sum(gift.amount.minor for gift in gifts if is_eligible(
        currency=gift.amount.currency, method=gift.method, declared=gift.gift_aid)))
