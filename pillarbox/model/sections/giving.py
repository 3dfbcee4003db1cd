"""How a gift is asked for and recognised: [giving], [stripe], [gocardless], [attribution]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from pillarbox.model.donating import Platform, sound
from pillarbox.model.sections.base import Section

_DOMAIN = re.compile(r"[^\s@.]+(\.[^\s@.]+)+")


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


class AttributionSettings(Section):
    """[attribution]"""

    window_days: int = Field(default=30, ge=1, le=366)
    """A donation without a code counts for the newest mailing accepted for its address within these days before it."""
