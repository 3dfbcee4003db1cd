"""The messages and attempts tables: one row a message; rows change hands by conditional updates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Text, and_, cast, delete, func, insert, or_, select, text, update

from pillarbox.ground import clock
from pillarbox.model.records import Outgoing, Receipt, Shape
from pillarbox.model.states import MessageState, Verdict
from pillarbox.store.bulk import insert_rows
from pillarbox.store.letters import pack_tokens, unpack_shape, unpack_values
from pillarbox.store.schema import attempts, message_values, messages, shapes

STATE_OF = {
    Verdict.ACCEPTED: MessageState.ACCEPTED,
    Verdict.REFUSED: MessageState.FAILED,
    Verdict.RETURNED: MessageState.PLANNED,
    Verdict.UNKNOWN: MessageState.IN_DOUBT,
}
"""What a receipt makes of a message."""
_IDS_AT_ONCE = 5_000


# ------------------------------------------------------------------------------------------------ shapes


def add_shape(connection: Connection, mailing_id: int, shape: Shape) -> int:
    """Keep a shape; returns its row id."""
    return int(connection.execute(insert(shapes).values(
        mailing_id=mailing_id, content_hash=shape.id, subject=shape.subject, html=shape.html, text=shape.text,
        tokens=pack_tokens(shape.tokens), private=shape.private,
    ).returning(shapes.c.id)).scalar_one())


def shape(connection: Connection, shape_id: int) -> Shape:
    """A kept shape."""
    return unpack_shape(connection.execute(select(shapes).where(shapes.c.id == shape_id)).one())


def make_lone_shapes_private(connection: Connection, mailing_id: int) -> None:
    """A shape that serves one message goes with that message when its supporter is forgotten."""
    lone = (select(messages.c.shape_id).where(messages.c.mailing_id == mailing_id)
            .group_by(messages.c.shape_id).having(func.count() == 1))
    connection.execute(update(shapes).where(shapes.c.mailing_id == mailing_id, shapes.c.id.in_(lone))
                       .values(private=True))


# ------------------------------------------------------------------------------------------------ planning

_PLANNED = ("mailing_id", "edition_id", "supporter_id", "address", "address_hash", "to_name", "key", "code", "shape_id",
            "tracked", "domain", "state")


def add(connection: Connection, rows: Sequence[Mapping[str, Any]], values: Sequence[str]) -> None:
    """Insert planned messages (≤ 5,000 in a transaction: readers and other writers keep moving).

    Args:
        connection: in the transaction that writes them.
        rows: columns of ``messages``, as named in ``_PLANNED``; the id is given here. All of them may
            have ``due_at`` too.
        values: of each row, as ``letters.pack_values`` wrote them.
    """
    ids = _new_ids(connection, len(rows))
    columns = (*_PLANNED, "due_at") if any("due_at" in row for row in rows) else _PLANNED
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


# ------------------------------------------------------------------------------------------------ claiming


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What the messages of one unit have in common."""

    wave: int
    shape_id: int
    tracked: bool
    domains: Domains


@dataclass(frozen=True, kw_only=True, slots=True)
class Domains:
    """To which recipient domains a unit goes; by default to all."""

    only: str = ""
    """To this one alone; empty: to more than one."""
    without: tuple[str, ...] = ()
    """These are passed over."""

    @property
    def where(self) -> list[ColumnElement[bool]]:
        """The same as conditions on messages."""
        if self.only:
            return [messages.c.domain == self.only]
        return [messages.c.domain.not_in(self.without)] if self.without else []


ANYWHERE = Domains()


def next_group(connection: Connection, mailing_id: int, *, wave: int | None = None,
               domains: Domains = ANYWHERE) -> Group | None:
    """The next messages to go, first waves first; None when none is left.

    Args:
        connection: in the claim's transaction.
        mailing_id: the mailing.
        wave: later waves wait; None: none of them does.
        domains: messages to others are passed over.
    """
    where = [messages.c.mailing_id == mailing_id, messages.c.state == MessageState.PLANNED, _due(), *domains.where]
    if wave is not None:
        where.append(messages.c.wave <= wave)
    row = connection.execute(
        select(messages.c.wave, messages.c.shape_id, messages.c.tracked).where(*where)
        .order_by(messages.c.wave, messages.c.shape_id, messages.c.tracked).limit(1)).one_or_none()
    return Group(wave=row[0], shape_id=row[1], tracked=row[2], domains=domains) if row else None


def _due() -> ColumnElement[bool]:
    """A message that waits for a time of its own is not taken before it."""
    return or_(messages.c.due_at.is_(None), messages.c.due_at <= clock.now())


def next_due(connection: Connection, mailing_id: int) -> datetime | None:
    """When the next planned message comes whose own time is still ahead; None: none waits for its time."""
    found: datetime | None = connection.execute(select(func.min(messages.c.due_at)).where(
        messages.c.mailing_id == mailing_id, messages.c.state == MessageState.PLANNED,
        messages.c.due_at > clock.now())).scalar_one()
    return found


def longest_due(connection: Connection, mailing_id: int) -> datetime | None:
    """Since when the longest waiting of the planned messages with a time of their own could have left; None: none."""
    found: datetime | None = connection.execute(select(func.min(messages.c.due_at)).where(
        messages.c.mailing_id == mailing_id, messages.c.state == MessageState.PLANNED,
        messages.c.due_at <= clock.now())).scalar_one()
    return found


def first_due(connection: Connection, mailing_id: int) -> datetime | None:
    """The earliest own time among a mailing's messages; None: they have none."""
    found: datetime | None = connection.execute(select(func.min(messages.c.due_at)).where(
        messages.c.mailing_id == mailing_id)).scalar_one()
    return found


def claim(connection: Connection, mailing_id: int, group: Group, *, most: int, worker: str,
          lease_until: datetime) -> tuple[int, int]:
    """Take up to ``most`` planned messages of one group: the record of intent.

    Returns:
        the attempt's id, and how many messages are now ``submitting`` in its name.
    """
    attempt_id = int(connection.execute(insert(attempts).values(
        mailing_id=mailing_id, worker=worker, size=0, started_at=clock.now(), lease_until=lease_until,
    ).returning(attempts.c.id)).scalar_one())
    due = (select(messages.c.id)
           .where(messages.c.mailing_id == mailing_id, messages.c.state == MessageState.PLANNED,
                  messages.c.wave == group.wave, messages.c.shape_id == group.shape_id,
                  messages.c.tracked == group.tracked, *group.domains.where, _due())
           .order_by(messages.c.id).limit(most).with_for_update(skip_locked=True))
    if connection.dialect.name != "sqlite":
        # A common table expression, not a bare subquery: PostgreSQL may run a subquery with LIMIT and SKIP LOCKED more
        # than once in one UPDATE, and then takes more rows than were asked for. (SQLite's driver counts no rows of a
        # statement that begins with one, and locks the whole database anyway.)
        due = select(due.cte("due").c.id)
    claimed = connection.execute(
        update(messages).where(messages.c.id.in_(due), messages.c.state == MessageState.PLANNED)
        .values(state=MessageState.SUBMITTING, attempt_id=attempt_id)).rowcount
    connection.execute(update(attempts).where(attempts.c.id == attempt_id).values(size=claimed))
    return attempt_id, claimed


def held(connection: Connection, mailing_id: int, attempt_id: int) -> str:
    """The messages that an attempt holds, packed by the database: ``unpack_held`` reads them.

    One row instead of a thousand: for each row SQLite's driver hands Python's lock to the other senders, who keep it.
    """
    m = messages.c
    columns = (m.id, m.address, m.to_name, m.key, message_values.c["values"])
    packed: ColumnElement[str]
    if connection.dialect.name == "sqlite":
        packed = func.json_group_array(func.json_array(*columns), type_=Text)
    else:
        packed = cast(func.json_agg(func.json_build_array(*columns)), Text)
    return connection.execute(
        select(packed).select_from(messages.join(message_values))
        .where(m.mailing_id == mailing_id, m.state == MessageState.SUBMITTING, m.attempt_id == attempt_id),
    ).scalar_one() or "[]"


def unpack_held(packed: str) -> tuple[Outgoing, ...]:
    """What ``held`` packed, in the order of the messages' ids."""
    return tuple(Outgoing(message_id=id_, address=address, to_name=to_name, key=key, values=unpack_values(values))
                 for id_, address, to_name, key, values in sorted(orjson.loads(packed)))


def withdraw(connection: Connection, attempt_id: int, reasons: Mapping[int, str]) -> None:
    """Messages of an attempt whose supporters may no longer be written to: message id → reason."""
    by_reason: dict[str, list[int]] = {}
    for message_id, reason in reasons.items():
        by_reason.setdefault(reason, []).append(message_id)
    for reason, ids in by_reason.items():
        connection.execute(_held(attempt_id, ids).values(state=MessageState.WITHDRAWN, detail=reason))


def settle(connection: Connection, attempt_id: int, receipts: Iterable[Receipt], *, detail: str = "") -> int:
    """Write what is known of an attempt's messages; returns how many rows still were the attempt's own.

    A worker that was taken for dead may still come back with the truth: what is in doubt in its name is healed by it;
    what others have taken over is left alone.
    """
    groups: dict[tuple[Verdict, str, str], list[int]] = {}
    for receipt in receipts:
        groups.setdefault((receipt.verdict, receipt.provider_id, receipt.detail), []).append(receipt.message_id)
    moment = clock.now()
    settled = 0
    for (verdict, provider_id, words), ids in groups.items():
        settled += connection.execute(_held(attempt_id, ids, MessageState.IN_DOUBT).values(
            state=STATE_OF[verdict], provider_id=provider_id, detail=words,
            accepted_at=moment if verdict is Verdict.ACCEPTED else None)).rowcount
    finish(connection, attempt_id, detail=detail,
           provider_id=next((provider for _, provider, _ in groups if provider), ""))
    return settled


def finish(connection: Connection, attempt_id: int, *, detail: str = "", provider_id: str = "") -> None:
    """Close an attempt."""
    connection.execute(update(attempts).where(attempts.c.id == attempt_id, attempts.c.finished_at.is_(None))
                       .values(finished_at=clock.now(), detail=detail, provider_id=provider_id))


def _held(attempt_id: int, ids: Sequence[int], *also: MessageState) -> Any:
    return update(messages).where(messages.c.id.in_(ids), messages.c.attempt_id == attempt_id,
                                  messages.c.state.in_((MessageState.SUBMITTING, *also)))


# ------------------------------------------------------------------------------------------------ waves


def put_first(connection: Connection, mailing_id: int, ids: Sequence[int]) -> None:
    """Move planned messages to wave 0."""
    for start in range(0, len(ids), _IDS_AT_ONCE):
        connection.execute(update(messages).where(
            messages.c.mailing_id == mailing_id, messages.c.state == MessageState.PLANNED,
            messages.c.id.in_(ids[start : start + _IDS_AT_ONCE])).values(wave=0))


def wave_is_out(connection: Connection, mailing_id: int, *, wave: int, domains: Domains) -> bool:
    """Whether nothing of a wave, to these domains, is to leave or on its way; a dead sender is not waited for."""
    on_the_way = and_(messages.c.state == MessageState.SUBMITTING, attempts.c.lease_until > clock.now())
    return connection.execute(
        select(messages.c.id).outerjoin(attempts, messages.c.attempt_id == attempts.c.id)
        .where(messages.c.mailing_id == mailing_id,
               messages.c.state.in_((MessageState.PLANNED, MessageState.SUBMITTING)), messages.c.wave == wave,
               *domains.where, or_(messages.c.state == MessageState.PLANNED, on_the_way)).limit(1)).first() is None


# ------------------------------------------------------------------------------------------------ the dead


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAttempt:
    """An attempt that has not been finished."""

    id: int
    worker: str
    lease_until: datetime


def open_attempts(connection: Connection, mailing_id: int) -> list[OpenAttempt]:
    """Attempts of a mailing that nobody has finished."""
    query = select(attempts.c.id, attempts.c.worker, attempts.c.lease_until).where(
        attempts.c.mailing_id == mailing_id, attempts.c.finished_at.is_(None))
    return [OpenAttempt(id=row[0], worker=row[1], lease_until=row[2]) for row in connection.execute(query)]


def bury(connection: Connection, mailing_id: int, attempt_id: int, *, state: MessageState, detail: str) -> int:
    """Give the messages of a dead attempt their new state; returns how many there were."""
    found = connection.execute(
        update(messages).where(messages.c.mailing_id == mailing_id, messages.c.state == MessageState.SUBMITTING,
                               messages.c.attempt_id == attempt_id).values(state=state, detail=detail)).rowcount
    finish(connection, attempt_id, detail=detail)
    return found


def change_state(connection: Connection, mailing_id: int, *, before: MessageState, after: MessageState,
                 detail: str) -> int:
    """Move all of a mailing's messages from one state to another; returns how many."""
    values: dict[str, Any] = {"state": after, "detail": detail}
    if after is MessageState.ACCEPTED:
        values["accepted_at"] = clock.now()
    return connection.execute(update(messages).where(
        messages.c.mailing_id == mailing_id, messages.c.state == before).values(**values)).rowcount


# ------------------------------------------------------------------------------------------------ doubt


def in_doubt(connection: Connection, mailing_id: int) -> dict[int, dict[str, int]]:
    """Attempt → address → message id, of what nobody is sure went."""
    query = select(messages.c.attempt_id, messages.c.address, messages.c.id).where(
        messages.c.mailing_id == mailing_id, messages.c.state == MessageState.IN_DOUBT,
        messages.c.attempt_id.is_not(None)).order_by(messages.c.attempt_id)
    found: dict[int, dict[str, int]] = {}
    for attempt_id, address, message_id in connection.execute(query):
        found.setdefault(attempt_id, {})[address] = message_id
    return found


def found_sent(connection: Connection, attempt_id: int, provider_ids: Mapping[int, str], *, detail: str) -> int:
    """Settle messages of an attempt that were in doubt and surely went: message id → provider id; returns how many."""
    return sum(connection.execute(_doubtful(messages.c.id == message_id, messages.c.attempt_id == attempt_id).values(
        state=MessageState.ACCEPTED, accepted_at=_began(), provider_id=provider_id, detail=detail)).rowcount
        for message_id, provider_id in sorted(provider_ids.items()))


def decide(connection: Connection, mailing_id: int, *, after: MessageState, detail: str) -> int:
    """Give what is in doubt of a mailing the state that staff decided on; returns how many there were."""
    values: dict[str, Any] = {"state": after, "detail": detail}
    if after is MessageState.ACCEPTED:
        values["accepted_at"] = func.coalesce(_began(), clock.now())
    return connection.execute(_doubtful(messages.c.mailing_id == mailing_id).values(**values)).rowcount


def _doubtful(*where: Any) -> Any:
    return update(messages).where(*where, messages.c.state == MessageState.IN_DOUBT)


def _began() -> Any:
    """When the message's attempt began: the best that is known of when it left."""
    return select(attempts.c.started_at).where(attempts.c.id == messages.c.attempt_id).scalar_subquery()


# ------------------------------------------------------------------------------------------------ counting


def states(connection: Connection, mailing_id: int) -> dict[MessageState, int]:
    """How many messages stand in each state."""
    query = (select(messages.c.state, func.count()).where(messages.c.mailing_id == mailing_id)
             .group_by(messages.c.state))
    return {MessageState(state): count for state, count in connection.execute(query)}


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


def failures(connection: Connection, mailing_id: int) -> dict[str, int]:
    """The words of what failed or is in doubt, and how often."""
    query = (select(messages.c.detail, func.count()).where(
        messages.c.mailing_id == mailing_id,
        messages.c.state.in_((MessageState.FAILED, MessageState.IN_DOUBT))).group_by(messages.c.detail))
    return {str(name): int(count) for name, count in connection.execute(query)}
