"""A donation platform's export (CSV or XLSX) as gifts; what cannot be one is told with line and reason."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from pillarbox.ground import clock
from pillarbox.ground.address import normalise
from pillarbox.ground.errors import Refused
from pillarbox.ground.money import Money, parse_money
from pillarbox.model.records import Gift
from pillarbox.money import values
from pillarbox.tables import file
from pillarbox.tables.table import key

SOURCE = "csv"

FIELDS = ("id", "date", "first_name", "last_name", "name", "email", "amount", "currency", "gift_aid", "frequency",
          "code", "method", "status", "note", "refunded")
"""What a column may be mapped to (``--map COLUMN=FIELD``)."""

# Headings as the common platforms write them, letters and digits only → field.
KNOWN: Mapping[str, str] = {
    **dict.fromkeys(("donationid", "id", "donationref", "donationreference", "transactionid", "receiptid",
                     "paymentid", "externalid"), "id"),
    **dict.fromkeys(("date", "donationdate", "datetime", "paymentdate", "created", "createdutc", "donatedat",
                     "received", "datereceived", "transactiondate", "createddateutc", "createddate"), "date"),
    **dict.fromkeys(("firstname", "donorfirstname", "donorsfirstname", "forename", "givenname"), "first_name"),
    **dict.fromkeys(("lastname", "donorlastname", "donorslastname", "surname", "familyname", "donorsurname"),
                    "last_name"),
    **dict.fromkeys(("name", "donor", "donorname", "fullname", "customername"), "name"),
    **dict.fromkeys(("email", "emailaddress", "donoremail", "donoremailaddress", "customeremail",
                     "fromemailaddress"), "email"),
    **dict.fromkeys(("amount", "donationamount", "grossamount", "gross", "total", "value", "gift"), "amount"),
    **dict.fromkeys(("amountrefunded", "refundedamount", "refunded"), "refunded"),
    **dict.fromkeys(("currency", "donationcurrency", "currencycode"), "currency"),
    **dict.fromkeys(("giftaid", "giftaided", "giftaiddeclaration", "giftaidclaimed", "giftaidstatus"), "gift_aid"),
    **dict.fromkeys(("frequency", "recurring", "regular", "donationtype", "recurringdonation", "plan"), "frequency"),
    **dict.fromkeys(("reference", "ref", "code", "sourcecode", "source", "appealcode", "utmcontent", "utmcampaign",
                     "utmterm", "campaigncode"), "code"),
    **dict.fromkeys(("paymentmethod", "method", "paymenttype", "paymentsource"), "method"),
    **dict.fromkeys(("status", "paymentstatus"), "status"),
    **dict.fromkeys(("note", "notes", "comment"), "note"),
}
# A gift with a date alone is given the end of that day; and clocks differ.
_AHEAD = timedelta(days=1)
_NOT_MONEY = ("fail", "refund", "cancel", "pending", "declin", "void", "disput", "chargeback", "reversed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """A row that is no donation."""

    line: int
    """Line of a CSV file, row of a sheet."""
    reason: str


def read(path: Path, *, mapping: Mapping[str, str] | None = None,
         zone: str = "Europe/London") -> tuple[tuple[Gift, ...], tuple[Rejected, ...]]:
    """Read an export's donations.

    Args:
        path: CSV (any common delimiter and encoding) or XLSX.
        mapping: heading in the file → one of ``FIELDS``, for headings that are not known; wins over what is known.
        zone: IANA zone of dates that name none.

    Returns:
        The gifts, in the file's order, and the rows that are none.

    Raises:
        TableError: the file cannot be read.
        Refused: a mapped column or field does not exist, or no column holds the amount or the date.
    """
    table = file.read(path, partial(_recognised, mapping=mapping or {}))
    fields = _fields(table.headings, mapping or {}, path.name)
    gifts: list[Gift] = []
    rejected: list[Rejected] = []
    seen: Counter[str] = Counter()
    for line, row in zip(table.lines, table.rows, strict=True):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        try:
            gifts.append(_gift(_named(fields, cells), zone, seen))
        except ValueError as fault:
            rejected.append(Rejected(line=line, reason=_sentence(str(fault))))
    return tuple(gifts), tuple(rejected)


def _recognised(headings: Sequence[str], mapping: Mapping[str, str]) -> tuple[bool, int]:
    """Whether there are columns for the amount and the date, and how many of the headings are known or mapped."""
    known = {**KNOWN, **{key(heading): field for heading, field in mapping.items()}}
    found = [field for heading in headings if (field := known.get(key(heading)))]
    return {"amount", "date"} <= set(found), len(found)


def _fields(headings: Sequence[str], mapping: Mapping[str, str], name: str) -> list[str | None]:
    wanted = {key(heading): field for heading, field in mapping.items()}
    present = {key(heading) for heading in headings}
    if lost := [heading for heading in mapping if key(heading) not in present]:
        raise Refused(f"There is no column {lost[0]!r}.", where=name,
                      todo=f"The columns are: {', '.join(filter(None, headings))}.")
    if odd := [field for field in mapping.values() if field not in FIELDS]:
        raise Refused(f"A column cannot be mapped to {odd[0]!r}.", where=name,
                      todo=f"Choose one of: {', '.join(FIELDS)}.")
    # Where staff say which column holds a field, a column that merely looks like it is left alone.
    fields = [wanted.get(key(heading)) or _unless(KNOWN.get(key(heading)), set(wanted.values()))
              for heading in headings]
    for field, words in (("amount", "the amount"), ("date", "the date")):
        if field not in fields:
            columns = ", ".join(f"{heading[:40]!r}" for heading in headings[:20] if heading)
            raise Refused(f"No column is known to hold {words}. The columns are: {columns}.", where=name,
                          todo=f"Say which one does: --map \"COLUMN={field}\".")
    return fields


def _unless(field: str | None, taken: set[str]) -> str | None:
    return None if field in taken else field


def _named(fields: Sequence[str | None], cells: Sequence[str]) -> dict[str, str]:
    """The row by field. Several columns may carry a code; of any other field the first that is filled counts."""
    row: dict[str, str] = {}
    for field, cell in zip(fields, cells, strict=False):
        if field == "code" and cell:
            row["code"] = f"{row.get('code', '')} {cell}".strip()
        elif field and not row.get(field):
            row[field] = cell
    return row


def _gift(row: Mapping[str, str], zone: str, seen: Counter[str]) -> Gift:
    status = row.get("status", "")
    if any(word in status.lower() for word in _NOT_MONEY):
        raise ValueError(f"its status is {status!r}: no money came")
    amount = _amount(row)
    received = values.moment(row.get("date", ""), zone)
    if received > clock.now() + _AHEAD:
        raise ValueError(f"{row.get('date', '')!r} is still to come; dates are read with the day first (dd/mm/yyyy)")
    name = " ".join(filter(None, (row.get("first_name"), row.get("last_name")))) or row.get("name", "")
    address, note = _address(row.get("email", "")), row.get("note", "")
    if row.get("email") and not address:
        note = f"{note} The email address in the file could not be read.".strip()
    return Gift(
        amount=amount, received=received, source=SOURCE,
        external_id=row.get("id") or _made_up_id(row, amount, received, seen), address=address, name=name,
        code=row.get("code", ""), method=values.method(row.get("method", "")),
        gift_aid=values.declared(row.get("gift_aid", "")), regular=values.regular(row.get("frequency", "")), note=note)


def _amount(row: Mapping[str, str]) -> Money:
    text, currency = row.get("amount", ""), row.get("currency", "").strip().upper()
    if not text:
        raise ValueError("the amount is missing")
    if currency and not re.fullmatch(r"[A-Z]{3}", currency):
        raise ValueError(f"{currency!r} is not a currency's three letters")
    # Accountants write a minus as brackets.
    plain = f"-{text[1:-1]}" if re.fullmatch(r"\(.+\)", text) else text
    amount = parse_money(plain, currency or "GBP")
    if currency and amount.currency != currency:
        raise ValueError(f"the amount says {amount.currency} and the currency column {currency}")
    if amount.minor < 0:
        refund = Money(minor=-amount.minor, currency=amount.currency)
        raise ValueError(f"a refund of {refund}: take it off the donation that it belongs to by hand")
    if (text := row.get("refunded", "")) and (back := parse_money(text, amount.currency)).minor > 0:
        if back.currency != amount.currency or back.minor >= amount.minor:
            raise ValueError(f"{back} of it was given back: no money stayed")
        return Money(minor=amount.minor - back.minor, currency=amount.currency)
    if amount.minor == 0:
        raise ValueError("the amount is nothing")
    return amount


def _address(email: str) -> str:
    try:
        return normalise(email) if email else ""
    except ValueError:
        return ""


def _made_up_id(row: Mapping[str, str], amount: Money, received: datetime, seen: Counter[str]) -> str:
    """An id for a row without one: the same row in another export of the same gifts gets the same."""
    parts = (received.isoformat(), str(amount), row.get("email", "").lower(), row.get("name", ""),
             row.get("last_name", ""), row.get("code", ""))
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]
    seen[digest] += 1
    return f"row-{digest}-{seen[digest]}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."
