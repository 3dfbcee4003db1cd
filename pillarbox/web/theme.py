"""How the few pages that supporters see look: the charity's name, colours and type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_DAY = {"page": "#f4f1ec", "paper": "#fffdfa", "ink": "#1f2a33", "muted": "#5d656c", "accent": "#0f5c7a",
        "on_accent": "#ffffff", "rule": "#d9d2c7"}
_NIGHT = {"page": "#12171b", "paper": "#1a2126", "ink": "#e9e6e0", "muted": "#a7b0b6", "accent": "#7cc4de",
          "on_accent": "#0e2530", "rule": "#3a454c"}
_SERIF = "Georgia, 'Iowan Old Style', Charter, 'Times New Roman', serif"
_SANS = "'Helvetica Neue', Helvetica, Arial, sans-serif"


@dataclass(frozen=True, kw_only=True, slots=True)
class Theme:
    """What the pages need to know of the charity."""

    name: str
    """The charity's name; may be empty."""
    website: str = ""
    contact: str = ""
    """Address that a supporter may write to; may be empty."""
    day: Mapping[str, str] = field(default_factory=lambda: dict(_DAY))
    """Colours by light: page, paper, ink, muted, accent, on_accent, rule."""
    night: Mapping[str, str] = field(default_factory=lambda: dict(_NIGHT))
    """The same in the dark."""
    display: str = _SERIF
    """Font stack of headings and words."""
    small: str = _SANS
    """Font stack of small print and buttons."""

    @classmethod
    def from_toml(cls, data: Mapping[str, Any], *, name: str, website: str = "", contact: str = "") -> Theme:
        """The theme of a project's ``theme.toml`` (parsed); what it leaves out keeps its default."""
        charity, type_ = data.get("charity", {}), data.get("type", {})
        return cls(name=name or str(charity.get("name", "")), website=website or str(charity.get("website", "")),
                   contact=contact, day=_DAY | _known(data.get("colours", {})), night=_NIGHT | _known(
                       data.get("dark", {})), display=type_.get("display", _SERIF), small=type_.get("small", _SANS))


def _known(colours: Mapping[str, str]) -> dict[str, str]:
    return {name: colour for name, colour in colours.items() if name in _DAY}
