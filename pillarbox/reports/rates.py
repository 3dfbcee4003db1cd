"""Rates that say what they are a part of, and how sure they are: a short list must not fool anybody."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

# The 97.5% point of the standard normal distribution: two-sided intervals of 95%.
_Z = 1.959963984540054
_DIGITS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """A part of a whole, with the range in which the true rate probably lies."""

    part: int
    """How many did it; always among ``of``. For pounds per letter: pence."""
    of: int
    """The denominator, never 0."""
    value: float
    """A fraction, 0 to 1; for pounds per letter: pounds."""
    low: float
    """Lower end of the 95% interval, in the unit of ``value``."""
    high: float

    def to_json(self) -> dict[str, float | int]:
        """The stable keys, rounded to six decimals."""
        return {"value": round(self.value, _DIGITS), "of": self.of,
                "low": round(self.low, _DIGITS), "high": round(self.high, _DIGITS)}


def proportion(part: int, of: int) -> Rate | None:
    """``part`` out of ``of``, with Wilson's score interval; None when the denominator is 0.

    The interval stays within 0 and 1 and holds for small counts, where "plus or minus" does not (E. B. Wilson,
    "Probable inference, the law of succession, and statistical inference", JASA 22:158, 1927, pp. 209-212).

    Raises:
        ValueError: when the part is no part of the whole.
    """
    if not 0 <= part <= of:
        raise ValueError(f"{part} is no part of {of}")
    if of == 0:
        return None
    share = part / of
    spread = 1 + _Z**2 / of
    centre = (share + _Z**2 / (2 * of)) / spread
    margin = _Z / spread * sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    low = 0.0 if part == 0 else max(0.0, centre - margin)
    high = 1.0 if part == of else min(1.0, centre + margin)
    return Rate(part=part, of=of, value=share, low=low, high=high)


def pounds_each(pence: int, of: int, *, squares: int, largest: int) -> Rate | None:
    """Pounds per letter delivered; None when none was delivered.

    How many people give varies by chance, and so does how much each gives. The interval treats the total as a sum of
    rare gifts weighted by their size (M. P. Fay and E. J. Feuer, Statistics in Medicine 16:7, 1997, pp. 791-801), so
    that one large gift widens it as it should.

    Args:
        pence: what everybody gave together.
        of: letters delivered.
        squares: sum over donors of the square of what each gave, in pence squared.
        largest: what the most generous donor gave, in pence.
    """
    if of == 0:
        return None
    low = high = 0.0
    if pence > 0 and squares > 0:
        low = squares / (2 * pence) * _chi_square(-_Z, 2 * pence**2 / squares)
        upper_squares, upper = squares + largest**2, pence + largest
        high = upper_squares / (2 * upper) * _chi_square(_Z, 2 * upper**2 / upper_squares)
    return Rate(part=pence, of=of, value=pence / of / 100, low=low / of / 100, high=high / of / 100)


def _chi_square(z: float, freedom: float) -> float:
    """The chi-square quantile at normal deviate ``z``, within 2% where a handful gave (Wilson and Hilferty, 1931)."""
    return freedom * max(0.0, 1 - 2 / (9 * freedom) + z * sqrt(2 / (9 * freedom))) ** 3
