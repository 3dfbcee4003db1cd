"""How a mailing leaves, and what stops it: [limits], [launch], [brakes]."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from pydantic import Field, field_validator

from pillarbox.model.sections.base import Section

_DOMAIN = re.compile(r"[^\s@.]+(\.[^\s@.]+)+")


class LimitSettings(Section):
    """[limits]: how fast, at most. They hold over all workers and hosts."""

    per_second: float | None = Field(default=None, gt=0, le=100_000)
    """Messages a second, all mailings together; None: no limit of ours."""
    domains: Mapping[str, float] = {}
    """Recipient domain → messages an hour: ``"btinternet.com" = 2000``."""
    warm_up: tuple[int, ...] = ()
    """Most messages on the first day, the second …, for a new sender; afterwards none of ours."""
    span_hours: float = Field(default=20.0, ge=0, le=24 * 31)
    """A supporter gets at most one mailing within as many hours; 0: no such rule."""

    @field_validator("domains")
    @classmethod
    def _domains_in_lower_case(cls, value: Mapping[str, float]) -> Mapping[str, float]:
        if not all(rate > 0 and math.isfinite(rate) for rate in value.values()):
            raise ValueError("a domain's limit is a number of messages an hour, above 0")
        if odd := [name for name in value if not _DOMAIN.fullmatch(name)]:
            raise ValueError(f"{odd[0]!r} is not the name of a domain: it is the part after the @, such as sky.com")
        return {name.lower(): rate for name, rate in value.items()}

    @field_validator("warm_up")
    @classmethod
    def _something_every_day(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(most < 1 for most in value):  # it would stay at that day for ever
            raise ValueError("every day of a warm-up plan lets at least 1 message leave")
        return value


class LaunchSettings(Section):
    """[launch]: how a live mailing begins."""

    countdown_seconds: float = Field(default=60.0, ge=0, le=3_600)
    first: int = Field(default=200, ge=0, le=100_000)
    """So many of the most engaged supporters get it first; 0: everyone at once."""
    watch_minutes: float = Field(default=30.0, ge=0, le=24 * 60)
    """Then it waits this long for what the events say."""
    spread_hours: float = Field(default=0.0, ge=0, le=72)
    """Over how long the rest is spread out; 0: as fast as the limits allow."""
    hours: str = ""
    """When mailings may leave, in the charity's zone: ``08:00-20:00``; empty: at any hour."""
    late_hours: float = Field(default=4.0, ge=0, le=72)
    """A mailing that nobody could start or go on with at its time goes by itself at most this late; then it asks."""

    @field_validator("hours")
    @classmethod
    def _a_span_of_the_day(cls, value: str) -> str:
        plain = value.replace("\u2013", "-").replace(" ", "")
        if plain and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)", plain):
            raise ValueError("hours look like 08:00-20:00")
        if plain and plain[:5] >= plain[6:]:
            raise ValueError("hours must begin before they end, on the same day")
        return plain


class BrakeSettings(Section):
    """[brakes]: a mailing pauses itself above these shares (of what was accepted of it), and says why."""

    hard_bounces: float = Field(default=0.03, gt=0, le=1)
    complaints: float = Field(default=0.001, gt=0, le=1)
    blocks_at_a_domain: float = Field(default=0.05, gt=0, le=1)
    rejected_batches: int = Field(default=5, ge=1, le=1_000)
    """So many batches refused by the provider in a row."""
    unsure_batches: int = Field(default=5, ge=1, le=1_000)
    """So many batches in a row of which nobody knows whether the provider took them."""
    silence_minutes: float = Field(default=30.0, ge=0, le=24 * 60)
    """So long without any event about what was handed over; 0: silence is not looked at."""
    least: int = Field(default=100, ge=1)
    """Shares are looked at from so many messages on: two bounces among five say nothing."""
