"""A person as a request names them: by the address held, or by one that they gave up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select, update

from pillarbox.store import wishes
from pillarbox.store.schema import former_addresses, messages, passes, service_letters, supporters, wish_changes
from pillarbox.store.schema import wishes as wishes_table


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Who is named, and every address by which anything of theirs may be found."""

    row: Row[Any] | None
    """The supporter; None when nobody is known by that address."""
    hashes: frozenset[str]
    """Of the address named, of the one held, and of those given up."""
    addresses: frozenset[str]
    """As far as they are still known."""

    @property
    def id(self) -> int:
        """The supporter's; −1 when there is none."""
        return -1 if self.row is None else int(self.row.id)


def find(connection: Connection, address: str, address_hash: str) -> Person:
    """Whoever is named by an address. One that was given up names its former owner, until somebody else has it."""
    row = _by(connection, supporters.c.address_hash == address_hash)
    if row is None and (former := wishes.given_up(connection, [address_hash])):
        row = _by(connection, supporters.c.id == former[address_hash])
    if row is None:
        return Person(row=None, hashes=frozenset({address_hash}), addresses=frozenset({address}))
    given_up = connection.execute(select(former_addresses.c.address_hash).where(
        former_addresses.c.supporter_id == row.id)).scalars()
    mailed = connection.execute(select(messages.c.address).where(messages.c.supporter_id == row.id)
                                .distinct()).scalars()
    return Person(row=row, hashes=frozenset({address_hash, row.address_hash, *given_up}),
                  addresses=frozenset(text for text in (address, row.address, *mailed) if text))


def forget_wishes(connection: Connection, person: Person) -> None:
    """Erase what a person asked for on their own pages, and what was on its way to them because of it."""
    theirs = or_(passes.c.supporter_id == person.id, passes.c.address_hash.in_(person.hashes))
    # A new address that was to be confirmed, too.
    hashes = {*person.hashes, *connection.execute(select(passes.c.address_hash).where(theirs)).scalars()} - {""}
    connection.execute(delete(passes).where(theirs))
    letters = or_(service_letters.c.supporter_id == person.id, service_letters.c.address_hash.in_(hashes))
    connection.execute(update(service_letters).where(letters, service_letters.c.state == "waiting")
                       .values(state="failed"))
    for letter in connection.execute(select(service_letters.c.id).where(letters)).scalars().all():
        connection.execute(update(service_letters).where(service_letters.c.id == letter).values(
            address=None, address_hash=secrets.token_hex(16), supporter_id=None, values={}, detail=""))
    for table in (wishes_table, wish_changes, former_addresses):
        connection.execute(delete(table).where(table.c.supporter_id == person.id))


def _by(connection: Connection, which: Any) -> Row[Any] | None:
    return connection.execute(select(supporters).where(which)).one_or_none()
