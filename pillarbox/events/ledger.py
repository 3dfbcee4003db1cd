"""What an event means for the ledger: outcomes rise, acceptance is proved, contradictions raise an alarm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from pillarbox.model.states import EventKind, MessageState, Outcome
from pillarbox.store import audit, mailings, notices
from pillarbox.store import events as table
from pillarbox.store.events import Message
from pillarbox.store.schema import audit as audit_table

ACTOR = "events"
ALARM = "event-about-unsent-message"
TWICE = "event-about-message-sent-again"
OUTCOME = {str(kind): kind.outcome for kind in EventKind if kind.outcome}
"""An event's word → the outcome that it gives its message."""
# States of a message that an attempt has handed over, or may have.
_NONE: AbstractSet[int] = frozenset()
_ACCEPTED = str(MessageState.ACCEPTED)
_LEFT = (MessageState.SUBMITTING, MessageState.ACCEPTED, MessageState.IN_DOUBT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """The ledger took a message for unsent, and the provider says that it left."""

    message_id: int
    mailing_id: int
    state: MessageState
    """What the ledger said."""
    twice: bool
    """The supporter has it twice, or may have: this message was sent again, or another one of the same edition."""


class Sign(NamedTuple):
    """What an event tells of a message."""

    message_id: int
    kind: str
    """An ``EventKind``, as plain text: an enumeration's members are hashed by Python."""
    at: datetime
    provider_id: str
    attempt_id: int | None = None
    """The attempt that the provider names; None when it names none."""


def settle(connection: Connection, signs: Sequence[Sign], held: Mapping[int, Message]) -> list[Alarm]:
    """Bring the ledger up to what these events prove. Any order, any number of times, gives the same ledger.

    Args:
        connection: the transaction.
        signs: what the events tell.
        held: the messages that they tell of, by id, held until the transaction ends: no worker moves them meanwhile.
    """
    alarms = _accept(connection, signs, held)
    outcomes: dict[Outcome, set[int]] = {}
    for sign in signs:
        if outcome := OUTCOME.get(sign.kind):
            outcomes.setdefault(outcome, set()).add(sign.message_id)
    for outcome, about in outcomes.items():
        table.raise_outcome(connection, outcome, about)
    return alarms


def _accept(connection: Connection, signs: Sequence[Sign], held: Mapping[int, Message]) -> list[Alarm]:
    # Most messages were accepted long ago, and known to be.
    moved = {sign.message_id for sign in signs if not _is_known(held[sign.message_id], sign)}
    if not moved:
        return []
    signs = [sign for sign in signs if sign.message_id in moved]
    first: dict[int, datetime] = {}
    provider: dict[int, str] = {}
    attempts: dict[int, set[int]] = {}
    for sign in signs:
        first[sign.message_id] = min(sign.at, first.get(sign.message_id, sign.at))
        if sign.provider_id:
            provider[sign.message_id] = min(sign.provider_id, provider.get(sign.message_id, sign.provider_id))
        if sign.attempt_id is not None:
            attempts.setdefault(sign.message_id, set()).add(sign.attempt_id)
    proved, alarms = [], []
    for message_id in sorted(first):
        row, named = held[message_id], attempts.get(message_id, _NONE)
        if _says_nothing_new(row, first[message_id], named):
            continue
        proof = {"message": message_id, "at": first[message_id], "provider": provider.get(message_id, ""),
                 "attempt": min(named, default=None)}
        if row.state in table.NEVER_LEFT:
            rival = table.live_rival(connection, row)
            alarms += _raise_alarm(connection, row, ALARM, twice=rival is not None)
            if rival is None:
                # At once, not with the others: the next dead message of this edition must see it.
                table.accept(connection, [proof])
        else:
            proved.append(proof)
            if row.state in _LEFT and _of_another(row, named):
                alarms += _raise_alarm(connection, row, TWICE, twice=True)
    table.accept(connection, proved)
    _tell(connection, alarms)
    return alarms


def _is_known(row: Message, sign: Sign) -> bool:
    """Of one sign what ``_says_nothing_new`` asks of all of a message's: where it holds for each, it holds for all."""
    return (row.state == _ACCEPTED and bool(row.provider_id)
            and row.accepted_at is not None and row.accepted_at <= sign.at
            and (sign.attempt_id is None or row.attempt_id is None or sign.attempt_id == row.attempt_id))


def _says_nothing_new(row: Message, first: datetime, attempts: AbstractSet[int]) -> bool:
    return (row.state == MessageState.ACCEPTED and bool(row.provider_id)
            and row.accepted_at is not None and row.accepted_at <= first and not _of_another(row, attempts))


def _of_another(row: Message, attempts: AbstractSet[int]) -> bool:
    """Whether an attempt is named that is not the message's own: one that was taken for unsent, before this one."""
    return row.attempt_id is not None and bool(attempts - {row.attempt_id})


def _raise_alarm(connection: Connection, row: Message, action: str, *, twice: bool) -> list[Alarm]:
    subject = f"message {row.id}"
    told = connection.execute(select(audit_table.c.id).where(
        audit_table.c.action == action, audit_table.c.subject == subject).limit(1)).scalar()
    if told is not None:
        return []
    alarm = Alarm(message_id=row.id, mailing_id=row.mailing_id, state=MessageState(row.state), twice=twice)
    audit.record(connection, actor=ACTOR, action=action, subject=subject,
                 detail={"mailing": row.mailing_id, "state": row.state, "twice": twice})
    return [alarm]


def _tell(connection: Connection, alarms: Sequence[Alarm]) -> None:
    """One notice a mailing for staff."""
    unsent = Counter(alarm.mailing_id for alarm in alarms)
    twice = Counter(alarm.mailing_id for alarm in alarms if alarm.twice)
    for mailing_id, count in unsent.items():
        words = (f"{mailings.by_id(connection, mailing_id).name}: {count:,} that were taken as not sent did go, as the "
                 "provider's events say.")
        if twice[mailing_id]:
            words += f" {twice[mailing_id]:,} of these supporters got the letter twice, or may have."
        notices.add(connection, kind="alarm", mailing_id=mailing_id, words=words)
