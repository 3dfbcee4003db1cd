"""Mailings at a glance: for each how far it is, what is in doubt, what it has raised. Cheap enough for a first page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import mailings
from pillarbox.store.donations import NET, STANDS
from pillarbox.store.mailings import Mailing
from pillarbox.store.schema import donations, messages

# Of what is done nearly everything was accepted: the rest is counted, by the index, and accepted is what remains.
_DONE = (MailingState.SENT, MailingState.HELD)
_NOT_ACCEPTED = tuple(state for state in MessageState if state is not MessageState.ACCEPTED)


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
    """How one mailing's messages stand."""
    query = (select(messages.c.state, func.count()).where(messages.c.mailing_id == mailing.id)
             .group_by(messages.c.state))
    if mailing.state in _DONE:
        query = query.where(messages.c.state.in_(_NOT_ACCEPTED))
    count = {MessageState(state): number for state, number in connection.execute(query)}
    if mailing.state in _DONE:
        count[MessageState.ACCEPTED] = mailing.planned - sum(count.values())
    return Progress(
        planned=mailing.planned, accepted=count.get(MessageState.ACCEPTED, 0),
        failed=count.get(MessageState.FAILED, 0), in_doubt=count.get(MessageState.IN_DOUBT, 0),
        cancelled=count.get(MessageState.CANCELLED, 0), withdrawn=count.get(MessageState.WITHDRAWN, 0),
        remaining=count.get(MessageState.PLANNED, 0) + count.get(MessageState.SUBMITTING, 0))


def _raised(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    pounds = case((donations.c.currency == "GBP", NET), else_=0)
    return {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(
        select(donations.c.mailing_id, func.count(), func.sum(pounds)).where(donations.c.mailing_id.in_(ids), STANDS)
        .group_by(donations.c.mailing_id))}
