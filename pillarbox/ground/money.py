"""Money as integer minor units with an ISO 4217 currency; never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

# Minor-unit exponents that differ from 2 (ISO 4217 list one, https://www.six-group.com, read 2026-11).
_EXPONENT = dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
                           "VUV", "XAF", "XOF", "XPF"), 0) | dict.fromkeys(
    ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
_SYMBOL = {"£": "GBP", "€": "EUR", "$": "USD"}
_SIGN = {"GBP": "£", "EUR": "€", "USD": "$"}


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Money:
    """An amount: ``minor`` units (pence) of ``currency`` (ISO code)."""

    minor: int
    currency: str = "GBP"

    def __str__(self) -> str:
        places = _EXPONENT.get(self.currency, 2)
        number = f"{Decimal(abs(self.minor)).scaleb(-places):,.{places}f}"
        sign = _SIGN.get(self.currency)
        return ("-" if self.minor < 0 else "") + (f"{sign}{number}" if sign else f"{number} {self.currency}")


def exponent(currency: str) -> int:
    """How many decimals a currency has: 10 to this power of minor units make one."""
    return _EXPONENT.get(currency, 2)


def parse_money(text: str, currency: str = "GBP") -> Money:
    """Read "£1,250.50", "25", "EUR 10" or "10,50 €" (a lone comma with two digits is a decimal comma).

    Raises:
        ValueError: when the text is no amount, or has more decimals than the currency has.
    """
    found = currency
    body = text.strip()
    for sign, code in _SYMBOL.items():
        if sign in body:
            found, body = code, body.replace(sign, "")
    if code_match := re.search(r"\b([A-Za-z]{3})\b", body):
        found = code_match.group(1).upper()
        body = body.replace(code_match.group(1), "")
    body = re.sub(r"[\s\u00a0']", "", body).replace("\u2212", "-")
    if re.fullmatch(r"-?\d+,\d{2}", body):
        body = body.replace(",", ".")
    elif re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", body):
        body = body.replace(",", "")
    # Decimal itself would also take "1e9", "1_000", "NaN" and digits of other scripts.
    if not re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,6})?|-?\.[0-9]{1,6}", body):
        raise ValueError(f"{text!r} is not an amount of money")
    minor = Decimal(body).scaleb(_EXPONENT.get(found, 2))
    if minor != minor.to_integral_value():
        raise ValueError(f"{text!r} has more decimals than {found} has")
    return Money(minor=int(minor), currency=found)
