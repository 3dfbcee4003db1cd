"""What keeps an installation in order: [backup], [staff], [log], [metrics], [api]."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from pillarbox.model.sections.base import Section


class BackupSettings(Section):
    """[backup]: encrypted copies of the database."""

    folder: str = "var/backups"
    nightly: bool = True
    at: str = Field(default="03:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    keep: int = Field(default=14, ge=1, le=3_650)
    """So many are kept; older ones are deleted."""
    key: SecretStr = SecretStr("")
    """A passphrase; without one the project's secret key serves."""


class StaffSettings(Section):
    """[staff]: who is told what happens by itself, and how long a login to the dashboard lasts."""

    email: tuple[str, ...] = ()
    idle_minutes: float = Field(default=120.0, ge=5, le=24 * 60)
    """A session of the dashboard ends when nothing was done in it for so long."""
    session_hours: float = Field(default=12.0, ge=0.25, le=24 * 31)
    """And so long after its login at the latest."""


class LogSettings(Section):
    """[logs]: what `serve` and `worker` write to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    form: Literal["auto", "json", "plain"] = "auto"
    """``auto``: plain on a terminal, JSON lines elsewhere."""


class MetricsSettings(Section):
    """[metrics]: numbers for Prometheus."""

    token: SecretStr = SecretStr("")
    """What a scraper must show to `serve` (Authorization: Bearer …); without one, /metrics is not there."""


class ApiSettings(Section):
    """[api]: the read-only JSON under /api/."""

    allowed_origins: tuple[str, ...] = ()
    """Web sites whose pages may ask by script (CORS): ``https://www.your-charity.org``; none by default."""
    per_minute: int = Field(default=120, ge=1, le=100_000)
    """Requests that one token may make in a minute."""

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https?://[a-z0-9.-]+(:\d{1,5})?", origin):
                raise ValueError(f"{origin!r} is no origin: it looks like https://www.your-charity.org, in small "
                                 "letters, without a path")
        return value
