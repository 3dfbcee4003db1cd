"""Small letters for the tests of what is said in them: passages of a source, or a whole matter from a real folder."""

from __future__ import annotations

import datetime
from pathlib import Path

from pillarbox.checking import (
    accents,
    dates,
    doubled,
    mixups,
    punctuation,
    quotes,
    spam,
    spelling,
    subject,
)
from pillarbox.checking.examine import examine
from pillarbox.checking.matter import Matter
from pillarbox.checking.prose import Passage, body
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.letter import build
from pillarbox.compose.message import Composer
from pillarbox.content.appeal import Source
from pillarbox.content.bundle import gather
from pillarbox.ground.resources import shipped
from pillarbox.model.config import Settings
from pillarbox.model.records import Composed, Finding

DAY = datetime.date(2026, 12, 10)
LINKS = {name: f"https://example.org/{name}"
         for name in ("donate", "donate_monthly", "unsubscribe", "preferences", "view")}
ADA = {"title": "Ms", "first_name": "Ada", "last_name": "Sample", "name": "Ms Ada Sample",
       "salutation": "Dear Ms Sample", "language": "en", "country": "GB"}


MODULES = (accents, dates, doubled, mixups, punctuation, quotes, spam, spelling, subject)
"""The checks of what is said."""


def said(whole: Matter) -> list[Finding]:
    """What ``check`` tells of the words of a letter, by file and line; the rest is not asked here."""
    codes = {code for module in MODULES for code in module.CODES}
    found = [each for each in examine(whole) if each.code in codes]
    return sorted(found, key=lambda each: (each.file, each.line or 0, each.code))


def passages(text: str, file: str = "letter.md", language: str = "en-GB") -> tuple[Passage, ...]:
    """The passages of a letter's source."""
    return body(Source(file=f"appeals/a/{file}", content=text), language)


def matter(folder: Path, letter: str = "Dear friend\n", *, settings: str = "",
           subject: str = "Please help us today",
           day: datetime.date = DAY, html: str = "", words: str | None = None) -> Matter:
    """A whole letter, composed for one made-up supporter; ``settings`` are more lines of appeal.toml.

    ``html`` is a letter.html, whose plain-text part ``letter`` is then; ``words`` the project's words.txt.
    """
    home = folder / "appeals" / "spring"
    home.mkdir(parents=True, exist_ok=True)
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / "theme.toml").write_bytes((shipped("templates") / "theme.toml").read_bytes())
    if words is not None:
        (folder / "templates" / "words.txt").write_text(words, "utf-8")
    title = "" if "title =" in settings else 'title = "A letter"\n'
    (home / "appeal.toml").write_text(f'{title}subject = "{subject}"\n{settings}', "utf-8")
    if html:
        (home / "letter.html").write_text(html, "utf-8")
    (home / ("letter.txt" if html else "letter.md")).write_text(letter, "utf-8")
    bundle, findings = gather(Settings(folder=folder), "spring")
    assert bundle is not None, findings
    made = build(bundle, date=day, mailing={})
    [composed] = Composer(made, finisher(PremailerInliner())).compose([{"supporter": ADA, "links": LINKS}])
    assert isinstance(composed, Composed), composed
    return Matter(bundle=bundle, letter=made, day=day, settings=Settings(folder=folder), shapes=(composed.shape,))
