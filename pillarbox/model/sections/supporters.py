"""What supporters may do themselves: [join], [preferences]."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import Field, field_validator

from pillarbox.model.sections.base import Section


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
    """Sign-ups from one network, at once and again in each hour: a stall at a fair has one for all its visitors."""
    per_hour_in_all: int = Field(default=200, ge=2, le=100_000)
    """Most sign-up letters in any hour, wherever they are asked for: nobody shall mail strangers through the form."""
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
