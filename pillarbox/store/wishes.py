"""The wishes table and its history: what supporters asked for on their own pages; and addresses that they gave up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from pillarbox.model.states import Frequency
from pillarbox.store.schema import former_addresses, wish_changes, wishes
from pillarbox.store.supporters import among
from pillarbox.store.upsert import insert_for


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """How much one supporter wishes to get."""

    frequency: Frequency = Frequency.EVERYTHING
    paused_until: datetime | None = None
    """Nothing is to leave for them before; may be past."""
    own_name: bool = False
    """They wrote their name themselves."""

    @property
    def is_usual(self) -> bool:
        """Whether there is nothing to keep."""
        return self == Wish()


def of(connection: Connection, supporter_id: int) -> Wish:
    """A supporter's wish; the usual when they never said."""
    row = connection.execute(select(wishes.c.frequency, wishes.c.paused_until, wishes.c.own_name).where(
        wishes.c.supporter_id == supporter_id)).one_or_none()
    return Wish() if row is None else Wish(
        frequency=Frequency(row.frequency), paused_until=row.paused_until, own_name=row.own_name)


def keep(connection: Connection, supporter_id: int, wish: Wish, at: datetime) -> None:
    """Keep a supporter's wish in place of the one before."""
    if wish.is_usual:
        connection.execute(delete(wishes).where(wishes.c.supporter_id == supporter_id))
        return
    row = {"frequency": wish.frequency, "paused_until": wish.paused_until, "own_name": wish.own_name, "changed_at": at}
    statement = insert_for(connection, wishes).values(supporter_id=supporter_id, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["supporter_id"], set_=row))


def own(wish: Wish) -> Wish:
    """The same wish of somebody who wrote their name themselves."""
    return replace(wish, own_name=True)


def own_names(connection: Connection, supporter_ids: Sequence[int]) -> set[int]:
    """Of these supporters, those who wrote their name themselves."""
    return set(connection.execute(select(wishes.c.supporter_id).where(
        wishes.c.own_name, among(connection, wishes.c.supporter_id, supporter_ids))).scalars())


def note(connection: Connection, supporter_id: int, *, source: str, changes: Mapping[str, Any], at: datetime) -> None:
    """Add a line to the history of a supporter's wishes.

    Args:
        connection: the transaction of the change.
        supporter_id: whose.
        source: the page, in staff's words.
        changes: what was changed: name → [before, after]; no names, no addresses.
        at: when.
    """
    connection.execute(insert(wish_changes).values(supporter_id=supporter_id, at=at, source=source,
                                                   changes=dict(changes)))


def give_up(connection: Connection, address_hash: str, supporter_id: int, at: datetime) -> None:
    """An address is its supporter's no more."""
    row = {"supporter_id": supporter_id, "left_at": at}
    statement = insert_for(connection, former_addresses).values(address_hash=address_hash, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["address_hash"], set_=row))


def take_up(connection: Connection, address_hash: str) -> None:
    """An address that was given up is somebody's again."""
    connection.execute(delete(former_addresses).where(former_addresses.c.address_hash == address_hash))


def given_up(connection: Connection, hashes: Sequence[str]) -> dict[str, int]:
    """Of these addresses, those that their owner gave up: hash → the supporter whose it was."""
    found = connection.execute(select(former_addresses.c.address_hash, former_addresses.c.supporter_id).where(
        among(connection, former_addresses.c.address_hash, hashes)))
    return {row.address_hash: row.supporter_id for row in found}
