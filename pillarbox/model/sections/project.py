"""Where a project lives, who writes, and through whom: [project], [sender], [links], [sendgrid], [smtp]."""

from __future__ import annotations

import re
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from pillarbox.model.sections.base import Section


class ProjectSettings(Section):
    """[project]: where this installation lives."""

    home: Literal["box", "laptop"] = "box"
    zone: str = "Europe/London"
    base_url: str = ""
    base_path: Literal["stripped", "kept"] = "stripped"
    """Of a base URL with a path: whether the proxy before ``serve`` takes it off, or hands requests on with it."""
    database: str = "sqlite:///var/pillarbox.db"
    transport: Literal["files", "smtp", "sendgrid"] = "files"
    secret_key: SecretStr = SecretStr("")
    images: Literal["auto", "hosted", "embedded"] = "auto"
    """How a letter's images travel: fetched from the base URL, or within each message; ``auto``: embedded on a laptop,
    which has no public address."""

    @property
    def how_images_travel(self) -> Literal["hosted", "embedded"]:
        """``images``, decided."""
        if self.images != "auto":
            return self.images
        return "embedded" if self.home == "laptop" else "hosted"

    @field_validator("zone")
    @classmethod
    def _a_zone_that_there_is(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):  # not found, no name at all, a folder of names
            raise ValueError(f"there is no time zone called {value!r}; zones look like Europe/London") from None
        return value

    @field_validator("base_url")
    @classmethod
    def _an_address_and_plain_folders(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        scheme, given, rest = value.partition("://")
        name, slash, path = rest.partition("/")
        if not given:
            return value  # no address at all, which the doctor tells, and every live mailing
        # It stands in every letter, in headers, and before every path in pages: it holds nothing with a meaning there,
        # and no password.
        if re.search(r"[\s\\@\"'<>;?#]", name) or not re.fullmatch(
                r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*", slash + path):
            raise ValueError("it holds https://, the name of the website, and after it plain folders alone, as in "
                             "https://charity.example/letters")
        return f"{scheme.lower()}://{name.lower()}{slash}{path}"  # browsers too read HTTPS://Charity.example so


class SenderSettings(Section):
    """[sender]: who the letters come from."""

    name: str = ""
    email: str = ""
    reply_to: str = ""
    unsubscribe_mailto: str = ""


class LinkSettings(Section):
    """[links]: the charity's own pages."""

    donate: str = ""
    donate_monthly: str = ""
    website: str = ""
    sign_up: str = ""
    code_parameter: str = "ref"
    """Name of the query parameter that carries the attribution code to the donation page."""
    amount_parameter: str = ""
    """Name of the query parameter that fills a sum into the charity's own donation page; empty: it takes none."""

    @field_validator("code_parameter", "amount_parameter")
    @classmethod
    def _a_name(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.field_name == "amount_parameter":
            return value
        if not re.fullmatch(r"[A-Za-z0-9_.\[\]-]{1,60}", value):
            raise ValueError("the name of a parameter holds letters, digits, dashes and underscores")
        return value


class SendgridSettings(Section):
    """[sendgrid]"""

    api_key: SecretStr = SecretStr("")
    url: str = "https://api.sendgrid.com"
    personalise: Literal["substitutions", "individual"] = "substitutions"
    timeout_seconds: float = Field(default=60.0, gt=0, le=300)
    connections: int = Field(default=4, ge=1, le=32)
    webhook_key: SecretStr = SecretStr("")
    """The event webhook's verification key (public, base64)."""
    webhook_max_age_seconds: int = Field(default=86_400 + 3_600, ge=60)
    """A signed post older than this is stale: SendGrid retries for 24 hours (event webhook page, read 2026-11)."""


class SmtpSettings(Section):
    """[smtp]"""

    host: str = "localhost"
    port: int = 587
    username: str = ""
    password: SecretStr = SecretStr("")
    security: Literal["starttls", "tls", "none"] = "starttls"
    timeout_seconds: float = Field(default=60.0, gt=0, le=300)
