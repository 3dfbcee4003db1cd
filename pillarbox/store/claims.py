"""Attempts: messages change hands by conditional updates, claimed before they leave and settled after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Text, cast, func, insert, select, update

from pillarbox.ground import clock
from pillarbox.model.records import Outgoing, Receipt
from pillarbox.model.states import MessageState, Verdict
from pillarbox.store.letters import unpack_values
from pillarbox.store.schema import attempts, message_values, messages
from pillarbox.store.waves import Group, is_due

STATE_OF = {
    Verdict.ACCEPTED: MessageState.ACCEPTED,
    Verdict.REFUSED: MessageState.FAILED,
    Verdict.RETURNED: MessageState.PLANNED,
    Verdict.UNKNOWN: MessageState.IN_DOUBT,
}
"""What a receipt makes of a message."""
_HEALED = dict.fromkeys(Verdict, (MessageState.IN_DOUBT,)) | {
    Verdict.ACCEPTED: (MessageState.IN_DOUBT, MessageState.PLANNED)}
"""Which states a receipt that comes late puts right: it knows more than those who took its sender for dead."""


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
                  messages.c.tracked == group.tracked, *group.domains.where, is_due())
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

    A worker that was taken for dead may still come back with the truth: what is in doubt in its name is healed by it,
    and what staff took as unsent meanwhile, and nobody has sent again yet, is not sent again if it went. What others
    have taken over is left alone.
    """
    groups: dict[tuple[Verdict, str, str], list[int]] = {}
    for receipt in receipts:
        groups.setdefault((receipt.verdict, receipt.provider_id, receipt.detail), []).append(receipt.message_id)
    moment = clock.now()
    settled = 0
    for (verdict, provider_id, words), ids in groups.items():
        settled += connection.execute(_held(attempt_id, ids, *_HEALED[verdict]).values(
            state=STATE_OF[verdict], provider_id=provider_id, detail=words,
            accepted_at=moment if verdict is Verdict.ACCEPTED else None)).rowcount
    finish(connection, attempt_id, detail=detail,
           provider_id=next((provider for _, provider, _ in groups if provider), ""))
    return settled


def take_back(connection: Connection, mailing_id: int, attempt_id: int, *, worker: str, lease_until: datetime,
              detail: str) -> int:
    """Plan again what an unfinished attempt of this very sender holds; returns how many messages.

    By its lease too, not by its id alone: after a claim that was rolled back SQLite gives the id to another sender.
    """
    ours = connection.execute(select(attempts.c.id).where(
        attempts.c.id == attempt_id, attempts.c.mailing_id == mailing_id, attempts.c.worker == worker,
        attempts.c.lease_until == lease_until, attempts.c.finished_at.is_(None)).with_for_update()).first()
    if ours is None:
        return 0
    return bury(connection, mailing_id, attempt_id, state=MessageState.PLANNED, detail=detail)


def finish(connection: Connection, attempt_id: int, *, detail: str = "", provider_id: str = "") -> None:
    """Close an attempt."""
    connection.execute(update(attempts).where(attempts.c.id == attempt_id, attempts.c.finished_at.is_(None))
                       .values(finished_at=clock.now(), detail=detail, provider_id=provider_id))


def _held(attempt_id: int, ids: Sequence[int], *also: MessageState) -> Any:
    return update(messages).where(messages.c.id.in_(ids), messages.c.attempt_id == attempt_id,
                                  messages.c.state.in_((MessageState.SUBMITTING, *also)))


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
