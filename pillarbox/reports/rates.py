"""Rates that say what they are a part of, and how sure they are: a short list must not fool anybody."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt

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


def proportion(part: int, of: int, *, z: float = _Z) -> Rate | None:
    """``part`` out of ``of``, with Wilson's score interval; None when the denominator is 0.

    The interval stays within 0 and 1 and holds for small counts, where "plus or minus" does not (E. B. Wilson,
    "Probable inference, the law of succession, and statistical inference", JASA 22:158, 1927, pp. 209-212).

    Args:
        part: how many did it.
        of: how many could have.
        z: the normal deviate of the interval; 95% when not said.

    Raises:
        ValueError: when the part is no part of the whole.
    """
    if not 0 <= part <= of:
        raise ValueError(f"{part} is no part of {of}")
    if of == 0:
        return None
    share = part / of
    spread = 1 + z**2 / of
    centre = (share + z**2 / (2 * of)) / spread
    margin = z / spread * sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    low = 0.0 if part == 0 else max(0.0, centre - margin)
    high = 1.0 if part == of else min(1.0, centre + margin)
    return Rate(part=part, of=of, value=share, low=low, high=high)


def pounds_each(pence: int, of: int, *, squares: int, largest: int, z: float = _Z) -> Rate | None:
    """Pounds per letter delivered; None when none was delivered.

    How many people give varies by chance, and so does how much each gives. The interval treats the total as a sum of
    rare gifts weighted by their size (M. P. Fay and E. J. Feuer, Statistics in Medicine 16:7, 1997, pp. 791-801), so
    that one large gift widens it as it should.

    Args:
        pence: what everybody gave together.
        of: letters delivered.
        squares: sum over donors of the square of what each gave, in pence squared.
        largest: what the most generous donor gave, in pence.
        z: the normal deviate of the interval; 95% when not said.
    """
    if of == 0:
        return None
    low = high = 0.0
    if pence > 0 and squares > 0:
        low = squares / (2 * pence) * _chi_square(-z, 2 * pence**2 / squares)
        upper_squares, upper = squares + largest**2, pence + largest
        high = upper_squares / (2 * upper) * _chi_square(z, 2 * upper**2 / upper_squares)
    return Rate(part=pence, of=of, value=pence / of / 100, low=low / of / 100, high=high / of / 100)


def difference(one: Rate, other: Rate) -> tuple[float, float]:
    """The range in which ``one`` less ``other`` lies, of two groups of different people, as sure as their own ranges.

    From the ranges of the two (R. G. Newcombe, "Interval estimation for the difference between independent
    proportions", Statistics in Medicine 17:8, 1998, pp. 873-890, method 10; for other rates G. Y. Zou and A. Donner,
    Statistics in Medicine 27:10, 2008, pp. 1693-1702). It is narrower than what overlapping ranges would allow, and
    holds for small counts.
    """
    gap = one.value - other.value
    return (gap - hypot(one.value - one.low, other.high - other.value),
            gap + hypot(one.high - one.value, other.value - other.low))


def _chi_square(z: float, freedom: float) -> float:
    """The chi-square quantile at normal deviate ``z``, within 2% where a handful gave (Wilson and Hilferty, 1931)."""
    return freedom * max(0.0, 1 - 2 / (9 * freedom) + z * sqrt(2 / (9 * freedom))) ** 3
