"""Queries on events, and on the messages that they speak of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, bindparam, case, func, or_, select, update

from pillarbox.model.states import Agent, EventKind, MessageState, Outcome
from pillarbox.store.schema import UNREACHED, attempts, events, mailings, marks, messages, supporters
from pillarbox.store.upsert import insert_for

# States that an event contradicts outright: the ledger said that this message never left.
NEVER_LEFT = UNREACHED

_MESSAGE: tuple[Column[Any], ...] = (
    messages.c.id, messages.c.mailing_id, messages.c.edition_id, messages.c.supporter_id, messages.c.address,
    messages.c.address_hash, messages.c.state, messages.c.attempt_id, messages.c.accepted_at, messages.c.provider_id,
    mailings.c.kind)
_AT_ONCE = 5_000
_OF_MAILING = messages.c.mailing_id == mailings.c.id


def add_new(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Insert events that were not yet heard, and leave the others alone.

    Returns:
        fingerprint → id of each row that was new.
    """
    if not rows:
        return {}
    statement = insert_for(connection, events).on_conflict_do_nothing().returning(events.c.fingerprint, events.c.id)
    return {row.fingerprint: row.id for row in connection.execute(statement, list(rows))}


def messages_by_id(connection: Connection, ids: Collection[int]) -> dict[int, Row[Any]]:
    """The messages with these ids."""
    return _by_id(connection, select(*_MESSAGE).join(mailings, _OF_MAILING)
                  .where(messages.c.id.in_(bindparam("ids", expanding=True))), ids)


def lock_messages(connection: Connection, ids: Collection[int]) -> dict[int, Row[Any]]:
    """The same, held until the transaction ends, in a fixed order, so that no worker moves them meanwhile."""
    statement = (select(*_MESSAGE).join(mailings, _OF_MAILING)
                 .where(messages.c.id.in_(bindparam("ids", expanding=True)))
                 .order_by(messages.c.id).with_for_update(of=messages))
    return _by_id(connection, statement, ids)


def messages_by_address(connection: Connection, hashes: Collection[str]) -> list[Row[Any]]:
    """Every message to these address hashes, however many they are."""
    statement = select(*_MESSAGE).join(mailings, _OF_MAILING).order_by(messages.c.id)
    wanted = sorted(hashes)
    return [row for start in range(0, len(wanted), _AT_ONCE) for row in connection.execute(
        statement.where(messages.c.address_hash.in_(wanted[start : start + _AT_ONCE])))]


def known_addresses(connection: Connection, hashes: Collection[str]) -> dict[str, tuple[int, str | None]]:
    """Address hash → (supporter's id, address) for those hashes that belong to a supporter."""
    if not hashes:
        return {}
    found = connection.execute(select(supporters.c.address_hash, supporters.c.id, supporters.c.address)
                               .where(supporters.c.address_hash.in_(list(hashes))))
    return {row.address_hash: (row.id, row.address) for row in found}


def raise_outcome(connection: Connection, outcome: Outcome, ids: Collection[int]) -> None:
    """Give messages an outcome where theirs is of lower precedence."""
    lower = [other for other in Outcome if other.rank < outcome.rank]
    connection.execute(update(messages).where(messages.c.id.in_(list(ids)), messages.c.outcome.in_(lower))
                       .values(outcome=outcome))


def accept(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Mark messages accepted, whatever the ledger thought; each row: message, at, provider, attempt.

    ``accepted_at`` becomes the earliest time that is known; a provider id that is already there stays. What was not on
    its way belongs from now on to the attempt that the provider names (None: to the one that it had).
    """
    at = bindparam("at", type_=messages.c.accepted_at.type)
    earlier = func.min if connection.dialect.name == "sqlite" else func.least
    # After a restore an attempt's id may be unknown, or given out anew in another mailing.
    named = select(attempts.c.id).where(attempts.c.id == bindparam("attempt", type_=attempts.c.id.type),
                                        attempts.c.mailing_id == messages.c.mailing_id).scalar_subquery()
    idle = or_(*(messages.c.state == state for state in (MessageState.PLANNED, *NEVER_LEFT)))
    statement = update(messages).where(messages.c.id == bindparam("message")).values(
        state=MessageState.ACCEPTED,
        attempt_id=case((idle, func.coalesce(named, messages.c.attempt_id)), else_=messages.c.attempt_id),
        accepted_at=earlier(func.coalesce(messages.c.accepted_at, at), at),
        provider_id=func.coalesce(func.nullif(messages.c.provider_id, ""), bindparam("provider")),
    )
    if batch := list(rows):
        connection.execute(statement, batch)


def live_rival(connection: Connection, message: Row[Any]) -> int | None:
    """Another message of the same edition to the same supporter that counts as sent or to be sent."""
    return connection.execute(select(messages.c.id).where(
        messages.c.edition_id == message.edition_id, messages.c.supporter_id == message.supporter_id,
        messages.c.id != message.id, messages.c.state.not_in(NEVER_LEFT)).limit(1)).scalar()


def ownerless(connection: Connection, provider_ids: Collection[str] | None = None) -> list[Row[Any]]:
    """Events that no message owns yet but one might: of these provider ids, or all."""
    statement = select(events.c.id, events.c.kind, events.c.at, events.c.provider_id, events.c.address_hash).where(
        events.c.message_id.is_(None), events.c.provider_id != "", events.c.address_hash.is_not(None))
    if provider_ids is not None:
        statement = statement.where(events.c.provider_id.in_(list(provider_ids)))
    return list(connection.execute(statement.order_by(events.c.id)))


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


def clicks_and_deliveries(connection: Connection, message_ids: Collection[int]) -> list[Row[Any]]:
    """What the rule for link scanners looks at: id, message_id, kind, at, url, agent."""
    if not message_ids:
        return []
    return list(connection.execute(
        select(events.c.id, events.c.message_id, events.c.kind, events.c.at, events.c.url, events.c.agent)
        .where(events.c.message_id.in_(list(message_ids)),
               events.c.kind.in_([EventKind.CLICKED, EventKind.DELIVERED]))))


def tag_machine(connection: Connection, ids: Collection[int]) -> None:
    """Say that a machine did these."""
    if ids:
        connection.execute(update(events).where(events.c.id.in_(list(ids))).values(agent=Agent.MACHINE))


def mark(connection: Connection, name: str, at: datetime) -> None:
    """Move a mark forward to ``at``; it never moves back."""
    statement = insert_for(connection, marks).values(name=name, at=at)
    connection.execute(statement.on_conflict_do_update(
        index_elements=["name"], set_={"at": statement.excluded.at}, where=marks.c.at < statement.excluded.at))


def _by_id(connection: Connection, statement: Select[Any], ids: Collection[int]) -> dict[int, Row[Any]]:
    if not ids:
        return {}
    return {row.id: row for row in connection.execute(statement, {"ids": sorted(ids)})}
