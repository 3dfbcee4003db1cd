"""Claiming the next unit of a mailing: the record of intent, committed before the outside act."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pillarbox.ground import clock
from pillarbox.ground.errors import StoreError
from pillarbox.mailings import control, hours
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.gate import Turn
from pillarbox.model.records import Shape, Unit
from pillarbox.model.states import Kind, MailingState
from pillarbox.people import audience
from pillarbox.store import claims, mailings, migrate, shapes
from pillarbox.store.mailings import Mailing

# As long may the database be away between an act and its record (a restart, a full disk) before the record is given up.
DATABASE_BACK_SECONDS, DATABASE_PAUSE_SECONDS = 60.0, 0.5
_SHAPES_KEPT = 64
_UNSURE_CLAIM = "the database did not say whether it had the claim; nothing was posted"


def claim(dispatch: Dispatch) -> tuple[Unit | None, int, Turn]:
    """Take the next unit in one transaction; those who may no longer be written to are withdrawn in it.

    Returns:
        the unit, or None; how many were withdrawn; and what the gate said: claiming again is worth while when it let
        somebody pass, and later when it has them wait.
    """
    intent: _Intent | None = None
    try:
        with dispatch.project.store.writing() as connection:
            migrate.still_fits(connection)
            mailing = dispatch.gate.mailing(connection)
            if not _may_send(mailing, dispatch):
                return None, 0, Turn()
            turn = dispatch.gate.ask(connection, mailing, most=dispatch.batch)
            group = turn.group
            if group is None:
                return None, 0, turn
            lease = clock.now() + timedelta(seconds=dispatch.transport.lease_seconds)
            attempt_id, claimed = claims.claim(connection, dispatch.mailing.id, group, most=turn.most,
                                               worker=dispatch.worker, lease_until=lease)
            intent = _Intent(attempt_id=attempt_id, lease_until=lease, turn=turn)
            if not claimed:
                claims.finish(connection, attempt_id, detail="another sender was claiming the same messages")
                return None, 0, turn
            # A proof goes to whom staff named, who need not be supporters.
            left = {} if mailing.kind is Kind.PROOF else audience.no_longer_eligible(
                connection, dispatch.rule, dispatch.segments, attempt_id=attempt_id, mailing_id=dispatch.mailing.id,
                tracked=group.tracked)
            claims.withdraw(connection, attempt_id, left)
            if len(left) == claimed:
                claims.finish(connection, attempt_id, detail="everyone in it had left")
                return None, len(left), turn
            dispatch.gate.pay(connection, turn, claimed - len(left))
            packed = claims.held(connection, dispatch.mailing.id, attempt_id)
            shape = _shape(connection, dispatch, group.shape_id)
    except StoreError:
        if intent is not None:
            _take_back(dispatch, intent)
        raise
    return Unit(attempt_id=attempt_id, envelope=dispatch.envelope, shape=shape, tracked=group.tracked,
                messages=claims.unpack_held(packed)), len(left), turn


@dataclass(frozen=True, kw_only=True, slots=True)
class _Intent:
    """A claim whose transaction has not been seen to commit."""

    attempt_id: int
    lease_until: datetime
    turn: Turn


def _take_back(dispatch: Dispatch, intent: _Intent) -> None:
    """Undo a claim of which the database did not say that it was committed: nothing of it left, and only we know that.

    A database that stops between making a commit durable and answering leaves such a claim standing. While the
    database stays away nothing can be done; then the unit is in doubt when its lease is over.
    """
    until = time.monotonic() + DATABASE_BACK_SECONDS
    while True:
        try:
            with dispatch.project.store.writing() as connection:
                mailings.hold(connection, dispatch.mailing.id, alone=True)
                if found := claims.take_back(connection, dispatch.mailing.id, intent.attempt_id, worker=dispatch.worker,
                                             lease_until=intent.lease_until, detail=_UNSURE_CLAIM):
                    dispatch.gate.give_back(connection, intent.turn, found)
                    control.cancel_rest(connection, dispatch.mailing.id)
            return
        except StoreError as fault:
            if not fault.retry or time.monotonic() > until:
                return  # the first fault is the one that is told
            time.sleep(DATABASE_PAUSE_SECONDS)


def _may_send(mailing: Mailing, dispatch: Dispatch) -> bool:
    return (mailing.state is MailingState.SENDING
            and hours.may_leave(mailing, dispatch.project.settings.project.zone, clock.now()))


def _shape(connection: Connection, dispatch: Dispatch, shape_id: int) -> Shape:
    """The shape, read once for the many units that share it."""
    shape = dispatch.shapes.get(shape_id)
    if shape is None:
        if len(dispatch.shapes) >= _SHAPES_KEPT:
            dispatch.shapes.clear()
        shape = dispatch.shapes[shape_id] = shapes.get(connection, shape_id)
    return shape
