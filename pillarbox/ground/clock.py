"""The one place that reads the time. Every time in Pillarbox is aware; the database keeps UTC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

# One for the whole process, threads included: a practice run's senders must agree on the time.
_frozen: datetime | None = None


def now() -> datetime:
    """The present, in UTC."""
    return _frozen or datetime.now(UTC)


def today(zone: str) -> date:
    """The calendar day in an IANA zone."""
    return now().astimezone(ZoneInfo(zone)).date()


@contextmanager
def freeze(moment: datetime) -> Iterator[None]:
    """Hold the clock at ``moment`` (aware) within the block; for tests and practice."""
    if moment.tzinfo is None:
        raise ValueError("a frozen moment must be aware")
    global _frozen
    before, _frozen = _frozen, moment.astimezone(UTC)
    try:
        yield
    finally:
        _frozen = before
