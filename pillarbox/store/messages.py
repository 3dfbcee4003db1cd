"""The messages table: one row a message, with its values beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, delete, func, select, text, update

from pillarbox.ground import clock
from pillarbox.model.states import MessageState
from pillarbox.store.bulk import insert_rows
from pillarbox.store.schema import message_values, messages, shapes

_PLANNED = ("mailing_id", "edition_id", "supporter_id", "address", "address_hash", "to_name", "key", "code", "shape_id",
            "tracked", "domain", "state")
_AT_TIMES = ("due_at", "variant")


def add(connection: Connection, rows: Sequence[Mapping[str, Any]], values: Sequence[str]) -> None:
    """Insert planned messages (≤ 5,000 in a transaction: readers and other writers keep moving).

    Args:
        connection: in the transaction that writes them.
        rows: columns of ``messages``, as named in ``_PLANNED``; the id is given here. All of them may
            have ``due_at`` or ``variant`` too.
        values: of each row, as ``letters.pack_values`` wrote them.
    """
    ids = _new_ids(connection, len(rows))
    columns = (*_PLANNED, *(name for name in _AT_TIMES if any(name in row for row in rows)))
    planned = itemgetter(*columns)
    insert_rows(connection, messages, ("id", *columns),
                [(id_, *planned(row)) for id_, row in zip(ids, rows, strict=True)])
    insert_rows(connection, message_values, ("message_id", "values"), list(zip(ids, values, strict=True)))


def _new_ids(connection: Connection, count: int) -> Sequence[int]:
    """Ids that no other message has or will have, rising. On SQLite the transaction must hold the writer's lock."""
    if connection.dialect.name == "postgresql":
        return connection.execute(text(
            "SELECT nextval(pg_get_serial_sequence('messages', 'id')) FROM generate_series(1, :count)"),
            {"count": count}).scalars().all()
    highest = connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")).scalar() or 0
    return range(highest + 1, highest + 1 + count)


def written(connection: Connection, mailing_id: int) -> Iterator[tuple[str, str]]:
    """(address hash, values) of a mailing's messages in the order of writing, for the digest."""
    first, last = connection.execute(select(func.min(messages.c.id), func.max(messages.c.id))
                                     .where(messages.c.mailing_id == mailing_id)).one()
    # Read along the ids. By the mailing's own index the engines would sort everything, values and all, in memory;
    # the addition keeps them from that index.
    query = (select(messages.c.address_hash, message_values.c["values"]).join(message_values)
             .where(messages.c.id.between(first, last), messages.c.mailing_id + 0 == mailing_id)
             .order_by(messages.c.id).execution_options(yield_per=5_000))
    for row in connection.execute(query):
        yield row[0], row[1]


def delete_all(connection: Connection, mailing_id: int) -> None:
    """Delete a mailing's messages and shapes: only for one that never was planned whole."""
    theirs = select(messages.c.id).where(messages.c.mailing_id == mailing_id)
    connection.execute(delete(message_values).where(message_values.c.message_id.in_(theirs)))
    connection.execute(delete(messages).where(messages.c.mailing_id == mailing_id))
    connection.execute(delete(shapes).where(shapes.c.mailing_id == mailing_id))


def change_state(connection: Connection, mailing_id: int, *, before: MessageState, after: MessageState,
                 detail: str, of_detail: str | None = None) -> int:
    """Move all of a mailing's messages from one state to another; returns how many.

    Args:
        detail: why, from now on.
        of_detail: only those of which this was said; None: all.
    """
    values: dict[str, Any] = {"state": after, "detail": detail}
    if after is MessageState.ACCEPTED:
        values["accepted_at"] = clock.now()
    of_these = [messages.c.detail == of_detail] if of_detail is not None else []
    return connection.execute(update(messages).where(
        messages.c.mailing_id == mailing_id, messages.c.state == before, *of_these).values(**values)).rowcount


def states(connection: Connection, mailing_id: int) -> dict[MessageState, int]:
    """How many messages stand in each state."""
    query = (select(messages.c.state, func.count()).where(messages.c.mailing_id == mailing_id)
             .group_by(messages.c.state))
    return {MessageState(state): count for state, count in connection.execute(query)}


def variant_states(connection: Connection, mailing_id: int) -> dict[str, dict[MessageState, int]]:
    """The same of each variant of the letter; nothing where there is only one."""
    found: dict[str, dict[MessageState, int]] = {}
    # In the order of ix_messages_standing, so that the index alone answers.
    kinds = (messages.c.state, messages.c.tracked, messages.c.outcome, messages.c.variant)
    for state, _, _, variant, count in connection.execute(
            select(*kinds, func.count()).where(messages.c.mailing_id == mailing_id).group_by(*kinds)):
        if variant:
            counts = found.setdefault(variant, {})
            counts[MessageState(state)] = counts.get(MessageState(state), 0) + count
    return found


def remaining(connection: Connection, mailing_id: int) -> int:
    """How many messages are planned or on their way."""
    return int(connection.execute(select(func.count()).select_from(messages).where(
        messages.c.mailing_id == mailing_id,
        messages.c.state.in_((MessageState.PLANNED, MessageState.SUBMITTING)))).scalar_one())


def count(connection: Connection, mailing_id: int, *, after_wave: int) -> int:
    """How many messages stand in later waves than this, in whatever state."""
    return int(connection.execute(select(func.count()).select_from(messages).where(
        messages.c.mailing_id == mailing_id, messages.c.wave > after_wave)).scalar_one())


def outcomes(connection: Connection, mailing_id: int) -> dict[str, int]:
    """How many messages have each outcome."""
    query = (select(messages.c.outcome, func.count()).where(messages.c.mailing_id == mailing_id)
             .group_by(messages.c.outcome))
    return {str(name): int(count) for name, count in connection.execute(query)}


def reached(connection: Connection, edition_id: int) -> set[int]:
    """Supporters who hold a place in an edition: theirs was sent, may have been, or is about to be."""
    unreached = (MessageState.CANCELLED, MessageState.WITHDRAWN, MessageState.FAILED)
    return set(connection.execute(select(messages.c.supporter_id).where(
        messages.c.edition_id == edition_id, messages.c.state.not_in(unreached))).scalars())


def withdrawals(connection: Connection, mailing_id: int) -> dict[str, int]:
    """Why messages were left out since planning, and how many."""
    query = (select(messages.c.detail, func.count()).where(
        messages.c.mailing_id == mailing_id, messages.c.state == MessageState.WITHDRAWN)
        .group_by(messages.c.detail).order_by(messages.c.detail))
    return {str(reason): int(count) for reason, count in connection.execute(query)}


def failures(connection: Connection, mailing_id: int) -> dict[str, int]:
    """The words of what failed or is in doubt, and how often."""
    query = (select(messages.c.detail, func.count()).where(
        messages.c.mailing_id == mailing_id,
        messages.c.state.in_((MessageState.FAILED, MessageState.IN_DOUBT))).group_by(messages.c.detail))
    return {str(name): int(count) for name, count in connection.execute(query)}
