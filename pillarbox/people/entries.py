"""Rows of a list file as entries: checked, normalised, and merged where one supporter has several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache

from pillarbox.ground import address as addresses
from pillarbox.model.states import SuppressionReason
from pillarbox.people import values
from pillarbox.people.formats import Columns, Target
from pillarbox.people.tidy import Name, with_parsed
from pillarbox.tables.table import Table

_STATUSES = {
    "unsubscribed": SuppressionReason.UNSUBSCRIBED, "opted out": SuppressionReason.UNSUBSCRIBED,
    "opt out": SuppressionReason.UNSUBSCRIBED, "unsubscribe": SuppressionReason.UNSUBSCRIBED,
    "cleaned": SuppressionReason.BOUNCED, "bounced": SuppressionReason.BOUNCED,
    "hard bounced": SuppressionReason.BOUNCED, "complained": SuppressionReason.COMPLAINED,
    "spam": SuppressionReason.COMPLAINED, "abuse": SuppressionReason.COMPLAINED,
    "deceased": SuppressionReason.MANUAL,
}
_REFUSALS = {Target.OPTED_OUT: SuppressionReason.UNSUBSCRIBED, Target.BOUNCED: SuppressionReason.BOUNCED,
             Target.DECEASED: SuppressionReason.MANUAL}
# RFC 5321 section 4.5.3.1. A mailbox name of plain atoms (RFC 5322) needs no further check once its domain is good.
_ADDRESS_LIMIT = 254
_PLAIN_LOCAL = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*")
# What Excel shows, and exports, where a formula found nothing: nobody is called that.
_FAILED_FORMULAS = frozenset({"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})
_NAMES = (Target.TITLE, Target.FIRST_NAME, Target.LAST_NAME, Target.FULL_NAME, Target.SALUTATION)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One supporter as a list speaks of them."""

    line: int
    address: str
    address_hash: str
    name: Name = field(default_factory=Name)
    salutation: str = ""
    language: str = ""
    country: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    consent: bool | None = None
    """What a consent column says; None when there is none or it is silent."""
    tracking: bool | None = None
    obtained: date | None = None
    refusal: SuppressionReason | None = None
    """The list itself says that nothing may be sent."""

    @property
    def fullness(self) -> int:
        """How many things are known."""
        name = self.name
        known = (name.title, name.first_name, name.last_name, self.salutation, self.language, self.country)
        return sum(map(bool, known)) + len(self.fields)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """A row that is not taken, and why. Holds no address."""

    line: int
    reason: str


class Unfit(Exception):
    """The row is not taken; the message is the reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a list holds: ``rows`` = entries + merged + rejected."""

    rows: int
    """Rows that hold anything."""
    entries: tuple[Entry, ...]
    """One for each address, in the order of first appearance."""
    rejected: tuple[Rejected, ...]
    merged: int
    """Rows that spoke of a supporter whom another row speaks of."""


def read(table: Table, columns: Columns, *, secret: bytes) -> Reading:
    """Turn rows into entries; each row is taken, merged or rejected with its reason."""
    reader = _Reader(columns, secret)
    by_address: dict[str, Entry] = {}
    rejected: list[Rejected] = []
    rows = 0
    for line, row in zip(table.lines, table.rows, strict=True):
        if not any(row) or not any(map(values.one_line, row)):
            continue
        rows += 1
        try:
            entry = reader.entry(line, row)
        except Unfit as reason:
            rejected.append(Rejected(line=line, reason=str(reason)))
            continue
        before = by_address.get(entry.address)
        by_address[entry.address] = merge(before, entry) if before else entry
    return Reading(rows=rows, entries=tuple(by_address.values()), rejected=tuple(rejected),
                   merged=rows - len(rejected) - len(by_address))


def merge(one: Entry, other: Entry) -> Entry:
    """Two rows of one supporter: the fuller one holds, gaps are filled from the other, and a "no" outweighs a "yes"."""
    full, spare = (one, other) if one.fullness >= other.fullness else (other, one)
    named = full.name.first_name or full.name.last_name
    return replace(
        full, line=one.line,
        name=full.name if named else replace(spare.name, title=full.name.title or spare.name.title),
        salutation=full.salutation or spare.salutation, language=full.language or spare.language,
        country=full.country or spare.country, fields={**spare.fields, **full.fields},
        consent=_lesser(one.consent, other.consent), tracking=_lesser(one.tracking, other.tracking),
        obtained=min(filter(None, (one.obtained, other.obtained)), default=None),
        refusal=one.refusal or other.refusal,
    )


def mailbox(cell: str) -> str:
    """The one address in a cell, normalised; "Ann <ann@example.org>" and "mailto:ann@example.org" are understood.

    Raises:
        Unfit: none, several, or no proper address; without repeating it.
    """
    text = values.one_line(cell).replace("\u200b", "").strip(" ;,")
    if not text:
        raise Unfit("No email address.")
    if text.count("@") > 1 and len(re.findall(r"[^\s;,<>|/]+@[^\s;,<>|/]+", text)) > 1:
        raise Unfit("Several addresses in one cell: give each supporter a row of their own.")
    if found := re.search(r"<([^<>]*)>\s*$", text):
        text = found[1]
    text = re.sub(r"^mailto:", "", text.strip(" '\""), flags=re.IGNORECASE)
    try:
        local, _, domain = text.rpartition("@")
        if len(text) <= _ADDRESS_LIMIT and _PLAIN_LOCAL.fullmatch(local):
            return f"{local.lower()}@{_domain(domain.lower())}"
        return addresses.normalise(text)
    except ValueError as fault:
        raise Unfit(f"Not an email address: {fault}") from None


@lru_cache(maxsize=65_536)
def _domain(text: str) -> str:
    """A domain as ``normalise`` leaves it. Lists hold few domains and many addresses."""
    return addresses.domain(addresses.normalise(f"a@{text}"))


class _Reader:
    """Reads rows by one file's columns."""

    def __init__(self, columns: Columns, secret: bytes) -> None:
        self._columns = columns
        self._secret = secret
        self._at = {target: place for place, name in enumerate(columns.goes_to) for target in Target if target == name}
        self._refusals = [(place, _REFUSALS[Target(name)]) for place, name in enumerate(columns.goes_to)
                          if name in set(_REFUSALS)]
        self._fields = columns.fields

    def entry(self, line: int, row: Sequence[str]) -> Entry:
        """Check and normalise one row.

        Raises:
            Unfit: when the row cannot be taken.
        """
        if any(cell.strip() for cell in row[len(self._columns.goes_to):]):
            raise Unfit("More cells than there are headings: a delimiter or quotation mark is out of place.")
        address = mailbox(self._cell(row, Target.EMAIL))
        title, first, last, whole, salutation = (self._name(row, target) for target in _NAMES)
        fields = {name: text for place, name in self._fields if (text := self._field(row, place))}
        country_said, status = self._cell(row, Target.COUNTRY), values.one_line(self._cell(row, Target.STATUS))
        country = values.country(country_said)
        if country_said and not country:
            fields["country_as_given"] = values.one_line(country_said)[: values.NAME_LIMIT]
        refusal = next((reason for place, reason in self._refusals if _said(row[place])), None)
        return Entry(
            line=line, address=address, address_hash=addresses.keyed_hash(address, self._secret),
            name=with_parsed(Name(title=title, first_name=first, last_name=last), whole),
            salutation=salutation.rstrip(" ,"), language=values.language(self._cell(row, Target.LANGUAGE)),
            country=country, fields=fields, consent=values.yes_or_no(self._cell(row, Target.CONSENT)),
            tracking=values.yes_or_no(self._cell(row, Target.TRACKING)),
            obtained=values.day(self._cell(row, Target.OBTAINED)),
            refusal=refusal or _STATUSES.get(status.casefold().replace("-", " ")),
        )

    def _cell(self, row: Sequence[str], target: Target) -> str:
        place = self._at.get(target)
        return "" if place is None else row[place]

    def _name(self, row: Sequence[str], target: Target) -> str:
        text = values.one_line(self._cell(row, target))
        if len(text) > values.NAME_LIMIT:
            raise Unfit(f"The {target.replace('_', ' ')} is {len(text):,} characters long, more than "
                        f"{values.NAME_LIMIT}: a quotation mark may be missing.")
        return "" if text in _FAILED_FORMULAS else text

    def _field(self, row: Sequence[str], place: int) -> str:
        if len(row[place]) > values.VALUE_LIMIT:
            raise Unfit(f"The column {values.one_line(self._columns.headings[place])[:40]!r} holds {len(row[place]):,} "
                        f"characters, more than {values.VALUE_LIMIT:,}: a quotation mark may be missing.")
        text = values.clean(row[place])
        return "" if text in _FAILED_FORMULAS else text


def _said(cell: str) -> bool:
    """Whether a refusal's cell refuses: anything but empty or a clear no, since a date or a note means it too."""
    text = values.one_line(cell)
    return bool(text) and values.yes_or_no(text) is not False


def _lesser(one: bool | None, other: bool | None) -> bool | None:
    return False if one is False or other is False else one if one is not None else other
