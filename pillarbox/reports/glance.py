"""Mailings at a glance: for each how far it is, what is in doubt, what it has raised. Cheap enough for a first page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, literal, select, union_all

from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import mailings
from pillarbox.store.donations import NET, STANDS
from pillarbox.store.mailings import Mailing
from pillarbox.store.schema import donations, messages

_DONE = (MailingState.SENT, MailingState.HELD)


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How a mailing's messages stand; together they are what was planned."""

    planned: int
    accepted: int = 0
    failed: int = 0
    in_doubt: int = 0
    cancelled: int = 0
    withdrawn: int = 0
    remaining: int = 0

    @property
    def settled(self) -> int:
        """Of which nothing more is expected to leave."""
        return self.planned - self.remaining

    @property
    def share(self) -> float:
        """The same as a fraction; 1 when nothing was planned."""
        return self.settled / self.planned if self.planned else 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """One mailing in short."""

    mailing: Mailing
    progress: Progress
    gifts: int
    raised_pence: int
    """In pounds sterling alone."""


def glances(connection: Connection, *, most: int, before: int | None = None) -> list[Glance]:
    """At most so many mailings, newest first.

    Args:
        before: only mailings with smaller ids than this.
    """
    found = mailings.newest_first(connection, most, before=before)
    raised = _raised(connection, [mailing.id for mailing in found])
    return [Glance(mailing=mailing, progress=progress(connection, mailing), gifts=raised.get(mailing.id, (0, 0))[0],
                   raised_pence=raised.get(mailing.id, (0, 0))[1]) for mailing in found]


def progress(connection: Connection, mailing: Mailing) -> Progress:
    """How one mailing's messages stand.

    Every state is counted for itself, along an index, save the one in which most are likely to be: what was planned
    and stands in no other state stands in that one. A million is counted in a third of the time of grouping it, and
    what is done or has not begun in next to none.
    """
    if mailing.started_at or mailing.state in _DONE:
        most = MessageState.ACCEPTED
    else:
        most = MessageState.CANCELLED if mailing.state is MailingState.CANCELLED else MessageState.PLANNED
    counted = [state for state in MessageState if state is not most]
    count = {MessageState(state): int(number) for state, number in connection.execute(union_all(*(
        select(literal(state.value), select(func.count()).select_from(messages).where(
            messages.c.mailing_id == mailing.id, messages.c.state == state).scalar_subquery())
        for state in counted)))}
    count[most] = mailing.planned - sum(count.values())
    return Progress(
        planned=mailing.planned, accepted=count[MessageState.ACCEPTED], failed=count[MessageState.FAILED],
        in_doubt=count[MessageState.IN_DOUBT], cancelled=count[MessageState.CANCELLED],
        withdrawn=count[MessageState.WITHDRAWN],
        remaining=count[MessageState.PLANNED] + count[MessageState.SUBMITTING])


def _raised(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    pounds = case((donations.c.currency == "GBP", NET), else_=0)
    return {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(
        select(donations.c.mailing_id, func.count(), func.sum(pounds)).where(donations.c.mailing_id.in_(ids), STANDS)
        .group_by(donations.c.mailing_id))}
