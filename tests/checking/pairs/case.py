"""What a pair is: two letters that differ in one thing, the first of which shows a finding and the second does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from lab import harbour
from pillarbox.ground.resources import shipped

SLUG = "spring"
HOME = f"appeals/{SLUG}"
LETTER = "Dear friend,\n\nCome and see the lamp.\n"
SITE = "http://website.invalid"
"""Stands in a letter for the address of the website that the tests run."""
SHEET = """<!DOCTYPE html>
<html lang="{{ appeal.language }}" dir="{{ appeal.direction }}">
<head>
<title>{{ appeal.title }}</title>
<meta name="viewport" content="width=device-width">
</head>
<body>
{% block content %}{% endblock %}
<p>{{ charity.address }}, charity {{ charity.number }}</p>
<p><a href="{{ links.unsubscribe }}">Unsubscribe</a></p>
</body>
</html>
"""
"""The smallest layout of which a check has nothing to say; it stands in the place of the shipped one."""
THEME = (shipped("templates") / "theme.toml").read_text("utf-8")
_USES = (":::", "[^")
"""What in a letter in Markdown becomes a component of the shipped ones."""
PEOPLE: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "few": ({"email": "ada@example.org", "first_name": "Ada", "last_name": "Sample", "town": "Leeds"},
            {"email": "bob@example.org", "first_name": "", "last_name": "", "town": ""}),
    "crowd": tuple({"email": f"supporter{number}@example.org", "first_name": f"Name{'abcdefghij'[number % 10]}",
                    "last_name": "Sample", "number": str(number)} for number in range(150)),
}
"""Made-up supporters, by the name of their list."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A project with one appeal, and how its letter is checked; what a case does not care about has a default."""

    letter: str | None = LETTER
    """letter.md; of a letter in HTML its plain-text part. None: there is none."""
    html: str = ""
    """letter.html; empty: the letter is Markdown."""
    subject: str = "The lamp burns again"
    preheader: str = "It was lit in 1862, and your help keeps it burning."
    title: str = "The lamp"
    appeal: str = ""
    """More of appeal.toml."""
    settings: str = ""
    """More of pillarbox.toml."""
    sheet: str = SHEET
    """templates/layouts/letter.html."""
    theme: str = THEME
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    """More files: path from the project's folder → content; None: it is taken away."""
    slug: str = SLUG
    """The appeal that is asked for."""
    people: str = ""
    """The list that it is checked for, of ``PEOPLE``; empty: the two made-up supporters."""
    day: date = date(2026, 12, 10)
    score: str = ""
    """What the stand-in for SpamAssassin says of it; empty: it is not installed."""
    online: float = 0.0
    """Seconds for asking for its pages; 0: they are not asked for."""
    failing: bool = False
    """Whether one of the checks breaks."""

    @property
    def appeal_toml(self) -> str:
        """The whole of appeal.toml."""
        lines = [f'{name} = "{words}"\n' for name, words in (
            ("title", self.title), ("subject", self.subject), ("preheader", self.preheader)) if words]
        return "".join(lines) + self.appeal

    @property
    def contents(self) -> dict[str, bytes]:
        """Every file of the project: path from its folder → content."""
        said = {f"{HOME}/appeal.toml": self.appeal_toml, "templates/theme.toml": self.theme,
                "templates/layouts/letter.html": self.sheet,
                "pillarbox.toml": harbour.settings("files") + self.settings,
                "pillarbox.key": "a key for tests only, thirty-two bytes at least\n"}
        if self.letter is not None:
            said[f"{HOME}/{'letter.txt' if self.html else 'letter.md'}"] = self.letter
        if self.html:
            said[f"{HOME}/letter.html"] = self.html
        if not any(mark in f"{self.letter}" for mark in _USES):  # half a letter's time is theirs
            said |= {"templates/components.html": "", "templates/components.txt": ""}
        every = {path: content.encode() for path, content in said.items()} | dict(self.files)
        return {path: content for path, content in every.items() if content is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A code, the smallest case that shows it, and its nearest neighbour that must not."""

    code: str
    shows: Case
    shows_not: Case
    besides: tuple[str, ...] = ()
    """Other codes that either case has, and rightly."""


def pair(code: str, field_name: str, shows: Any, shows_not: Any, *, besides: tuple[str, ...] = (),
         **both: Any) -> Pair:
    """Two cases that differ in one field; ``both`` is what they share beside the defaults."""
    shared = Case(**both)
    return Pair(code=code, shows=replace(shared, **{field_name: shows}),
                shows_not=replace(shared, **{field_name: shows_not}), besides=besides)


def said(code: str, shows: str, shows_not: str, **both: Any) -> Pair:
    """Two letters in Markdown that differ in a paragraph."""
    return pair(code, "letter", f"Dear friend,\n\n{shows}\n", f"Dear friend,\n\n{shows_not}\n", **both)


def written(code: str, shows: str, shows_not: str, **both: Any) -> Pair:
    """Two letters in HTML that differ in a piece of it."""
    return pair(code, "html", f"<p>Dear friend,</p>\n{shows}\n", f"<p>Dear friend,</p>\n{shows_not}\n", **both)


def laid_out(code: str, old: str, new: str, **both: Any) -> Pair:
    """The smallest layout with a piece put in the place of another; the layout as it is must not show it."""
    assert old in SHEET
    return pair(code, "sheet", SHEET.replace(old, new), SHEET, **both)


def beside(code: str, shows: Mapping[str, bytes | None], shows_not: Mapping[str, bytes | None], **both: Any) -> Pair:
    """Two projects that differ in their files."""
    return pair(code, "files", shows, shows_not, **both)
