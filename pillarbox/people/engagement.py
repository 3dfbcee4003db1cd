"""Who is most engaged: those who read, clicked and gave, lately more than long ago.

Opens and clicks count only for supporters who agree to tracking, and only a person's, not a machine's. Gifts count for
everybody. Whoever has no history is not ranked below others like them: chance decides, by the message's random key.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, case, func, literal, select

from pillarbox.ground import clock
from pillarbox.model.states import Agent, EventKind, MessageState
from pillarbox.store.schema import donations, events, mailings, messages

OPENED, CLICKED, GAVE = 1, 3, 10
"""What one letter opened, one letter clicked in, and one gift weigh."""
_LATELY, _THIS_YEAR, _AT_ALL = timedelta(days=90), timedelta(days=365), timedelta(days=3 * 365)
# What is three months old weighs four times as much as what is two years old.
_FRESH, _RECENT, _OLD = 4, 2, 1


def most_engaged(connection: Connection, mailing_id: int, most: int) -> list[int]:
    """The ids of the mailing's planned messages to the most engaged supporters, best first.

    Args:
        connection: a reader's; the whole history is looked through, so no transaction that writes should wait for it.
        mailing_id: the mailing.
        most: how many; those without any history fill up.
    """
    moment = clock.now()
    practice = connection.execute(select(mailings.c.practice).where(mailings.c.id == mailing_id)).scalar_one()
    read, gave = _read(moment, practice=practice), _gave(moment)
    m = messages.c
    score = case((m.tracked, func.coalesce(read.c.score, 0)), else_=0) + func.coalesce(gave.c.score, 0)
    query = (select(m.id)
             .outerjoin_from(messages, read, read.c.supporter_id == m.supporter_id)
             .outerjoin(gave, gave.c.supporter_id == m.supporter_id)
             .where(m.mailing_id == mailing_id, m.state == MessageState.PLANNED)
             .order_by(score.desc(), m.key).limit(most))
    return list(connection.execute(query).scalars())


def _read(moment: datetime, *, practice: bool) -> Subquery:
    """Supporter → what their opens and clicks weigh; each letter counts once for each."""
    e, m = events.c, messages.c
    query = (select(m.supporter_id, e.kind, func.max(e.at).label("at"))
             .join_from(events, messages, e.message_id == m.id).join(mailings, m.mailing_id == mailings.c.id)
             .where(e.kind.in_((EventKind.OPENED, EventKind.CLICKED)), e.agent == Agent.HUMAN,
                    e.at >= moment - _AT_ALL)
             .group_by(m.supporter_id, m.id, e.kind))
    if not practice:  # what was practised on says nothing of people; practice itself needs something to rank by
        query = query.where(~mailings.c.practice)
    each = query.subquery()
    weight = case((each.c.kind == EventKind.CLICKED, CLICKED), else_=OPENED)
    return (select(each.c.supporter_id, func.sum(weight * _weight(each.c.at, moment)).label("score"))
            .group_by(each.c.supporter_id).subquery())


def _gave(moment: datetime) -> Subquery:
    """Supporter → what their gifts weigh."""
    d = donations.c
    return (select(d.supporter_id, func.sum(literal(GAVE) * _weight(d.received_at, moment)).label("score"))
            .where(d.supporter_id.is_not(None), d.amount_minor > d.refunded_minor, d.received_at >= moment - _AT_ALL)
            .group_by(d.supporter_id).subquery())


def _weight(at: ColumnElement[datetime], moment: datetime) -> ColumnElement[Any]:
    return case((at >= moment - _LATELY, _FRESH), (at >= moment - _THIS_YEAR, _RECENT), else_=_OLD)
