"""Entries into the database: new supporters, what is newly known of old ones, consent, and who is kept out.

Nobody who left comes back by an import, nothing known is erased by an empty cell, and no basis becomes a lesser one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row

from pillarbox.model.states import Basis, Channel
from pillarbox.people.entries import Entry
from pillarbox.store import consents, lists, supporters, suppressions, wishes

# PECR reg. 22(3A), the charitable soft opt-in: only details obtained by the charity itself from this day on
# (Data (Use and Access) Act 2025 s. 114, in force 5 February 2026).
SOFT_OPT_IN_FROM = date(2026, 2, 5)
FORMER_ADDRESS = "former-address"
"""Why an entry is kept out: its owner gave the address up for another, where they are written to."""
_ROWS_AT_ONCE = 5_000
_NAMES = ("title", "first_name", "last_name", "salutation")


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What staff say of all entries at once."""

    list_id: int | None
    basis: Basis | None
    """For email; None when they did not say."""
    source: str
    obtained: date | None
    tracking: bool | None
    """For entries that say nothing of their own."""
    by_column: bool
    """The list has a consent column: only entries that say yes in it get the basis."""
    import_id: int | None


@dataclass(kw_only=True, slots=True)
class Tally:
    """What became of the entries; added + updated + unchanged + kept out is all of them."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    kept_out: Counter[str] = field(default_factory=Counter)
    """Reason → count: suppressed, or left this list."""
    lesser: int = 0
    """Entries that say no where a yes is on record; the record stays."""
    withdrawn: int = 0
    """Entries that say yes where the supporter took it back; that stays too."""
    too_early: int = 0
    """Entries whose details were obtained before the soft opt-in began."""


def enrol(connection: Connection, entries: Sequence[Entry], terms: Terms, at: datetime) -> Tally:
    """Write the entries in the caller's transaction; each address at most once among them."""
    tally = Tally()
    for start in range(0, len(entries), _ROWS_AT_ONCE):
        _Chunk(connection, entries[start : start + _ROWS_AT_ONCE], terms, at, tally).write()
    return tally


class _Chunk:
    """Some thousand entries, with what the database knows of them."""

    def __init__(self, connection: Connection, entries: Sequence[Entry], terms: Terms, at: datetime,
                 tally: Tally) -> None:
        hashes = [entry.address_hash for entry in entries]
        self._connection, self._entries, self._terms, self._at, self._tally = connection, entries, terms, at, tally
        self._suppressed = supporters.suppressed(connection, hashes)
        self._known = supporters.by_hash(connection, hashes)
        self._given_up = wishes.given_up(connection, hashes)
        ids = [row.id for row in self._known.values()]
        # Staff who name one person pass on that person's word; a list file does not.
        self._own_names = wishes.own_names(connection, ids) if terms.import_id is not None else set()
        self._members = lists.members(connection, terms.list_id, ids) if terms.list_id is not None else {}
        self._basis = consents.of(connection, ids)
        self._withdrawn = consents.withdrawn(connection, ids)

    def write(self) -> None:
        """Keep out, add, update, join, and record consent."""
        self._suppress_refusals()
        welcome = [entry for entry in self._entries if not self._kept_out(entry)]
        new = [entry for entry in welcome if entry.address_hash not in self._known]
        ids = supporters.add_many(self._connection, [_row(entry) for entry in new], self._at)
        changed = [row for entry in welcome if (row := self._newly_known(entry))]
        supporters.update_many(self._connection, changed, self._at)
        ids |= {hashed: row.id for hashed, row in self._known.items()}
        touched = {row["id"] for row in changed} | self._join([ids[entry.address_hash] for entry in welcome])
        changes = [change for entry in welcome for change in self._consent(entry, ids[entry.address_hash])]
        consents.apply(self._connection, changes, self._at, self._terms.import_id)
        touched |= {change.supporter_id for change in changes}
        self._tally.added += len(new)
        updated = sum(ids[entry.address_hash] in touched for entry in welcome) - len(new)
        self._tally.updated += updated
        self._tally.unchanged += len(welcome) - len(new) - updated

    def _suppress_refusals(self) -> None:
        rows = [{"address_hash": entry.address_hash, "address": entry.address, "reason": entry.refusal,
                 "source": self._terms.source, "since": self._at}
                for entry in self._entries if entry.refusal and entry.address_hash not in self._suppressed]
        suppressions.add_many(self._connection, rows)
        self._suppressed |= {str(row["address_hash"]): str(row["reason"]) for row in rows}

    def _kept_out(self, entry: Entry) -> bool:
        reason = self._suppressed.get(entry.address_hash)
        known = self._known.get(entry.address_hash)
        if reason is None and known is not None and self._members.get(known.id) is not None:
            reason = "left-list"
        if reason is None and known is None and entry.address_hash in self._given_up:
            reason = FORMER_ADDRESS
        if reason:
            self._tally.kept_out[reason] += 1
        return reason is not None

    def _newly_known(self, entry: Entry) -> dict[str, Any] | None:
        known = self._known.get(entry.address_hash)
        if known is None:
            return None
        before = {name: getattr(known, name) for name in supporters.KNOWN}
        after = _together(known, entry)
        if known.id in self._own_names:
            after |= {name: before[name] for name in _NAMES}
        return {"id": known.id, **after} if after != before else None

    def _join(self, ids: Sequence[int]) -> set[int]:
        if self._terms.list_id is None:
            return set()
        joining = [id_ for id_ in ids if id_ not in self._members]
        lists.join_many(self._connection, self._terms.list_id, joining, self._at, self._terms.import_id)
        return set(joining)

    def _consent(self, entry: Entry, supporter_id: int) -> Iterator[consents.Change]:
        tracking = self._terms.tracking if entry.tracking is None else entry.tracking
        wanted: dict[Channel, Basis] = {Channel.EMAIL: self._email_basis(entry)}
        if tracking is not None:
            wanted[Channel.TRACKING] = Basis.CONSENT if tracking else Basis.NONE
        for channel, basis in wanted.items():
            before = self._basis.get((supporter_id, channel))
            if before is not None and basis.rank <= before.rank:
                said_no = entry.tracking is False if channel is Channel.TRACKING else entry.consent is False
                self._tally.lesser += said_no and basis.rank < before.rank
            elif (supporter_id, channel) in self._withdrawn:
                self._tally.withdrawn += 1
            else:
                yield consents.Change(supporter_id=supporter_id, channel=channel, before=before, after=basis,
                                      source=self._terms.source, obtained_on=entry.obtained or self._terms.obtained)

    def _email_basis(self, entry: Entry) -> Basis:
        basis = self._terms.basis or Basis.NONE
        if entry.consent is False or (self._terms.by_column and not entry.consent):
            return Basis.NONE
        obtained = entry.obtained or self._terms.obtained
        if basis is Basis.SOFT_OPT_IN and (obtained is None or obtained < SOFT_OPT_IN_FROM):
            self._tally.too_early += 1
            return Basis.NONE
        return basis


def _row(entry: Entry) -> dict[str, Any]:
    return {"address": entry.address, "address_hash": entry.address_hash, "title": entry.name.title,
            "first_name": entry.name.first_name, "last_name": entry.name.last_name, "salutation": entry.salutation,
            "language": entry.language, "country": entry.country, "fields": entry.fields}


def _together(known: Row[Any], entry: Entry) -> dict[str, Any]:
    """What is known, with what the entry says put over it; an empty cell says nothing."""
    said = _row(entry)
    plain = {name: said[name] or getattr(known, name) for name in supporters.KNOWN if name != "fields"}
    return plain | {"fields": {**known.fields, **entry.fields}}
