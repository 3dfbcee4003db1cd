"""Wishes obeyed: who asked for a pause, for newsletters only, or for one letter a month, as SQL.

Few supporters wish for anything: where nobody does, nothing is asked; else it is one look-up by key a supporter. A
letter a month is one in a calendar month, and never two within three weeks: a newsletter of every first Monday passes
each time, and nobody gets one on the last day of March and the next on the first of April.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import ColumnElement, Connection, String, and_, case, literal, select

from pillarbox.ground import clock
from pillarbox.model.states import Frequency, Kind
from pillarbox.people import frequency
from pillarbox.people.frequency import Recent
from pillarbox.people.segments import ZONE
from pillarbox.store.schema import mailings, supporters, wishes

# Reasons, in the words of reports and --json.
PAUSED = "paused"
NEWSLETTERS_ONLY = "newsletters-only"
FREQUENCY = "frequency"

APART = timedelta(weeks=3)
"""What leaves sooner after another letter is not the next month's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What of supporters' wishes matters to one mailing."""

    leaves_at: datetime
    newsletter: bool
    month: Recent | None
    """The other letters of its month; None: there is none, or they do not matter."""


def of_mailing(connection: Connection, mailing_id: int, *, claiming: bool = False) -> Asked | None:
    """What of supporters' wishes a mailing must obey; None when nothing is to be asked.

    Service letters and proofs are free. A correction tells those who had a letter what was wrong in it: it is not
    held back for being the second one of a month.

    Args:
        connection: a reader, or the transaction that claims.
        mailing_id: the mailing.
        claiming: as in ``frequency.of_mailing``.
    """
    m = mailings.c
    own = connection.execute(select(m.kind, m.corrects_id, m.edition_id, m.send_at).where(m.id == mailing_id)).one()
    if own.kind in frequency.FREE or not _somebody_wishes(connection):
        return None
    moment = clock.now()
    leaves_at = max(moment, own.send_at or moment)
    month = None
    if own.corrects_id is None and _somebody_wishes(connection, wishes.c.frequency == Frequency.MONTHLY):
        since, until = month_of(leaves_at)
        month = frequency.others(connection, edition_id=own.edition_id, since=since, until=until, claiming=claiming)
    return Asked(leaves_at=leaves_at, newsletter=own.kind == Kind.NEWSLETTER, month=month)


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """From when until when another letter is too near to one that leaves at this moment."""
    first = datetime.combine(moment.astimezone(ZONE).date().replace(day=1), time(), ZONE)
    return min(first, moment - APART), max(first + relativedelta(months=1), moment + APART)


def against(asked: Asked) -> ColumnElement[Any]:
    """What the supporter at hand wishes against this mailing: the reason, or NULL."""
    whens: list[tuple[ColumnElement[bool], str]] = [(wishes.c.paused_until > asked.leaves_at, PAUSED)]
    if not asked.newsletter:
        whens.append((wishes.c.frequency == Frequency.NEWSLETTERS, NEWSLETTERS_ONLY))
    if asked.month is not None:
        whens.append((and_(wishes.c.frequency == Frequency.MONTHLY, frequency.mailed(asked.month)), FREQUENCY))
    return (select(case(*((when, literal(then, String)) for when, then in whens)))
            .where(wishes.c.supporter_id == supporters.c.id).correlate(supporters).scalar_subquery())


def _somebody_wishes(connection: Connection, *what: ColumnElement[bool]) -> bool:
    return connection.execute(select(wishes.c.supporter_id).where(*what).limit(1)).first() is not None
