"""One unit on its way: claimed with a record of intent, handed over, settled.

The order is the guarantee. Intent is committed before the outside act, so that a crash at any moment leaves a trace;
what the act did is committed after it. A unit whose worker died in between is in doubt, and is never sent on a guess.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import orjson
from sqlalchemy import Connection

from pillarbox.deliver.transport import Transport
from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, StoreError
from pillarbox.ground.process import Worker
from pillarbox.mailings import brakes, envelopes
from pillarbox.mailings.brakes import Watchman
from pillarbox.mailings.gate import Gate, Turn
from pillarbox.model.records import Envelope, Outgoing, Receipt, Result, Shape, Unit
from pillarbox.model.states import MailingState, MessageState, Verdict
from pillarbox.people import audience, segments
from pillarbox.people.segments import Segments
from pillarbox.store import messages
from pillarbox.store.connect import ClashError
from pillarbox.store.mailings import Mailing
from pillarbox.store.messages import Claimed
from pillarbox.store.project import Project

# A mailbox that is refused for the moment is tried this often in one run; then its message fails, with the words.
_PATIENCE = 3
_SHAPES_KEPT = 64
_UNSENT = (Verdict.RETURNED, Verdict.REFUSED)
# Well within the spare time of every lease: a process that slept this long between claim and act does not act.
_STALE = timedelta(seconds=30)
_SLEPT = "the sender slept before it could send this"
# As long may the database be away between an act and its record (a restart, a full disk) before the record is given up.
_DATABASE_BACK_SECONDS, _DATABASE_PAUSE_SECONDS = 60.0, 0.5
# Waited when the rows that are next are just being claimed by another sender.
_HELD_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispatch:
    """Everything that submitting one mailing needs; shared by the threads of one host."""

    project: Project
    mailing: Mailing
    transport: Transport
    envelope: Envelope
    rule: audience.Rule
    segments: Segments
    batch: int
    """Most messages in a unit."""
    worker: str
    gate: Gate
    watchman: Watchman = field(default_factory=Watchman)
    returns: Counter[int] = field(default_factory=Counter)
    """How often each lone message came back in this run."""
    shapes: dict[int, Shape] = field(default_factory=dict)
    """Shapes read from the ledger, by row id."""

    @classmethod
    def of(cls, project: Project, mailing: Mailing, transport: Transport) -> Dispatch:
        """Prepare to send a mailing through a transport, by the rule that it was planned with."""
        return cls(project=project, mailing=mailing, transport=transport,
                   segments=segments.from_json(mailing.audience.get("definitions", {})),
                   gate=Gate(project=project, mailing_id=mailing.id),
                   envelope=envelopes.envelope(project, mailing), rule=audience.Rule.from_json(mailing.audience),
                   batch=batch_size(mailing.planned, transport.unit), worker=str(Worker.this()))


def batch_size(planned: int, unit: int) -> int:
    """Messages a unit: small enough that one crash never puts a large part of a small list in doubt."""
    return min(unit, max(100, planned // 50))


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitted:
    """What one call of ``submit`` did."""

    counts: Mapping[Verdict, int]
    withdrawn: int
    result: Result
    waiting: str = ""
    """Why nothing may leave for ``result.wait_seconds``: a limit, the launch's watch; empty when something left."""


def submit(dispatch: Dispatch) -> Submitted | None:
    """Claim the next unit of the mailing, hand it to the transport, settle it.

    Returns:
        None when nothing is left to claim, or the mailing is not being sent (paused, cancelled).

    Raises:
        PillarboxError: a fault of ours before the outside act; the unit is planned again.
    """
    began = clock.now()
    unit, withdrawn, turn = _claim(dispatch)
    if unit is None:
        if turn.group is None:
            return _waiting(dispatch, turn) if turn.wait_seconds else None
        return Submitted(counts={}, withdrawn=withdrawn,
                         result=Result(receipts=(), wait_seconds=0.0 if withdrawn else _HELD_SECONDS))
    if clock.now() - began > _STALE:  # a closed laptop: meanwhile others may have taken this unit for dead
        result = Result(receipts=_all(unit, Verdict.RETURNED, _SLEPT))
        _settle(dispatch, unit, turn, result)
        return Submitted(counts={Verdict.RETURNED: len(unit.messages)}, withdrawn=withdrawn, result=result)
    try:
        result = dispatch.transport.send(unit)
    except PillarboxError as fault:
        _settle(dispatch, unit, turn, Result(receipts=_all(unit, Verdict.RETURNED, fault.what)))
        raise
    except Exception:  # whatever broke, nobody knows how far it came: doubt is the only honest answer
        _settle(dispatch, unit, turn, Result(receipts=_all(unit, Verdict.UNKNOWN, "the transport broke in mid-act")))
        raise
    result = _lose_patience(dispatch, unit, result)
    _settle(dispatch, unit, turn, result)
    dispatch.watchman.pass_by(dispatch.project, dispatch.mailing)
    return Submitted(counts=Counter(receipt.verdict for receipt in result.receipts), withdrawn=withdrawn,
                     result=result)


def _waiting(dispatch: Dispatch, turn: Turn) -> Submitted:
    """Nothing may leave for a while; what is heard meanwhile is looked at."""
    dispatch.watchman.pass_by(dispatch.project, dispatch.mailing)
    return Submitted(counts={}, withdrawn=0, result=Result(receipts=(), wait_seconds=turn.wait_seconds),
                     waiting=turn.why)


def _claim(dispatch: Dispatch) -> tuple[Unit | None, int, Turn]:
    """Take the next unit in one transaction; those who may no longer be written to are withdrawn in it.

    Returns:
        the unit, or None; how many were withdrawn; and what the gate said: claiming again is worth while when it let
        somebody pass, and later when it has them wait.
    """
    with dispatch.project.store.writing() as connection:
        mailing = dispatch.gate.mailing(connection)
        if not _may_send(mailing):
            return None, 0, Turn()
        turn = dispatch.gate.ask(connection, mailing, most=dispatch.batch)
        group = turn.group
        if group is None:
            return None, 0, turn
        lease = clock.now() + timedelta(seconds=dispatch.transport.lease_seconds)
        attempt_id, claimed = messages.claim(connection, dispatch.mailing.id, group, most=turn.most,
                                             worker=dispatch.worker, lease_until=lease)
        if not claimed:
            messages.finish(connection, attempt_id, detail="another sender was claiming the same messages")
            return None, 0, turn
        left = audience.no_longer_eligible(connection, dispatch.rule, dispatch.segments, mailing_id=dispatch.mailing.id,
                                           attempt_id=attempt_id, tracked=group.tracked)
        messages.withdraw(connection, attempt_id, left)
        going = [row for row in claimed if row.message_id not in left]
        if not going:
            messages.finish(connection, attempt_id, detail="everyone in it had left")
            return None, len(left), turn
        dispatch.gate.pay(connection, turn, len(going))
        shape = _shape(connection, dispatch, group.shape_id)
    return Unit(attempt_id=attempt_id, envelope=dispatch.envelope, shape=shape, tracked=group.tracked,
                messages=tuple(_outgoing(row) for row in going)), len(left), turn


def _may_send(mailing: Mailing) -> bool:
    moment = clock.now()
    return (mailing.state is MailingState.SENDING
            and (mailing.not_before is None or mailing.not_before <= moment)
            and (mailing.not_after is None or moment <= mailing.not_after))


def _outgoing(row: Claimed) -> Outgoing:
    return Outgoing(message_id=row.message_id, address=row.address, to_name=row.to_name, key=row.key,
                    values=tuple(orjson.loads(row.values)))


def _shape(connection: Connection, dispatch: Dispatch, shape_id: int) -> Shape:
    """The shape, read once for the many units that share it."""
    shape = dispatch.shapes.get(shape_id)
    if shape is None:
        if len(dispatch.shapes) >= _SHAPES_KEPT:
            dispatch.shapes.clear()
        shape = dispatch.shapes[shape_id] = messages.shape(connection, shape_id)
    return shape


def _settle(dispatch: Dispatch, unit: Unit, turn: Turn, result: Result) -> None:
    """Record what is known; a database that is away for a moment does not put in doubt what we know."""
    until = time.monotonic() + _DATABASE_BACK_SECONDS
    while True:
        try:
            with dispatch.project.store.writing() as connection:
                messages.settle(connection, unit.attempt_id, result.receipts, detail=result.stop)
                dispatch.gate.give_back(connection, turn, sum(receipt.verdict in _UNSENT
                                                              for receipt in result.receipts))
                if result.stop and not dispatch.transport.repeatable:  # for all workers, not for this one alone
                    brakes.pull(connection, dispatch.mailing, result.stop)
            return
        except StoreError as fault:
            if not fault.retry or isinstance(fault, ClashError) or time.monotonic() > until:
                raise
            time.sleep(_DATABASE_PAUSE_SECONDS)


def _all(unit: Unit, verdict: Verdict, detail: str) -> tuple[Receipt, ...]:
    return tuple(Receipt(message_id=message.message_id, verdict=verdict, detail=detail) for message in unit.messages)


def _lose_patience(dispatch: Dispatch, unit: Unit, result: Result) -> Result:
    """A lone message that keeps coming back fails; one whose provider was unreachable or busy does not."""
    if len(unit.messages) != 1 or result.stop or result.unreachable or result.wait_seconds:
        return result
    receipt = result.receipts[0]
    if receipt.verdict is not Verdict.RETURNED:
        return result
    dispatch.returns[receipt.message_id] += 1
    if dispatch.returns[receipt.message_id] < _PATIENCE:
        return result
    return replace(result, receipts=(replace(receipt, verdict=Verdict.REFUSED),))


def bury_the_dead(project: Project, mailing: Mailing, *, repeatable: bool) -> int:
    """Settle units whose worker surely died or whose lease ran out: in doubt, or planned again where that is harmless.

    Returns:
        how many messages were settled.
    """
    found = 0
    with project.store.writing() as connection:
        for attempt in messages.open_attempts(connection, mailing.id):
            worker = Worker.parse(attempt.worker)
            if attempt.lease_until > clock.now() and not (worker and worker.surely_dead):
                continue
            found += messages.bury(
                connection, mailing.id, attempt.id,
                state=MessageState.PLANNED if repeatable else MessageState.IN_DOUBT,
                detail="" if repeatable else "the sender died while this was on its way")
    return found
