"""Lists and who is on them. Whoever left stays known as having left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from pillarbox.store.schema import list_members, lists
from pillarbox.store.supporters import among


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """A list at a glance."""

    name: str
    on_it: int
    left: int


def find(connection: Connection, name: str) -> int | None:
    """The list's id, or None."""
    return connection.execute(select(lists.c.id).where(lists.c.name == name)).scalar_one_or_none()


def create(connection: Connection, name: str, at: datetime) -> int:
    """A new, empty list's id."""
    return int(connection.execute(insert(lists).values(name=name, created_at=at).returning(lists.c.id)).scalar_one())


def members(connection: Connection, list_id: int, supporter_ids: Sequence[int]) -> dict[int, datetime | None]:
    """Of these supporters, those who were ever on the list: id → when they left, None while they are on it."""
    found = connection.execute(select(list_members.c.supporter_id, list_members.c.left_at).where(
        list_members.c.list_id == list_id, among(connection, list_members.c.supporter_id, supporter_ids)))
    return {row.supporter_id: row.left_at for row in found}


def join_many(connection: Connection, list_id: int, supporter_ids: Iterable[int], at: datetime,
              import_id: int | None) -> None:
    """Put supporters who were never on the list on it."""
    if rows := [{"list_id": list_id, "supporter_id": supporter, "joined_at": at, "import_id": import_id}
                for supporter in supporter_ids]:
        connection.execute(insert(list_members), rows)


def come_back(connection: Connection, list_id: int, supporter_id: int, at: datetime) -> bool:
    """Put a supporter who left a list on it again, by their own word alone; whether they had left."""
    back = connection.execute(update(list_members).where(
        list_members.c.list_id == list_id, list_members.c.supporter_id == supporter_id,
        list_members.c.left_at.is_not(None)).values(left_at=None, joined_at=at))
    return back.rowcount > 0


def leave(connection: Connection, list_id: int, supporter_id: int, at: datetime) -> bool:
    """Take a supporter off a list; whether they were on it."""
    gone = connection.execute(update(list_members).where(
        list_members.c.list_id == list_id, list_members.c.supporter_id == supporter_id,
        list_members.c.left_at.is_(None)).values(left_at=at))
    return gone.rowcount > 0


def overview(connection: Connection) -> list[Overview]:
    """Every list with how many are on it and how many have left, by name."""
    rows = connection.execute(
        select(lists.c.name, func.count(list_members.c.supporter_id), func.count(list_members.c.left_at))
        .select_from(lists.outerjoin(list_members)).group_by(lists.c.name).order_by(lists.c.name))
    return [Overview(name=name, on_it=everyone - left, left=left) for name, everyone, left in rows]
