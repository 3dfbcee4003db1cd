"""Words that stand out too little from what is behind them, by day and in the dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from pillarbox.checking import cascade
from pillarbox.checking.cascade import Colour, Look
from pillarbox.checking.page import Page
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "contrast": "Words stand out too little from their background.",
    "contrast-dark": "Words stand out too little where a reader's screen is dark.",
}

WORDS, LARGE = 4.5, 3.0
"""To 1: what WCAG 2.2, 1.4.3 (level AA) wants of words, and of large ones."""
_LARGE, _LARGE_BOLD = 24.0, 18.66
"""Pixels: 18 points, or 14 in bold (the same criterion)."""


def look(page: Page) -> Iterator[Finding]:
    """Each pair of colours that is too close, told once with the first words that have it."""
    yield from _scheme(page, dark=False)
    if cascade.has_dark_rules(page):
        yield from _scheme(page, dark=True)


def ratio(one: Colour, other: Colour) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _scheme(page: Page, *, dark: bool) -> Iterator[Finding]:
    told: set[tuple[str, str]] = set()
    for element, seen in cascade.looks(page, dark=dark).items():
        words = _words(page, element)
        if not words or not seen.shown or seen.size <= 1 or seen.colour is None or seen.ground is None:
            continue
        if element in page.unseen:
            continue
        found, wanted = ratio(seen.colour, seen.ground), _wanted(seen)
        pair = _hex(seen.colour), _hex(seen.ground)
        if found >= wanted - 0.005 or pair in told:
            continue
        told.add(pair)
        where = "in dark mode" if dark else "by day"
        yield page.fault("contrast-dark" if dark else "contrast", f"“{words[:50]}” is {pair[0]} on {pair[1]} {where}, "
                         f"a contrast of {found:.1f} to 1, and many cannot read that: {wanted} is the least. Take "
                         "another colour, in templates/theme.toml or in the layout.", at=element, level=Level.WARNING)


def _words(page: Page, element: etree._Element) -> str:
    own = (element.text or "") + "".join(child.tail or "" for child in element)
    return " ".join(page.plain(own).split()) if any(map(str.isalnum, own)) else ""


def _wanted(seen: Look) -> float:
    return LARGE if seen.size >= (_LARGE_BOLD if seen.bold else _LARGE) else WORDS


def luminance(colour: Colour) -> float:
    """How bright a colour is, from 0 to 1 (WCAG 2.2, "relative luminance")."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)
