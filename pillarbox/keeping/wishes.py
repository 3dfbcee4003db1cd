"""What supporters asked for since a backup was made: a restore must not make them ask again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from pillarbox.store import lists, supporters, wishes
from pillarbox.store.schema import former_addresses, list_members, wish_changes
from pillarbox.store.schema import lists as lists_table
from pillarbox.store.schema import supporters as supporters_table
from pillarbox.store.wishes import Wish

SOURCE = "carried over at a restore"


@dataclass(frozen=True, kw_only=True, slots=True)
class Carried:
    """What one supporter asked for since."""

    address_hash: str
    """Where they are reached now."""
    address: str
    former: tuple[tuple[str, datetime], ...]
    """(hash, when) of the addresses that they gave up since."""
    wish: Wish
    left: tuple[tuple[str, datetime], ...]
    """(list, when) of all lists that they have left."""


def since(connection: Connection, moment: datetime) -> tuple[Carried, ...]:
    """Everybody who asked for something after a moment, and how it stands with them now."""
    s = supporters_table.c
    changed = select(wish_changes.c.supporter_id).where(wish_changes.c.at > moment)
    found = []
    for row in connection.execute(select(s.id, s.address, s.address_hash).where(
            s.id.in_(changed), s.address.is_not(None)).order_by(s.id)).all():
        former = connection.execute(select(former_addresses.c.address_hash, former_addresses.c.left_at).where(
            former_addresses.c.supporter_id == row.id, former_addresses.c.left_at > moment)).all()
        left = connection.execute(select(lists_table.c.name, list_members.c.left_at).join(list_members).where(
            list_members.c.supporter_id == row.id, list_members.c.left_at.is_not(None))).all()
        found.append(Carried(address_hash=row.address_hash, address=row.address, wish=wishes.of(connection, row.id),
                             former=tuple((str(one[0]), one[1]) for one in former),
                             left=tuple((str(one[0]), one[1]) for one in left)))
    return tuple(found)


def carry_over(connection: Connection, carried: Sequence[Carried], at: datetime) -> int:
    """Put it into the restored database, for those whom that knows; returns for how many."""
    done = 0
    for one in carried:
        known = supporters.by_hash(connection, [one.address_hash, *(address for address, _ in one.former)])
        if not known:
            continue
        person = known.get(one.address_hash) or next(iter(known.values()))
        if person.address_hash != one.address_hash:
            connection.execute(update(supporters_table).where(supporters_table.c.id == person.id).values(
                address=one.address, address_hash=one.address_hash, updated_at=at))
        for address_hash, when in one.former:
            wishes.give_up(connection, address_hash, person.id, when)
        wishes.keep(connection, person.id, one.wish, at)
        for name, when in one.left:
            if (list_id := lists.find(connection, name)) is not None:
                lists.leave(connection, list_id, person.id, when)
        wishes.note(connection, person.id, source=SOURCE, changes={}, at=at)
        done += 1
    return done
