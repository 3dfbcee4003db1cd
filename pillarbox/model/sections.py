"""The sections of pillarbox.toml: what each may say, with its default and its unit."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from pillarbox.model.donating import Platform, sound

_DOMAIN = re.compile(r"[^\s@.]+(\.[^\s@.]+)+")


class Section(BaseModel):
    """A table of pillarbox.toml: an unknown key in it is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProjectSettings(Section):
    """[project]: where this installation lives."""

    home: Literal["box", "laptop"] = "box"
    zone: str = "Europe/London"
    base_url: str = ""
    database: str = "sqlite:///var/pillarbox.db"
    transport: Literal["files", "smtp", "sendgrid"] = "files"
    secret_key: SecretStr = SecretStr("")

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
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")


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

    @field_validator("code_parameter")
    @classmethod
    def _a_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_.\[\]-]{1,60}", value):
            raise ValueError("the name of a parameter holds letters, digits, dashes and underscores")
        return value


class GivingSettings(Section):
    """[giving]: which donation pages letters lead to, and how a page learns which letter brought a gift."""

    platform: Platform = "auto"
    """How the page of ``[links] donate`` carries the code; ``auto``: by its host, else ``[links] code_parameter``."""
    platform_monthly: Platform | Literal[""] = ""
    """The same for ``[links] donate_monthly``; empty: as ``platform``."""
    template: str = ""
    """A page of one's own making, with ``{code}`` in its path or query; it replaces ``[links] donate`` with a code."""
    template_monthly: str = ""
    pages: Mapping[str, str] = {}
    """Appeal or mailing → another page, also for letters that have left: a wrong page is mended here."""
    pages_monthly: Mapping[str, str] = {}
    hosts: tuple[str, ...] = ()
    """Further websites that an appeal's own donation page may lie at, beside those of the pages named here."""

    @field_validator("pages", "pages_monthly")
    @classmethod
    def _sound_pages(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name, page in value.items():
            try:
                sound(page)
            except ValueError as fault:
                raise ValueError(f"the page of {name!r} {fault}") from None
        return value

    @field_validator("hosts")
    @classmethod
    def _sound_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            try:
                sound(f"https://{host}/")
            except ValueError:
                raise ValueError(f"{host!r} is not the name of a website, such as give.example.org") from None
            if not _DOMAIN.fullmatch(host) or "/" in host:
                raise ValueError(f"{host!r} is not the name of a website, such as give.example.org")
        return tuple(host.lower() for host in value)


class HookSettings(Section):
    """What a payment provider's hook is known by."""

    webhook_secret: SecretStr = SecretStr("")
    """One secret, or several parted by commas or spaces while one replaces another."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Each secret; empty: the hook is not set up."""
        return tuple(filter(None, re.split(r"[\s,]+", self.webhook_secret.get_secret_value())))


class StripeSettings(HookSettings):
    """[stripe]: what Stripe posts to /hooks/stripe."""

    mode: Literal["auto", "live", "test"] = "auto"
    """Whose events are taken; ``auto``: live ones, and test ones while the project practises."""
    account: str = Field(default="", pattern=r"^(acct_[A-Za-z0-9]{4,64})?$")
    """The connected account whose events are taken; empty: the charity's own account, and no other's."""
    payments: Literal["checkout", "all"] = "checkout"
    """``checkout``: Checkout, payment links, subscriptions, and payments that carry a code; ``all``: any payment."""
    tolerance_seconds: int = Field(default=300, ge=10, le=3_600)
    """How old, or how far ahead, a signature's time may be (Stripe's libraries use 300)."""


class GocardlessSettings(HookSettings):
    """[gocardless]: what GoCardless posts to /hooks/gocardless, and where the amounts are asked for."""

    token: SecretStr = SecretStr("")
    """A read-only access token: events name ids alone."""
    mode: Literal["auto", "live", "sandbox"] = "auto"
    """``auto``: live, and sandbox while the project practises."""
    url: str = ""
    """Another host than GoCardless's own, for tests."""
    organisation: str = Field(default="", pattern=r"^(OR[A-Za-z0-9]{4,64})?$")
    """The organisation whose events are taken, when a partner's hook tells of several."""


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


class AttributionSettings(Section):
    """[attribution]"""

    window_days: int = Field(default=30, ge=1, le=366)
    """A donation without a code counts for the newest mailing accepted for its address within these days before it."""


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


class BackupSettings(Section):
    """[backup]: encrypted copies of the database."""

    folder: str = "var/backups"
    nightly: bool = True
    at: str = Field(default="03:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    keep: int = Field(default=14, ge=1, le=3_650)
    """So many are kept; older ones are deleted."""
    key: SecretStr = SecretStr("")
    """A passphrase; without one the project's secret key serves."""


class JoinSettings(Section):
    """[join]: the sign-up form."""

    lists: tuple[str, ...] = ()
    """Who signs up joins these; none: there is no form."""
    heading: str = "Let’s stay in touch"
    words: str = ""
    """What stands above the form."""
    wording: str = ("Please send me updates by email. I can unsubscribe at any time, by the link at the end of every "
                    "email.")
    """What one agrees to by signing up: kept word for word with the consent."""
    tracking_wording: str = ("You may also count whether I open your emails and which links I follow, to learn what is "
                             "worth writing about.")
    """Beside a tick box of its own, which may stay empty; an empty text leaves the box out."""
    privacy: str = ""
    """Address of the charity's privacy notice."""
    sites: tuple[str, ...] = ()
    """Websites that may show the form in a frame, and whose own forms may post to it: ``https://your-charity.org``."""
    per_hour: int = Field(default=30, ge=1, le=10_000)
    """Most sign-ups an hour from one network: a stall at a fair has one for all its visitors."""
    welcome: bool = False
    """Whether who has confirmed gets the service letter ``welcome``."""

    @field_validator("lists")
    @classmethod
    def _names_of_lists(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,79}", name) for name in value):
            raise ValueError("a list's name has small letters, digits and hyphens, for example newsletter")
        return value

    @field_validator("sites")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        plain = tuple(site.rstrip("/").lower() for site in value)
        if any(not re.fullmatch(r"https://[a-z0-9.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?", site)
               for site in plain):
            raise ValueError("a website looks like https://your-charity.org, without a path")
        return plain

    @field_validator("wording")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("say what one agrees to")
        return value.strip()

    @field_validator("privacy")
    @classmethod
    def _https(cls, value: str) -> str:
        if value and not value.startswith("https://"):
            raise ValueError("should be a web address that begins with https://")
        return value


class PreferenceSettings(Section):
    """[preferences]: what supporters may choose on their own page."""

    lists: Mapping[str, str] = {}
    """The lists that they may choose between: name → what it is, in a sentence that they understand."""
    tracking_wording: str = ("You may count whether I open your emails and which links I follow, to learn what is "
                             "worth writing about.")
    """What one agrees to by ticking it, kept word for word with the consent; an empty text leaves the box out."""

    @field_validator("lists")
    @classmethod
    def _names_and_words(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if odd := [name for name in value if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,79}", name)]:
            raise ValueError(f"{odd[0]!r} cannot be a list's name: use small letters, digits and hyphens")
        if odd := [name for name, words in value.items() if not words.strip()]:
            raise ValueError(f"say in a few words what the list {odd[0]} is: supporters read it")
        return {name: words.strip() for name, words in value.items()}

    @field_validator("tracking_wording")
    @classmethod
    def _plain(cls, value: str) -> str:
        return value.strip()


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
