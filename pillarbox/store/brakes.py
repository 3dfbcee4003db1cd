"""What the brakes ask of the ledger and the events: few rows, by indexes, while millions stand beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from pillarbox.model.states import EventKind, MessageState
from pillarbox.store.schema import BAD_NEWS, TELLING, attempts, events, marks, messages

_SETTLED = (MessageState.ACCEPTED, MessageState.FAILED, MessageState.IN_DOUBT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cases:
    """Messages of a mailing of which something bad was heard."""

    bounced: int
    """For good: the address is at fault."""
    complained: int
    blocked: Mapping[str, int]
    """Recipient domain → messages that it turned away."""


def cases(connection: Connection, mailing_id: int) -> Cases:
    """What was heard of the mailing so far."""
    query = (select(events.c.kind, events.c.domain, func.count(events.c.message_id.distinct()))
             .where(events.c.mailing_id == mailing_id, TELLING, events.c.kind.in_(BAD_NEWS))
             .group_by(events.c.kind, events.c.domain))
    found = [(EventKind(kind), domain, count) for kind, domain, count in connection.execute(query)]
    return Cases(bounced=sum(count for kind, _, count in found if kind is EventKind.BOUNCED),
                 complained=sum(count for kind, _, count in found if kind is EventKind.COMPLAINED),
                 blocked={domain: count for kind, domain, count in found if kind is EventKind.BLOCKED and domain})


def accepted(connection: Connection, mailing_id: int, *, domain: str = "") -> int:
    """How many messages of the mailing were handed over, in all or to one recipient domain."""
    query = select(func.count()).select_from(messages).where(
        messages.c.mailing_id == mailing_id, messages.c.state == MessageState.ACCEPTED)
    if domain:
        query = query.where(messages.c.domain == domain)
    return int(connection.execute(query).scalar_one())


def ended_alike(connection: Connection, mailing_id: int, state: MessageState, *, number: int,
                since: datetime | None) -> str | None:
    """The provider's words when each of the mailing's last attempts left nothing but messages in a state; else None.

    Args:
        connection: a reader's, or the caller's.
        mailing_id: the mailing.
        state: failed: everything was refused; in doubt: nobody knows of any of them whether it went.
        number: how many attempts.
        since: attempts that began earlier do not count.
    """
    # One with words of its own says nothing of the provider: its sender died, or everyone in it had left.
    query = select(attempts.c.id).where(attempts.c.mailing_id == mailing_id, attempts.c.finished_at.is_not(None),
                                        attempts.c.size > 0, attempts.c.detail == "",
                                        ).order_by(attempts.c.id.desc()).limit(number)
    if since is not None:
        query = query.where(attempts.c.started_at > since)
    last = list(connection.execute(query).scalars())
    if len(last) < number:
        return None
    of_them = (messages.c.mailing_id == mailing_id, messages.c.attempt_id.in_(last))
    alike = {row[0]: row[1] for row in connection.execute(
        select(messages.c.attempt_id, func.max(messages.c.detail))
        .where(*of_them, messages.c.state == state).group_by(messages.c.attempt_id))}
    if len(alike) < number:
        return None
    some = connection.execute(select(messages.c.id).where(
        *of_them, messages.c.state.in_(_SETTLED), messages.c.state != state).limit(1)).first()
    return None if some else str(alike[last[0]])


def handed_over(connection: Connection, mailing_id: int, *, after: datetime | None, before: datetime,
                ) -> datetime | None:
    """When the mailing's first attempt between two moments that the provider took was finished; None: none was."""
    query = select(func.min(attempts.c.finished_at)).where(
        attempts.c.mailing_id == mailing_id, attempts.c.provider_id != "", attempts.c.finished_at <= before)
    if after is not None:
        query = query.where(attempts.c.finished_at > after)
    return connection.execute(query).scalar_one_or_none()


def mark(connection: Connection, name: str) -> datetime | None:
    """The moment that a mark keeps; None when it was never set."""
    return connection.execute(select(marks.c.at).where(marks.c.name == name)).scalar_one_or_none()
