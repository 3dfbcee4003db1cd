"""Queries on events, and on the messages that they speak of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Column, Connection, Row, Select, Update, bindparam, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from pillarbox.model.states import RETURNED, Agent, EventKind, MessageState, Outcome
from pillarbox.store.listed import (
    PACKED,
    among,
    among_packed,
    gathered,
    listed,
    listed_packed,
    moment,
    pack,
    read_moment,
)
from pillarbox.store.schema import UNREACHED, attempts, events, mailings, marks, messages, supporters
from pillarbox.store.upsert import insert_into

# States that an event contradicts outright: the ledger said that this message never left.
NEVER_LEFT = UNREACHED


class Message(NamedTuple):
    """What events ask of a message, and its mailing's kind."""

    id: int
    mailing_id: int
    edition_id: int
    supporter_id: int
    address: str
    address_hash: str
    state: str
    """A ``MessageState``, as plain text."""
    attempt_id: int | None
    accepted_at: datetime | None
    provider_id: str
    outcome: str
    """An ``Outcome``, as plain text."""
    tracked: bool
    kind: str
    """A ``Kind``, as plain text."""
    variant: str


_MESSAGE: tuple[Column[Any], ...] = (
    messages.c.id, messages.c.mailing_id, messages.c.edition_id, messages.c.supporter_id, messages.c.address,
    messages.c.address_hash, messages.c.state, messages.c.attempt_id, messages.c.accepted_at, messages.c.provider_id,
    messages.c.outcome, messages.c.tracked, mailings.c.kind, messages.c.variant)
KEPT = ("message_id", "mailing_id", "kind", "at", "received_at", "provider", "provider_key", "fingerprint",
        "provider_id", "address_hash", "agent", "url", "reason", "domain", "device", "raw")
"""What an event's row holds, in the order that ``add_new`` takes it."""
# Of 16 values each: SQLite takes 32,766 in a statement.
_ROWS_IN_A_STATEMENT = 250
_OF_MAILING = messages.c.mailing_id == mailings.c.id


def add_new(connection: Connection, rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    """Insert events that were not yet heard, and leave the others alone.

    Args:
        connection: the transaction.
        rows: of each event what ``KEPT`` names; words as plain text, times by ``listed.moment``.

    Returns:
        fingerprint → id of each row that was new.
    """
    if not rows:
        return {}
    if connection.dialect.name == "sqlite":
        return _add_to_sqlite(connection, rows)
    return {row[0]: row[1] for row in connection.execute(_adding(), {PACKED: pack(rows)}).all()}


@cache
def _adding() -> ReturningInsert[Any]:
    return postgresql.insert(events).from_select(
        KEPT, listed_packed("postgresql", [events.c[name] for name in KEPT])).on_conflict_do_nothing().returning(
        events.c.fingerprint, events.c.id)


def _add_to_sqlite(connection: Connection, rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    """A few statements of many rows each: SQLite reads them twice as fast as the same rows in JSON."""
    # There is one writer, and ids only rise: what stands above the highest is what went in. Asked for a row at a time
    # (RETURNING), Python's lock would be let go of and waited for a thousand times.
    before = connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM events").scalar_one()
    one = f"({', '.join('?' * len(KEPT))})"
    for start in range(0, len(rows), _ROWS_IN_A_STATEMENT):
        part = rows[start : start + _ROWS_IN_A_STATEMENT]
        connection.exec_driver_sql(
            f"INSERT INTO events ({', '.join(KEPT)}) VALUES {', '.join([one] * len(part))} "  # noqa: S608 - our names
            "ON CONFLICT DO NOTHING", tuple(chain.from_iterable(part)))
    packed = connection.exec_driver_sql(
        "SELECT json_group_object(fingerprint, id) FROM events WHERE id > ?", (before,)).scalar_one()
    found: dict[str, int] = orjson.loads(packed)
    return found


def messages_by_id(connection: Connection, ids: Collection[int]) -> dict[int, Message]:
    """The messages with these ids."""
    return {one.id: one for one in _messages(connection, messages.c.id, ids)}


def _messages(connection: Connection, column: Column[Any], values: Collection[int] | Collection[str]) -> list[Message]:
    """The messages whose column has one of these values."""
    if not values:
        return []
    found = connection.execute(_seeking(connection.dialect.name, column), {PACKED: pack(values)})
    if connection.dialect.name != "sqlite":
        return [Message._make(row) for row in found.all()]
    rows = orjson.loads(found.scalar_one())
    for row in rows:
        row[_ACCEPTED_AT], row[_TRACKED] = _moment_of(row[_ACCEPTED_AT]), row[_TRACKED] == 1
    return list(map(Message._make, rows))


@cache
def _seeking(engine: str, column: Column[Any]) -> Select[Any]:
    sought = select(gathered(*_MESSAGE)) if engine == "sqlite" else select(*_MESSAGE)
    return sought.select_from(messages.join(mailings, _OF_MAILING)).where(among_packed(engine, column))


_ACCEPTED_AT, _TRACKED = Message._fields.index("accepted_at"), Message._fields.index("tracked")
_moment_of = lru_cache(maxsize=8192)(read_moment)


def hold_messages(connection: Connection, ids: Collection[int],
                  seen: Mapping[int, Message] | None = None) -> dict[int, Message]:
    """The same, held until the transaction ends, in a fixed order, so that nobody else changes them meanwhile.

    Args:
        connection: in a transaction that writes.
        ids: of the messages.
        seen: what was read of some of them in this transaction. SQLite has one writer, so that it still stands.
    """
    if connection.dialect.name == "sqlite":
        known = seen or {}
        return {**messages_by_id(connection, [id_ for id_ in ids if id_ not in known]),
                **{id_: known[id_] for id_ in ids if id_ in known}}
    if not ids:
        return {}
    # Not FOR UPDATE: an event's foreign key holds its message a little, and two posts would lock each other out.
    return {row[0]: Message._make(row) for row in connection.execute(
        select(*_MESSAGE).join(mailings, _OF_MAILING).where(among(connection, messages.c.id, ids))
        .order_by(messages.c.id).with_for_update(of=messages, key_share=True))}


def messages_by_address(connection: Connection, hashes: Collection[str]) -> list[Message]:
    """Every message to these address hashes, however many they are, by id."""
    return sorted(_messages(connection, messages.c.address_hash, hashes), key=lambda one: one.id)


def known_addresses(connection: Connection, hashes: Collection[str]) -> dict[str, tuple[int, str | None]]:
    """Address hash → (supporter's id, address) for those hashes that belong to a supporter."""
    if not hashes:
        return {}
    found = connection.execute(select(supporters.c.address_hash, supporters.c.id, supporters.c.address)
                               .where(among(connection, supporters.c.address_hash, hashes)))
    return {row.address_hash: (row.id, row.address) for row in found}


def raise_outcome(connection: Connection, outcome: Outcome, ids: Collection[int]) -> None:
    """Give messages an outcome where theirs is of lower precedence."""
    connection.execute(_raising(connection.dialect.name, outcome), {PACKED: pack(ids)})


@cache
def _raising(engine: str, outcome: Outcome) -> Update:
    lower = [other for other in Outcome if other.rank < outcome.rank]
    return update(messages).where(among_packed(engine, messages.c.id), messages.c.outcome.in_(lower)
                                  ).values(outcome=outcome)


def accept(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Mark messages accepted, whatever the ledger thought; each row: message, at, provider, attempt.

    ``accepted_at`` becomes the earliest time that is known; a provider id that is already there stays. What was not on
    its way belongs from now on to the attempt that the provider names (None: to the one that it had).
    """
    batch = [(row["message"], moment(connection, row["at"]), row["provider"], row["attempt"]) for row in rows]
    if not batch:
        return
    m = messages.c
    proof = listed(connection, [m.id, m.accepted_at, m.provider_id, m.attempt_id], batch,
                   ("message", "at", "provider", "attempt")).subquery("proof")
    earlier = func.min if connection.dialect.name == "sqlite" else func.least
    # After a restore an attempt's id may be unknown, or given out anew in another mailing.
    named = select(attempts.c.id).where(attempts.c.id == proof.c.attempt, attempts.c.mailing_id == m.mailing_id
                                        ).correlate(messages, proof).scalar_subquery()
    idle = or_(*(m.state == state for state in (MessageState.PLANNED, *NEVER_LEFT)))
    connection.execute(update(messages).where(m.id == proof.c.message).values(
        state=MessageState.ACCEPTED,
        attempt_id=case((idle, func.coalesce(named, m.attempt_id)), else_=m.attempt_id),
        accepted_at=earlier(func.coalesce(m.accepted_at, proof.c.at), proof.c.at),
        provider_id=func.coalesce(func.nullif(m.provider_id, ""), proof.c.provider),
    ))


def live_rival(connection: Connection, message: Message) -> int | None:
    """Another message of the same edition to the same supporter that counts as sent or to be sent."""
    return connection.execute(select(messages.c.id).where(
        messages.c.edition_id == message.edition_id, messages.c.supporter_id == message.supporter_id,
        messages.c.id != message.id, messages.c.state.not_in(NEVER_LEFT)).limit(1)).scalar()


def ownerless(connection: Connection, provider_ids: Collection[str] | None = None, *,
              hold: bool = True) -> list[Row[Any]]:
    """Events that no message owns yet but one might: of these provider ids, or all. Held, so that one post ties them.

    Each row: id, kind, at, provider_id, address_hash, agent, device, url.
    """
    if provider_ids is None:
        return list(connection.execute(_OWNERLESS.with_for_update()))
    return list(connection.execute(_ownerless(connection.dialect.name, hold=hold), {PACKED: pack(provider_ids)}))


_E = events.c
_OWNERLESS = select(_E.id, _E.kind, _E.at, _E.provider_id, _E.address_hash, _E.agent, _E.device, _E.url).where(
    _E.message_id.is_(None), _E.provider_id != "", _E.address_hash.is_not(None)).order_by(_E.id)


@cache
def _ownerless(engine: str, *, hold: bool) -> Select[Any]:
    found = _OWNERLESS.where(among_packed(engine, _E.provider_id))
    return found.with_for_update() if hold else found


def give_owner(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Tie events to messages; each row: event, message, mailing."""
    if batch := list(rows):
        connection.execute(update(events).where(events.c.id == bindparam("event")).values(
            message_id=bindparam("message"), mailing_id=bindparam("mailing")), batch)


def about_doubt(connection: Connection, mailing_id: int) -> list[Row[Any]]:
    """Events about messages of a mailing that stand in doubt: message_id, kind, at, provider_id."""
    return list(connection.execute(
        select(events.c.message_id, events.c.kind, events.c.at, events.c.provider_id).join(
            messages, messages.c.id == events.c.message_id)
        .where(messages.c.mailing_id == mailing_id, messages.c.state == MessageState.IN_DOUBT)))


class ClickOrDelivery(NamedTuple):
    """A click or a delivery: what the rule for link scanners looks at, and what is counted."""

    id: int
    message_id: int
    kind: str
    """An ``EventKind``, as plain text."""
    at: datetime
    url: str
    agent: str
    device: str


def clicks_and_deliveries(connection: Connection, message_ids: Collection[int]) -> list[ClickOrDelivery]:
    """All of these messages."""
    if not message_ids:
        return []
    found = connection.execute(_clicks_and_deliveries(connection.dialect.name), {PACKED: pack(message_ids)})
    if connection.dialect.name != "sqlite":
        return [ClickOrDelivery._make(row) for row in found.all()]
    return [ClickOrDelivery._make((*row[:3], _moment_of(row[3]), *row[4:])) for row in orjson.loads(found.scalar_one())]


@cache
def _clicks_and_deliveries(engine: str) -> Select[Any]:
    columns = (_E.id, _E.message_id, _E.kind, _E.at, _E.url, _E.agent, _E.device)
    sought = select(gathered(*columns)) if engine == "sqlite" else select(*columns)
    return sought.where(among_packed(engine, _E.message_id), _E.kind.in_([EventKind.CLICKED, EventKind.DELIVERED]))


def refusals(connection: Connection, message_ids: Collection[int]) -> list[Row[Any]]:
    """What tells why messages came back: id, message_id, kind, reason, domain."""
    if not message_ids:
        return []
    return list(connection.execute(_refusals(connection.dialect.name), {PACKED: pack(message_ids)}))


@cache
def _refusals(engine: str) -> Select[Any]:
    return select(_E.id, _E.message_id, _E.kind, _E.reason, _E.domain).where(
        among_packed(engine, _E.message_id), _E.kind.in_(RETURNED))


def tag_machine(connection: Connection, ids: Collection[int]) -> None:
    """Say that a machine did these."""
    if ids:
        connection.execute(update(events).where(among(connection, events.c.id, ids)).values(agent=Agent.MACHINE))


def mark(connection: Connection, name: str, at: datetime) -> None:
    """Move a mark forward to ``at``; it never moves back."""
    connection.execute(_marking(connection.dialect.name), {"name": name, "at": at})


@cache
def _marking(engine: str) -> sqlite.Insert | postgresql.Insert:
    statement = insert_into(engine, marks).values(name=bindparam("name"), at=bindparam("at"))
    return statement.on_conflict_do_update(
        index_elements=["name"], set_={"at": statement.excluded.at}, where=marks.c.at < statement.excluded.at)
