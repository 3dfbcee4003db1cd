"""What an event means for the ledger: outcomes rise, acceptance is proved, contradictions raise an alarm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from pillarbox.model.states import EventKind, MessageState, Outcome
from pillarbox.store import audit
from pillarbox.store import events as table
from pillarbox.store.schema import audit as audit_table

ACTOR = "events"
ALARM = "event-about-unsent-message"


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """The ledger said that a message never left, and the provider says that it did."""

    message_id: int
    mailing_id: int
    state: MessageState
    """What the ledger said."""
    twice: bool
    """Another message of the same edition to the same supporter counts as sent, so the state stays as it was."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """What an event tells of a message."""

    message_id: int
    kind: EventKind
    at: datetime
    provider_id: str


def settle(connection: Connection, signs: Sequence[Sign], seen: Mapping[int, Row[Any]]) -> list[Alarm]:
    """Bring the ledger up to what these events prove. Any order, any number of times, gives the same ledger.

    Args:
        connection: the transaction.
        signs: what the events tell.
        seen: the messages that they tell of, by id, as read in this transaction.
    """
    alarms = _accept(connection, signs, seen)
    outcomes: dict[Outcome, set[int]] = {}
    for sign in signs:
        if outcome := sign.kind.outcome:
            outcomes.setdefault(outcome, set()).add(sign.message_id)
    for outcome, about in outcomes.items():
        table.raise_outcome(connection, outcome, about)
    return alarms


def _accept(connection: Connection, signs: Sequence[Sign], seen: Mapping[int, Row[Any]]) -> list[Alarm]:
    first: dict[int, datetime] = {}
    provider: dict[int, str] = {}
    for sign in signs:
        first[sign.message_id] = min(sign.at, first.get(sign.message_id, sign.at))
        if sign.provider_id:
            provider[sign.message_id] = min(sign.provider_id, provider.get(sign.message_id, sign.provider_id))
    # What was accepted stays so; anything else a worker may be moving at this moment: hold it, and look again.
    open_ids = [message_id for message_id in first if not _says_nothing_new(seen[message_id], first[message_id])]
    proved, alarms = [], []
    for message_id, row in sorted(table.lock_messages(connection, open_ids).items()):
        proof = {"message": message_id, "at": first[message_id], "provider": provider.get(message_id, "")}
        if row.state in table.NEVER_LEFT:
            rival = table.live_rival(connection, row)
            alarms += _raise_alarm(connection, row, twice=rival is not None)
            if rival is None:
                # At once, not with the others: the next dead message of this edition must see it.
                table.accept(connection, [proof])
        else:
            proved.append(proof)
    table.accept(connection, proved)
    return alarms


def _says_nothing_new(row: Row[Any], first: datetime) -> bool:
    return (row.state == MessageState.ACCEPTED and bool(row.provider_id)
            and row.accepted_at is not None and row.accepted_at <= first)


def _raise_alarm(connection: Connection, row: Row[Any], *, twice: bool) -> list[Alarm]:
    subject = f"message {row.id}"
    told = connection.execute(select(audit_table.c.id).where(
        audit_table.c.action == ALARM, audit_table.c.subject == subject).limit(1)).scalar()
    if told is not None:
        return []
    alarm = Alarm(message_id=row.id, mailing_id=row.mailing_id, state=MessageState(row.state), twice=twice)
    audit.record(connection, actor=ACTOR, action=ALARM, subject=subject,
                 detail={"mailing": row.mailing_id, "state": row.state, "twice": twice})
    return [alarm]
