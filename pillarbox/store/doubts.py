"""Messages in doubt, and what heals them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select, update

from pillarbox.ground import clock
from pillarbox.model.states import MessageState
from pillarbox.store.schema import attempts, messages


def in_doubt(connection: Connection, mailing_id: int) -> dict[int, dict[str, int]]:
    """Attempt → address → message id, of what nobody is sure went."""
    query = select(messages.c.attempt_id, messages.c.address, messages.c.id).where(
        messages.c.mailing_id == mailing_id, messages.c.state == MessageState.IN_DOUBT,
        messages.c.attempt_id.is_not(None)).order_by(messages.c.attempt_id)
    found: dict[int, dict[str, int]] = {}
    for attempt_id, address, message_id in connection.execute(query):
        found.setdefault(attempt_id, {})[address] = message_id
    return found


def found_sent(connection: Connection, attempt_id: int, provider_ids: Mapping[int, str], *, detail: str) -> int:
    """Settle messages of an attempt that were in doubt and surely went: message id → provider id; returns how many."""
    return sum(connection.execute(_doubtful(messages.c.id == message_id, messages.c.attempt_id == attempt_id).values(
        state=MessageState.ACCEPTED, accepted_at=_began(), provider_id=provider_id, detail=detail)).rowcount
        for message_id, provider_id in sorted(provider_ids.items()))


def decide(connection: Connection, mailing_id: int, *, after: MessageState, detail: str) -> int:
    """Give what is in doubt of a mailing the state that staff decided on; returns how many there were."""
    values: dict[str, Any] = {"state": after, "detail": detail}
    if after is MessageState.ACCEPTED:
        values["accepted_at"] = func.coalesce(_began(), clock.now())
    return connection.execute(_doubtful(messages.c.mailing_id == mailing_id).values(**values)).rowcount


def _doubtful(*where: Any) -> Any:
    return update(messages).where(*where, messages.c.state == MessageState.IN_DOUBT)


def _began() -> Any:
    """When the message's attempt began: the best that is known of when it left."""
    return select(attempts.c.started_at).where(attempts.c.id == messages.c.attempt_id).scalar_subquery()
