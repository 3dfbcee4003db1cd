"""The charity's brand: ``templates/theme.toml``, the project's own or else the shipped one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from pillarbox.content.settings import Line, Url
from pillarbox.content.source import Desk
from pillarbox.ground.resources import shipped
from pillarbox.model.records import Finding, Level

FILE = "theme.toml"


def _font(value: str) -> str:
    if re.search(r"[<>{};\"\\]", value):
        raise ValueError("should be a plain list of font names, with single quotes round names of several words")
    return value


Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$", to_lower=True)]
"""Six hex digits: Outlook's VML knows no other form."""
Font = Annotated[Line, AfterValidator(_font)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Charity(_Table):
    """[charity]: what the law and good manners want in every letter."""

    name: Annotated[Line, Field(min_length=1)]
    address: Annotated[Line, Field(min_length=1)]
    """Postal address on one line."""
    number: Line = ""
    """Registered charity number; Charities Act 2011 s. 194 wants the registered status said in appeals."""
    registered_as: Line = "Registered charity"
    """What stands before the number."""
    website: Url = ""
    strapline: Line = ""


class Palette(_Table):
    """[colours] and [dark]: one scheme."""

    page: Colour
    """Behind the letter."""
    paper: Colour
    """The letter itself."""
    ink: Colour
    muted: Colour
    """Small print."""
    accent: Colour
    """Links, bars, buttons."""
    on_accent: Colour
    """Words on a button."""
    rule: Colour
    tint: Colour
    """Behind panels."""


class Type(_Table):
    """[type]"""

    display: Font = "Georgia, 'Times New Roman', serif"
    body: Font = "Georgia, 'Times New Roman', serif"
    small: Font = "Arial, Helvetica, sans-serif"


class Logo(_Table):
    """[logo]: a wordmark in letters, or an image at a public address."""

    text: Line = ""
    image: Url = ""
    width: Annotated[int, Field(ge=1, le=600)] = 160
    height: Annotated[int, Field(ge=1, le=300)] = 40


class Theme(_Table):
    """Everything that theme.toml may say."""

    charity: Charity
    colours: Palette
    dark: Palette
    type: Type = Type()
    logo: Logo = Logo()

    def constants(self) -> dict[str, Any]:
        """The theme as plain values, for templates."""
        return self.model_dump(mode="json")


def read(project: Path) -> tuple[Theme | None, tuple[Finding, ...]]:
    """The project's theme, or the shipped one with a warning that it carries another charity's name.

    Returns:
        The theme, or None when it has faults; and everything found.
    """
    desk = Desk(project=project)
    own = project / "templates"
    root = own if (own / FILE).exists() else shipped("templates")
    if root != own:
        desk.fault("no-theme", own / FILE, "This project has no theme of its own, so letters carry the sample "
                   "charity's name and address: add templates/theme.toml.", level=Level.WARNING)
    theme, _ = desk.table(root / FILE, root, Theme)
    return theme, tuple(desk.findings)
