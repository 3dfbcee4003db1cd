"""Queries on what payment providers told: each event once, and all that was told of one payment or pledge."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from pillarbox.store.schema import hook_events, hook_keys
from pillarbox.store.upsert import insert_for

_AT_ONCE = 500
# A number that no other advisory lock of the database has: "hook" in ASCII.
_ONE_AT_A_TIME = 0x686F6F6B


def one_at_a_time(connection: Connection) -> None:
    """Let no other transaction take in hooks until this one ends: each must see what the others were told.

    To be called before anything is read. SQLite has one writer at a time as it is.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))


def add_new(connection: Connection, row: Mapping[str, Any], keys: Collection[str]) -> int | None:
    """Keep an event that was not yet heard; its id, or None when it was."""
    statement = insert_for(connection, hook_events).values(**row).on_conflict_do_nothing(
        index_elements=["provider", "event_id"]).returning(hook_events.c.id)
    new = connection.execute(statement).scalar()
    if new is not None:
        add_keys(connection, new, keys)
    return new


def add_keys(connection: Connection, hook_event_id: int, keys: Collection[str]) -> None:
    """An event names these ids of its payment; those that are known already stay."""
    if keys:
        statement = insert_for(connection, hook_keys).on_conflict_do_nothing()
        connection.execute(statement, [{"key": key, "hook_event_id": hook_event_id} for key in sorted(keys)])


def of_payment(connection: Connection, provider: str, keys: Collection[str]) -> tuple[list[Row[Any]], set[str]]:
    """Every event of the payment that goes by any of these ids, and all the ids that it goes by."""
    names, events, fresh = set(keys), set[int](), set(keys)
    while fresh:
        of = set(connection.execute(
            select(hook_keys.c.hook_event_id).join(hook_events, hook_events.c.id == hook_keys.c.hook_event_id)
            .where(hook_keys.c.key.in_(sorted(fresh)), hook_events.c.provider == provider)).scalars()) - events
        events |= of
        fresh = _names(connection, of) - names
        names |= fresh
    return _rows(connection, events), names


def of_pledge(connection: Connection, provider: str, pledge: str) -> list[Row[Any]]:
    """Every event that belongs to a pledge, its payments' included."""
    return list(connection.execute(select(hook_events).where(
        hook_events.c.provider == provider, hook_events.c.pledge == pledge).order_by(hook_events.c.id)))


def keys_of(connection: Connection, ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Event's id → the ids that it gives its payment."""
    found: dict[int, list[str]] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        for row in connection.execute(select(hook_keys).where(
                hook_keys.c.hook_event_id.in_(wanted[start : start + _AT_ONCE])).order_by(hook_keys.c.key)):
            found.setdefault(row.hook_event_id, []).append(row.key)
    return {of: tuple(keys) for of, keys in found.items()}


def known_payments(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of these ids that a provider's hook has told of."""
    wanted = sorted(keys)
    return {key for start in range(0, len(wanted), _AT_ONCE) for key in connection.execute(
        select(hook_keys.c.key).where(hook_keys.c.key.in_(wanted[start : start + _AT_ONCE])).distinct()).scalars()}


def to_ask(connection: Connection, provider: str, now: datetime, most: int) -> list[Row[Any]]:
    """Events of which the provider is to be asked now, those that wait longest first."""
    return list(connection.execute(
        select(hook_events).where(hook_events.c.provider == provider, hook_events.c.ask_at <= now)
        .order_by(hook_events.c.ask_at, hook_events.c.id).limit(most)))


def claim(connection: Connection, row: Row[Any], until: datetime) -> bool:
    """Take it upon oneself to ask; others leave it alone until then. False: somebody else did first."""
    return connection.execute(update(hook_events).where(
        hook_events.c.id == row.id, hook_events.c.ask_at == row.ask_at).values(ask_at=until)
        .returning(hook_events.c.id)).first() is not None


def still_to_ask(connection: Connection, hook_event_id: int) -> bool:
    """Whether nobody has asked meanwhile."""
    return connection.execute(select(hook_events.c.id).where(
        hook_events.c.id == hook_event_id, hook_events.c.ask_at.is_not(None))).first() is not None


def unanswered(connection: Connection, provider: str) -> int:
    """How many events still wait for the provider's answer."""
    return int(connection.execute(select(func.count()).where(
        hook_events.c.provider == provider, hook_events.c.ask_at.is_not(None))).scalar_one())


def answered(connection: Connection, hook_event_id: int, values: Mapping[str, Any], keys: Collection[str]) -> None:
    """Keep what the provider answered."""
    connection.execute(update(hook_events).where(hook_events.c.id == hook_event_id).values(**values, ask_at=None))
    add_keys(connection, hook_event_id, keys)


def ask_later(connection: Connection, hook_event_id: int, asked: int, at: datetime | None) -> None:
    """The provider did not answer: it is asked again then, or no more. Someone else's answer meanwhile stays."""
    connection.execute(update(hook_events).where(
        hook_events.c.id == hook_event_id, hook_events.c.ask_at.is_not(None)).values(asked=asked, ask_at=at))


def put_off(connection: Connection, provider: str, until: datetime) -> None:
    """Ask about nothing of this provider before then."""
    connection.execute(update(hook_events).where(
        hook_events.c.provider == provider, hook_events.c.ask_at < until).values(ask_at=until))


def _names(connection: Connection, ids: Collection[int]) -> set[str]:
    return {key for keys in keys_of(connection, ids).values() for key in keys}


def _rows(connection: Connection, ids: Collection[int]) -> list[Row[Any]]:
    wanted = sorted(ids)
    return [row for start in range(0, len(wanted), _AT_ONCE) for row in connection.execute(
        select(hook_events).where(hook_events.c.id.in_(wanted[start : start + _AT_ONCE])).order_by(hook_events.c.id))]
