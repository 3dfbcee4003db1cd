"""Settings: pillarbox.toml, then the environment (each also as ``…_FILE``), checked whole."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import ValidationError, model_validator

from pillarbox.ground.errors import SettingsError
from pillarbox.model.donating import sound_template
from pillarbox.model.sections import (
    ApiSettings,
    ApprovalSettings,
    AttributionSettings,
    BackupSettings,
    BrakeSettings,
    CheckSettings,
    GivingSettings,
    GocardlessSettings,
    JoinSettings,
    LaunchSettings,
    LimitSettings,
    LinkSettings,
    LogSettings,
    MetricsSettings,
    PreferenceSettings,
    ProjectSettings,
    Section,
    SenderSettings,
    SendgridSettings,
    SmtpSettings,
    StaffSettings,
    StripeSettings,
)

FILE = "pillarbox.toml"


class Settings(Section):
    """Everything that pillarbox.toml may say."""

    project: ProjectSettings = ProjectSettings()
    sender: SenderSettings = SenderSettings()
    links: LinkSettings = LinkSettings()
    sendgrid: SendgridSettings = SendgridSettings()
    smtp: SmtpSettings = SmtpSettings()
    attribution: AttributionSettings = AttributionSettings()
    giving: GivingSettings = GivingSettings()
    stripe: StripeSettings = StripeSettings()
    gocardless: GocardlessSettings = GocardlessSettings()
    limits: LimitSettings = LimitSettings()
    launch: LaunchSettings = LaunchSettings()
    brakes: BrakeSettings = BrakeSettings()
    approval: ApprovalSettings = ApprovalSettings()
    backup: BackupSettings = BackupSettings()
    join: JoinSettings = JoinSettings()
    preferences: PreferenceSettings = PreferenceSettings()
    staff: StaffSettings = StaffSettings()
    logs: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    api: ApiSettings = ApiSettings()
    check: CheckSettings = CheckSettings()
    folder: Path = Path()
    """The project's folder; set by ``load``."""
    rehearsal: Literal["live", "practice"] | None = None
    """In the scratch copy of a rehearsal, what is rehearsed: all of it goes to a server on this machine. Set by
    ``rehearsal.scratch`` alone."""

    @model_validator(mode="after")
    def _templates_lead_to_the_donation_page(self) -> Self:
        monthly = self.links.donate_monthly or self.links.donate
        for name, page in (("template", self.links.donate), ("template_monthly", monthly)):
            if template := getattr(self.giving, name):
                try:
                    sound_template(template, page)
                except ValueError as fault:
                    raise ValueError(f"[giving] {name} {fault}") from None
        return self

    @property
    def practice(self) -> bool:
        """Whether what is sent reaches nobody: mail to files, or to a server on this machine.

        A rehearsal does what a live mailing does, to the byte, though it reaches nobody either.
        """
        if self.rehearsal is not None:
            return self.rehearsal == "practice"
        match self.project.transport:
            case "files":
                return True
            case "smtp":
                return is_loopback(self.smtp.host)
            case "sendgrid":
                return is_loopback(urlsplit(self.sendgrid.url).hostname or "")

    @property
    def secret(self) -> bytes:
        """The project's secret key.

        Raises:
            SettingsError: when there is none.
        """
        value = self.project.secret_key.get_secret_value()
        if not value:
            raise SettingsError("This project has no secret key.", where=str(self.folder / FILE),
                                todo="Put the pillarbox.key file back, or set PILLARBOX_SECRET_KEY.")
        return value.encode()


# Environment name → (section, field): the environment wins over the file.
ENVIRONMENT: Mapping[str, tuple[str, str]] = {
    "SENDGRID_API_KEY": ("sendgrid", "api_key"),
    "PILLARBOX_DATABASE_URL": ("project", "database"),
    "PILLARBOX_SECRET_KEY": ("project", "secret_key"),
    "PILLARBOX_SENDGRID_URL": ("sendgrid", "url"),
    "PILLARBOX_SENDGRID_WEBHOOK_KEY": ("sendgrid", "webhook_key"),
    "PILLARBOX_STRIPE_WEBHOOK_SECRET": ("stripe", "webhook_secret"),
    "PILLARBOX_GOCARDLESS_WEBHOOK_SECRET": ("gocardless", "webhook_secret"),
    "PILLARBOX_GOCARDLESS_TOKEN": ("gocardless", "token"),
    "PILLARBOX_GOCARDLESS_URL": ("gocardless", "url"),
    "PILLARBOX_TRANSPORT": ("project", "transport"),
    "PILLARBOX_BASE_URL": ("project", "base_url"),
    "PILLARBOX_BASE_PATH": ("project", "base_path"),
    "PILLARBOX_SMTP_PASSWORD": ("smtp", "password"),
    "PILLARBOX_BACKUP_KEY": ("backup", "key"),
    "PILLARBOX_LOG_LEVEL": ("logs", "level"),
    "PILLARBOX_LOG_FORM": ("logs", "form"),
    "PILLARBOX_METRICS_TOKEN": ("metrics", "token"),
}
KEY_FILE = "pillarbox.key"


def template() -> str:
    """The settings file of a new project, with its comments."""
    return (Path(__file__).parent / "template.toml").read_text("utf-8")


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load(folder: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of the project in ``folder``.

    Raises:
        SettingsError: listing every fault at once.
    """
    path = folder / FILE
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text("utf-8-sig")) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SettingsError(f"The settings are not valid TOML: {fault}.", where=str(path)) from None
    for name, value in _environment(os.environ if environ is None else environ).items():
        section, key = ENVIRONMENT[name]
        data.setdefault(section, {})[key] = value
    project = data.setdefault("project", {})
    key_file = folder / KEY_FILE
    if not project.get("secret_key") and key_file.is_file():
        project["secret_key"] = key_file.read_text("utf-8").strip()
    try:
        return Settings.model_validate({**data, "folder": folder.resolve(), "rehearsal": None})
    except ValidationError as fault:
        lines = "; ".join(f"[{'.'.join(map(str, e['loc'][:-1]))}] {e['loc'][-1]}: {e['msg']}" if e["loc"] else e["msg"]
                          for e in fault.errors(include_input=False))
        raise SettingsError(f"The settings have faults: {lines}.", where=str(path)) from None


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name in ENVIRONMENT:
        if value := environ.get(name):
            found[name] = value.strip()
        elif file := environ.get(f"{name}_FILE"):
            try:
                found[name] = Path(file).read_text("utf-8").strip()
            except OSError as fault:
                raise SettingsError(f"{name}_FILE cannot be read: {fault.strerror}.", where=file) from None
    return found
