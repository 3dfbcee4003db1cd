"""When a mailing may leave: its hours of the day, and the first and last moment that staff gave it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pillarbox.mailings import moments
from pillarbox.store.mailings import Mailing


def may_leave(mailing: Mailing, zone: str, moment: datetime) -> bool:
    """Whether messages of a mailing may be handed over at ``moment``.

    What a provider holds until its time is judged by that time: it may be handed over at any hour before.
    """
    if mailing.provider_batch and mailing.send_at and moment < mailing.send_at:
        moment = mailing.send_at
    return ((mailing.not_before is None or mailing.not_before <= moment)
            and (mailing.not_after is None or moment <= mailing.not_after)
            and moments.within(mailing.hours, zone, moment))


def first_moment(mailing: Mailing, zone: str, since: datetime) -> datetime:
    """The first moment from ``since`` on at which a mailing's hours and ``not_before`` let it leave."""
    return moments.opening(mailing.hours, zone, max(since, mailing.not_before or since))


def last_closing(hours: str, zone: str, moment: datetime) -> datetime:
    """When hours of the day that are over at ``moment`` ended last. In UTC.

    Args:
        hours: ``08:00-20:00``.
        zone: whose clocks.
        moment: not within the hours.
    """
    where = moments.zone_of(zone)
    day = moment.astimezone(where).date()
    end = timedelta(hours=int(hours[6:8]), minutes=int(hours[9:11]))
    found = (moments.resolve(datetime(day.year, day.month, day.day) - timedelta(days=back) + end, where)  # noqa: DTZ001 - local
             for back in range(4))
    return next(closing for closing in found if closing <= moment).astimezone(UTC)
