"""What appeal.toml may say: every setting with its default."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from pillarbox.model.states import Kind

# C0 and C1 but the tab (line ends have a rule of their own), and noncharacters.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def _https(value: str) -> str:
    parts = urlsplit(value)
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if value and not local and (parts.scheme != "https" or not parts.hostname):
        raise ValueError("should be a web address that begins with https://")
    return value


def _visible(value: str) -> str:
    # Feeds and spreadsheets cannot hold them, headers must not, and nobody sees that they are there.
    if found := _CONTROL.search(value):
        raise ValueError(f"holds a control character (U+{ord(found.group()):04X}) that nobody can see: type the words "
                         "around it anew")
    return value


Line = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\r\n]*$", max_length=300),
                 AfterValidator(_visible)]
Url = Annotated[Line, AfterValidator(_https)]


class AppealLinks(BaseModel):
    """[links]: pages for this appeal alone; what is empty is taken from the project's settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    donate: Url = ""
    donate_monthly: Url = ""
    sign_up: Url = ""
    website: Url = ""
    share: Url = ""
    """The public page that supporters are asked to pass on."""


class CheckOfAppeal(BaseModel):
    """[check]: what this appeal's check need not tell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ignore: dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")],
                 Annotated[Line, Field(min_length=3)]] = Field(default_factory=dict)
    """Code of a warning or of advice → why it may stay; errors are told in any case."""


class VariantSettings(BaseModel):
    """[variants.b]: what one variant says differently; the rest is the letter's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Annotated[Line, Field(min_length=1)] | None = None
    preheader: Line | None = None


class AppealSettings(BaseModel):
    """Everything that appeal.toml may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[Line, Field(min_length=1)]
    """The headline, in the letter and on screens."""
    subject: Annotated[Line, Field(min_length=1)]
    """Jinja; may read the supporter."""
    preheader: Line = ""
    """Jinja; the words that an inbox shows after the subject."""
    kind: Literal[Kind.APPEAL, Kind.NEWSLETTER, Kind.MESSAGE, Kind.SERVICE] = Kind.APPEAL
    layout: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")] = "letter"
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en-GB"
    """BCP 47."""
    series: Line = ""
    """Appeals that belong together: launch, reminder."""
    date: datetime.date | None = None
    """The letter's own date when it has one; otherwise the mailing's date stands in its date line."""
    topics: tuple[Line, ...] = ()
    images: Literal["", "hosted", "embedded"] = ""
    """How its images travel; empty: as the project says."""
    links: AppealLinks = AppealLinks()
    facts: dict[str, Any] = Field(default_factory=dict)
    """Anything the letter wants to say in more than one place: ``appeal.facts.…``."""
    check: CheckOfAppeal = CheckOfAppeal()
    variants: dict[str, VariantSettings] = Field(default_factory=dict)
    """Other words for a part of the supporters each; every way of writing them down: ``content.variants``."""
