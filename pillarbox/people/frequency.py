"""Never twice a day: who was just reached by another mailing.

Only mailings that may have sent something within the span are looked at, mostly none: then the rule costs nothing, and
else one look-up by index a supporter and mailing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, literal, or_, select, true

from pillarbox.ground import clock
from pillarbox.model.states import Kind, MailingState, MessageState
from pillarbox.people.segments import there_is
from pillarbox.store.schema import UNREACHED, Moment, attempts, mailings, messages, supporters

MAYBE_REACHED = (MessageState.ACCEPTED, MessageState.IN_DOUBT, MessageState.SUBMITTING)
"""Where a supporter has the letter, may have it, or is about to."""

# A mailing was finished or cancelled while its last units were on their way: no lease is as long.
_AFTERWARDS = timedelta(hours=2)
_ENDED = (MailingState.SENT, MailingState.CANCELLED)
FREE = (Kind.SERVICE, Kind.PROOF)
"""Kinds of mailing that no such rule holds back, and that do not count."""
# Numbers that no other advisory lock of the database has: "begi" and "freq" in ASCII.
_BEGINNING, _ONE_AT_A_TIME = int.from_bytes(b"begi", "big"), int.from_bytes(b"freq", "big")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recent:
    """What else was sent in the span of a mailing."""

    since: datetime
    until: datetime
    """What a provider keeps for longer than this is as far away as what left long ago."""
    mailings: tuple[int, ...]
    """Ids of the other mailings that may have reached somebody since then."""
    editions: tuple[int, ...]
    """Theirs: by edition and supporter a message is found at once."""
    held: tuple[tuple[int, datetime], ...] = ()
    """Those of them that a provider keeps or kept until a time: id and time."""


def of_mailing(connection: Connection, mailing_id: int, *, claiming: bool = False) -> Recent | None:
    """What a mailing's supporters may have got from other mailings within its span; None when nothing is to be asked.

    Practice mailings, letters of kind ``service`` and corrections are not held back; the first two do not count either.

    Args:
        connection: a reader, or the transaction that claims.
        mailing_id: the mailing.
        claiming: of two mailings that claim the same person at the same moment, one waits until the other is seen.
    """
    m = mailings.c
    own = connection.execute(select(m.practice, m.kind, m.span_hours, m.corrects_id, m.edition_id, m.send_at)
                             .where(m.id == mailing_id)).one()
    if own.practice or own.kind in FREE or own.corrects_id is not None or not own.span_hours:
        return None
    moment, span = clock.now(), timedelta(hours=own.span_hours)
    # What leaves the day after tomorrow keeps nobody out for what they got today; the claim looks again.
    leaves_at = max(moment, own.send_at or moment)
    return others(connection, edition_id=own.edition_id, since=leaves_at - span, until=leaves_at + span,
                  claiming=claiming)


def others(connection: Connection, *, edition_id: int, since: datetime, until: datetime,
           claiming: bool = False) -> Recent | None:
    """The live mailings of other editions that may have reached somebody since then; None when there is none.

    Args:
        connection: a reader, or the transaction that claims.
        edition_id: the edition that asks.
        since: what was over before is of no interest.
        until: nor is what a provider keeps for longer.
        claiming: as in ``of_mailing``.
    """
    m = mailings.c
    turns = claiming and connection.dialect.name == "postgresql"  # SQLite's writers are alone anyway
    if turns:
        connection.execute(select(func.pg_advisory_xact_lock_shared(_BEGINNING)))
    found = connection.execute(select(m.id, m.edition_id, m.provider_batch, m.send_at, m.state).where(
        m.practice.is_(False), m.kind.not_in(FREE), m.started_at.is_not(None), m.edition_id != edition_id,
        or_(m.state.not_in(_ENDED), m.finished_at.is_(None), m.finished_at >= since - _AFTERWARDS))).all()
    if not found:
        return None
    # One that was sent whole claims nobody any more; of a cancelled one, a claim may just be on its way to the ledger.
    if turns and any(row.state != MailingState.SENT for row in found):
        connection.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
    return Recent(since=since, until=until, mailings=tuple(row.id for row in found),
                  editions=tuple(sorted({row.edition_id for row in found})),
                  held=tuple((row.id, row.send_at) for row in found if row.provider_batch and row.send_at))


def begin(connection: Connection) -> None:
    """In the transaction that starts a mailing: wait for the claims of those that did not know of it yet."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_BEGINNING)))


def mailed(recent: Recent) -> ColumnElement[bool]:
    """Whether the supporter at hand was, or may have been, reached since then."""
    other = messages.alias("other")
    left_at: ColumnElement[datetime] = func.coalesce(other.c.accepted_at, select(attempts.c.started_at).where(
        attempts.c.id == other.c.attempt_id).scalar_subquery())
    for mailing_id, at in recent.held:
        left_at = case((and_(other.c.mailing_id == mailing_id, left_at < at), literal(at, Moment)), else_=left_at)
    # Only what a provider keeps can leave later than now. Else the clock was put back, and it left a moment ago.
    near = (or_(left_at <= recent.until, other.c.mailing_id.not_in([mailing_id for mailing_id, _ in recent.held]))
            if recent.held else true())
    return there_is(
        select(other.c.id).where(
            other.c.edition_id.in_(recent.editions), other.c.supporter_id == supporters.c.id,
            # Written out as the index has it: a database cannot prove it of parameters.
            other.c.state.not_in(bindparam("unreached", UNREACHED, expanding=True, literal_execute=True)),
            other.c.state.in_(MAYBE_REACHED), other.c.mailing_id.in_(recent.mailings), left_at >= recent.since,
            near)
        .correlate(supporters))
