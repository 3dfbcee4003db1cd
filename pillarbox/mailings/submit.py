"""One unit on its way: claimed with a record of intent, handed over, settled.

The order is the guarantee. Intent is committed before the outside act, so that a crash at any moment leaves a trace;
what the act did is committed after it. A unit whose worker died in between is in doubt, and is never sent on a guess.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from pillarbox.ground import clock, logs, metrics
from pillarbox.ground.errors import PillarboxError, StoreError
from pillarbox.mailings import brakes, control
from pillarbox.mailings.claiming import DATABASE_BACK_SECONDS, DATABASE_PAUSE_SECONDS, claim
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.gate import Turn
from pillarbox.model.records import Receipt, Result, Unit
from pillarbox.model.states import MailingState, Verdict
from pillarbox.store import claims, mailings, witness
from pillarbox.store.connect import ClashError

log = logs.get("mailings")

# A mailbox that is refused for the moment is tried this often in one run; then its message fails, with the words.
_PATIENCE = 3
_UNSENT = (Verdict.RETURNED, Verdict.REFUSED)
# Well within the spare time of every lease: a process that slept this long between claim and act does not act.
_STALE = timedelta(seconds=30)
_SLEPT = "the sender slept before it could send this"
# Waited when the rows that are next are just being claimed by another sender.
_HELD_SECONDS = 0.1


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
    with metrics.timed(metrics.SUBMIT_SECONDS.labels("claim")) as claiming:
        unit, withdrawn, turn = claim(dispatch)
    if unit is None:
        metrics.count(metrics.MESSAGES, {"withdrawn": withdrawn}, practice=_practice(dispatch))
        if turn.group is None:
            return _waiting(dispatch, turn) if turn.wait_seconds else None
        return Submitted(counts={}, withdrawn=withdrawn,
                         result=Result(receipts=(), wait_seconds=0.0 if withdrawn else _HELD_SECONDS))
    if clock.now() - began > _STALE:  # a closed laptop: meanwhile others may have taken this unit for dead
        log.warning("batch.not-tried", mailing=dispatch.mailing.name, attempt=unit.attempt_id, reason="slept")
        result = Result(receipts=_all(unit, Verdict.RETURNED, _SLEPT))
        _settle(dispatch, unit, turn, result)
        return Submitted(counts={Verdict.RETURNED: len(unit.messages)}, withdrawn=withdrawn, result=result)
    witness.note(dispatch.project.settings, dispatch.project.id, unit.attempt_id)
    try:
        with metrics.timed(metrics.SUBMIT_SECONDS.labels("post")) as posting:
            result = dispatch.transport.send(unit)
    except PillarboxError as fault:
        log.fault("batch.not-tried", fault, mailing=dispatch.mailing.name, attempt=unit.attempt_id)
        _settle(dispatch, unit, turn, Result(receipts=_all(unit, Verdict.RETURNED, fault.what)))
        raise
    except Exception as fault:  # whatever broke, nobody knows how far it came: doubt is the only honest answer
        log.fault("batch.broke", fault, mailing=dispatch.mailing.name, attempt=unit.attempt_id)
        _settle(dispatch, unit, turn, Result(receipts=_all(unit, Verdict.UNKNOWN, "the transport broke in mid-act")))
        raise
    result = _lose_patience(dispatch, unit, result)
    with metrics.timed(metrics.SUBMIT_SECONDS.labels("settle")) as settling:
        _settle(dispatch, unit, turn, result)
    # After doubt at once: by the next look all that is left might be in doubt too.
    unsure = any(receipt.verdict is Verdict.UNKNOWN for receipt in result.receipts)
    dispatch.watchman.pass_by(dispatch.project, dispatch.mailing, at_once=unsure)
    done = Submitted(counts=Counter(receipt.verdict for receipt in result.receipts), withdrawn=withdrawn,
                     result=result)
    _tell(dispatch, unit, done, claim=claiming.seconds, post=posting.seconds, settle=settling.seconds)
    return done


def _tell(dispatch: Dispatch, unit: Unit, done: Submitted, *, claim: float, post: float, settle: float) -> None:
    """Count and log a batch that is settled; whoever must act on it is told louder."""
    mailing, counts = dispatch.mailing, {verdict.value: number for verdict, number in done.counts.items()}
    practice = _practice(dispatch)
    metrics.BATCHES.labels(mailing.transport, practice).inc()
    metrics.count(metrics.MESSAGES, {**counts, "withdrawn": done.withdrawn}, practice=practice)
    alarming = done.result.stop or done.result.unreachable or Verdict.UNKNOWN in done.counts
    (log.warning if alarming else log.info)(
        "batch.settled", mailing=mailing.name, attempt=unit.attempt_id, size=len(unit.messages), **counts,
        withdrawn=done.withdrawn or None, claim_seconds=claim, post_seconds=post, settle_seconds=settle,
        wait_seconds=done.result.wait_seconds or None, stopped=bool(done.result.stop) or None,
        unreachable=done.result.unreachable or None)


def _waiting(dispatch: Dispatch, turn: Turn) -> Submitted:
    """Nothing may leave for a while; what is heard meanwhile is looked at."""
    dispatch.watchman.pass_by(dispatch.project, dispatch.mailing)
    return Submitted(counts={}, withdrawn=0, result=Result(receipts=(), wait_seconds=turn.wait_seconds),
                     waiting=turn.why)


def _practice(dispatch: Dispatch) -> str:
    return "yes" if dispatch.mailing.practice else "no"


def _settle(dispatch: Dispatch, unit: Unit, turn: Turn, result: Result) -> None:
    """Record what is known; a database that is away for a moment does not put in doubt what we know."""
    until = time.monotonic() + DATABASE_BACK_SECONDS
    while True:
        try:
            with dispatch.project.store.writing() as connection:
                returned = any(receipt.verdict is Verdict.RETURNED for receipt in result.receipts)
                if returned or result.stop or dispatch.mailing.provider_batch:
                    # Before its messages, as everybody does who changes both: who closes or cancels the mailing at
                    # this moment sees all of what is written here, or is seen.
                    mailings.hold(connection, dispatch.mailing.id, alone=True)
                settled = claims.settle(connection, unit.attempt_id, result.receipts, detail=result.stop)
                dispatch.gate.give_back(connection, turn, sum(receipt.verdict in _UNSENT
                                                              for receipt in result.receipts))
                if returned and settled:
                    # A sender that was taken for dead, and wakes when all the rest has gone, brings back what surely
                    # did not leave: the mailing is not over after all.
                    mailings.move(connection, dispatch.mailing.id, before=(MailingState.SENT, MailingState.HELD),
                                  after=MailingState.SENDING, finished_at=None)
                if returned or dispatch.mailing.provider_batch:  # here and now: after a kill nobody would look again
                    control.cancel_rest(connection, dispatch.mailing.id)
                if result.stop and not dispatch.transport.repeatable:  # for all workers, not for this one alone
                    brakes.pull(connection, dispatch.mailing, result.stop)
            return
        except StoreError as fault:
            if not fault.retry or isinstance(fault, ClashError) or time.monotonic() > until:
                raise
            time.sleep(DATABASE_PAUSE_SECONDS)


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
