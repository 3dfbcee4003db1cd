"""The sections of pillarbox.toml: what each may say, with its default and its unit."""

from __future__ import annotations

from pillarbox.model.sections.approving import ApprovalSettings
from pillarbox.model.sections.base import Section
from pillarbox.model.sections.checking import CheckSettings
from pillarbox.model.sections.giving import (
    AttributionSettings,
    GivingSettings,
    GocardlessSettings,
    HookSettings,
    StripeSettings,
)
from pillarbox.model.sections.project import (
    LinkSettings,
    ProjectSettings,
    SenderSettings,
    SendgridSettings,
    SmtpSettings,
)
from pillarbox.model.sections.running import ApiSettings, BackupSettings, LogSettings, MetricsSettings, StaffSettings
from pillarbox.model.sections.sending import BrakeSettings, LaunchSettings, LimitSettings
from pillarbox.model.sections.supporters import JoinSettings, PreferenceSettings

__all__ = [
    "ApiSettings",
    "ApprovalSettings",
    "AttributionSettings",
    "BackupSettings",
    "BrakeSettings",
    "CheckSettings",
    "GivingSettings",
    "GocardlessSettings",
    "HookSettings",
    "JoinSettings",
    "LaunchSettings",
    "LimitSettings",
    "LinkSettings",
    "LogSettings",
    "MetricsSettings",
    "PreferenceSettings",
    "ProjectSettings",
    "Section",
    "SenderSettings",
    "SendgridSettings",
    "SmtpSettings",
    "StaffSettings",
    "StripeSettings",
]
