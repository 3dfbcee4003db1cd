"""Whether the words of a letter can be told from what they stand on: the theme's colours, by day and by night.

Reads ``templates/theme.toml`` of the project, for the lines of its findings alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pillarbox.checking.cascade import Colour
from pillarbox.checking.contrast import luminance, ratio
from pillarbox.checking.matter import Matter
from pillarbox.content.source import line_of
from pillarbox.content.theme import FILE, Palette, Theme
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "theme-contrast": "Two colours of theme.toml, words and what they stand on, are too much alike.",
}

ENOUGH = 4.5
"""Contrast of words and ground: WCAG 2.2, success criterion 1.4.3, level AA, read 2026-11."""
UNREADABLE = 3.0
"""Below this not even large letters are enough (the same criterion)."""
WHERE = f"templates/{FILE}"

PAIRS = (
    ("ink", "paper", "the letter's words on its paper"),
    ("ink", "tint", "words in a panel"),
    ("muted", "paper", "the date, and a signatory's office"),
    ("muted", "page", "the small print below the letter"),
    ("accent", "paper", "links, and the charity's name"),
    ("accent", "tint", "links in a panel"),
    ("on_accent", "accent", "words on a button"),
)
"""(words, ground, where): every pair of one scheme that the layouts and components use."""


def look(matter: Matter) -> Iterator[Finding]:
    """A finding for every pair of colours with too little contrast, at the line that sets the words' colour."""
    yield from judge(matter.bundle.theme, _source(matter))


def judge(theme: Theme, source: str = "") -> Iterator[Finding]:
    """The same of a theme; ``source`` is the text of its file, for the lines."""
    for scheme, name in ((theme.colours, "colours"), (theme.dark, "dark")):
        for words, ground, where in PAIRS:
            yield from _pair(scheme, name, words, ground, where, source)


def contrast(one: str, other: str) -> float:
    """How well two colours (``#rrggbb``) can be told apart: 1 to 21, as WCAG 2.2 defines it."""
    return ratio(_channels(one), _channels(other))


def _pair(palette: Palette, scheme: str, words: str, ground: str, where: str, source: str) -> Iterator[Finding]:
    one, other = getattr(palette, words), getattr(palette, ground)
    found = contrast(one, other)
    if found >= ENOUGH:
        return
    way = "darker" if luminance(_channels(one)) < luminance(_channels(other)) else "lighter"
    yield Finding(
        level=Level.ERROR if found < UNREADABLE else Level.WARNING, code="theme-contrast", file=WHERE,
        line=line_of(source, [scheme, words]),
        message=f"[{scheme}] {words} {one} on {ground} {other} has a contrast of {_shown(found)} to 1, and words need "
                f"{ENOUGH} ({where}): make {words} {way}, or {ground} {'lighter' if way == 'darker' else 'darker'}.")


def _shown(found: float) -> str:
    return f"{int(found * 100) / 100:.2f}"  # never rounded up to what would be enough


def _channels(colour: str) -> Colour:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _source(matter: Matter) -> str:
    try:
        return (matter.settings.folder / WHERE).read_text("utf-8")
    except (OSError, UnicodeDecodeError):  # the shipped theme, or a folder that changed since: no lines then
        return ""
