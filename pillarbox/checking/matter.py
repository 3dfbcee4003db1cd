"""What a check looks at: a letter's sources, what it is composed from, and the versions of it that supporters get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Protocol

from pillarbox.checking.page import Page
from pillarbox.content import images
from pillarbox.content.bundle import Bundle
from pillarbox.model.config import Settings
from pillarbox.model.records import Finding, Letter, Shape


@dataclass(frozen=True, kw_only=True)
class Matter:
    """A letter, ready to be checked."""

    bundle: Bundle
    """The frozen appeal: settings, words, layouts, images, links; ``bundle.appeal.letter`` is what staff wrote."""
    letter: Letter
    """What it is composed from; ``files`` and ``lines`` lead from a template's line to the line that staff know."""
    day: date
    """The day that the letter is for."""
    settings: Settings
    shapes: tuple[Shape, ...]
    """The finished versions, each once; of those that hold one supporter's own words a sample."""
    supporters: int = 0
    """How many are to get it; 0 when only made-up supporters were asked."""
    versions: int = 0
    """How many versions the copies took, those included that are not among ``shapes``; 0: as many as ``shapes``."""
    lacking: Mapping[str, int] = field(default_factory=dict)
    """Field of a supporter that the letter prints bare or asks for (``fields``) → how many of them have none."""
    own_links: tuple[str, ...] = ()
    """The links of the supporter whose own copy is among ``shapes``; empty when none is."""

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """The HTML part of each of ``shapes``; parsed once, for all checks."""
        tracking = self.settings.links.code_parameter
        source = self.bundle.appeal.letter
        named = {images.public_name(data): f"images/{name}" for name, data in self.bundle.appeal.images.items()}
        return tuple(Page.of(self.letter, shape, tracking=tracking, own={source.file: source.content}, images=named,
                             own_links=self.own_links if shape.private else ())
                     for shape in self.shapes)


class Check(Protocol):
    """One concept's findings. Pure, unless its module says otherwise."""

    def __call__(self, matter: Matter) -> Iterator[Finding]:
        """Every finding, in the order in which staff should read them."""
