"""The order in which messages leave: waves, times of their own, recipient domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from pillarbox.ground import clock
from pillarbox.model.states import MessageState
from pillarbox.store.schema import attempts, messages

_IDS_AT_ONCE = 5_000


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
    where = [messages.c.mailing_id == mailing_id, messages.c.state == MessageState.PLANNED, is_due(), *domains.where]
    if wave is not None:
        where.append(messages.c.wave <= wave)
    row = connection.execute(
        select(messages.c.wave, messages.c.shape_id, messages.c.tracked).where(*where)
        .order_by(messages.c.wave, messages.c.shape_id, messages.c.tracked).limit(1)).one_or_none()
    return Group(wave=row[0], shape_id=row[1], tracked=row[2], domains=domains) if row else None


def is_due() -> ColumnElement[bool]:
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
