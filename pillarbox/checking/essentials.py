"""What a finished letter must have before it may leave: looked at as it will be sent, every fault at once. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pillarbox.checking.matter import Matter
from pillarbox.checking.page import Page
from pillarbox.compose.environment import SUBJECT
from pillarbox.model.records import Finding, Letter, Level, Place, Shape

CODES: Mapping[str, str] = {
    "no-unsubscribe": "A part of the letter has no unsubscribe link.",
    "no-address": "A part of the letter does not show the charity's postal address, or it is not known.",
    "no-charity-number": "A part of the letter does not show the registered charity number, or it is not known.",
    "no-text-part": "The letter has no plain-text part.",
    "empty-subject": "The subject is empty.",
    "long-subject": "The subject is longer than inboxes show.",
    "broken-subject": "The subject holds template marks, a line break, or a gap where a name is missing.",
    "too-long": "The HTML part is so big that Gmail hides its end.",
}

MAX_BYTES = 102_400
"""Gmail hides what follows the first 102 KB of a message's HTML behind "View entire message": the footer with the
unsubscribe link first of all."""
MAX_SUBJECT = 78
"""Characters; RFC 5322 §2.1.1 wants lines at or below 78, and few inboxes show more than that."""
TOKEN_WIDTH = 12
"""Characters that a supporter's words in the subject are taken to fill: a first name and a little more."""

_UNSUBSCRIBE = re.compile(r"unsubscribe", re.IGNORECASE)
_LEFT_OVER = re.compile(r"\{\{|\}\}|\{%|%\}|[\r\n]")
_NOBODY = re.compile(r"^\s*[,;:!?]|\s[,;:!?]|\s{2,}")


def look(matter: Matter) -> Iterator[Finding]:
    """Every fault of every version of a letter."""
    for shape, page in zip(matter.shapes, matter.pages, strict=True):
        yield from review(matter.letter, shape, page)


def review(letter: Letter, shape: Shape, page: Page | None = None) -> list[Finding]:
    """Every fault of one shape of a letter.

    Args:
        letter: what it was composed from; names the file and line where a fault can be mended, when that is known.
        shape: the finished letter.
        page: its HTML part, when that was parsed already.
    """
    look = _Look(letter=letter, shape=shape, page=page or Page.of(letter, shape))
    return [*look.unsubscribe(), *look.charity(), *look.text_part(), *look.subject(), *look.size()]


def too_long(matter: Matter) -> Iterator[Finding]:
    """Only that a letter is too long, of its longest version: a huge one is not looked at more closely."""
    longest = max(matter.shapes, key=lambda shape: len(shape.html))
    empty = Page(html="")
    yield from _Look(letter=matter.letter, shape=longest, page=empty).size()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    letter: Letter
    shape: Shape
    page: Page

    def unsubscribe(self) -> Iterator[Finding]:
        named = [link for link in self.page.all("a") if link.get("href") and (
            _UNSUBSCRIBE.search(self.page.words(link)) or "unsubscribe" in (link.get("rel") or ""))]
        if not named:
            yield self.fault("no-unsubscribe", "The letter has no unsubscribe link: put "
                             '<a href="{{ links.unsubscribe }}">Unsubscribe</a> into its layout.')
        if self.shape.text.strip() and not _UNSUBSCRIBE.search(self.shape.text):
            yield self.fault("no-unsubscribe", "The plain-text part has no unsubscribe link: put "
                             "“Unsubscribe: {{ links.unsubscribe }}” into its layout.", name=self.letter.text)

    def charity(self) -> Iterator[Finding]:
        charity = self.letter.constants.get("charity", {})
        for setting, code, words in (("address", "no-address", "postal address"),
                                     ("number", "no-charity-number", "registered charity number")):
            wanted = " ".join(str(charity.get(setting, "")).split())
            if not wanted:
                yield self.fault(code, f"The charity's {words} is not known: set {setting} under [charity] in "
                                 "templates/theme.toml.",
                                 level=Level.ERROR if setting == "address" else Level.WARNING)
                continue
            for part, text, name in (("HTML", self.page.words(self.page.root), self.letter.html),
                                     ("plain-text", self.shape.text, self.letter.text)):
                if text.strip() and wanted not in " ".join(text.split()):
                    yield self.fault(code, f"The {part} part does not show the {words}: print "
                                     f"{{{{ charity.{setting} }}}} in its layout.", name=name)

    def text_part(self) -> Iterator[Finding]:
        if not self.shape.text.strip():
            yield self.fault("no-text-part", "The plain-text part is empty: write letter.md, or a letter.txt beside "
                             "letter.html.", name=self.letter.text)

    def subject(self) -> Iterator[Finding]:
        subject = self.shape.subject
        marks = [token.mark for token in self.shape.tokens if token.place is Place.SUBJECT]
        bare = subject
        for mark in marks:
            bare = bare.replace(mark, "")
        length = len(bare) + TOKEN_WIDTH * sum(subject.count(mark) for mark in marks)
        if not subject.strip():
            yield self.fault("empty-subject", "The subject is empty: write one in appeal.toml.", name=SUBJECT)
        elif length > MAX_SUBJECT:
            yield self.fault("long-subject", f"The subject has about {length} characters, and inboxes cut at "
                             f"{MAX_SUBJECT} or before: shorten it.", name=SUBJECT, level=Level.WARNING)
        if _LEFT_OVER.search(subject):
            yield self.fault("broken-subject", "The subject holds template marks or a line break: it should be one "
                             "line of plain words, with values in {{ }}.", name=SUBJECT)
        elif any(mark not in subject for mark in marks):
            yield self.fault("broken-subject", "A supporter's words were lost from the subject: print them as they "
                             "are, without a filter that changes letters.", name=SUBJECT)
        elif subject.strip() and not marks and _NOBODY.search(subject):
            yield self.fault("broken-subject", "The subject has a gap, as when a name is missing: write it with "
                             "{% if supporter.first_name %} … {% else %} … {% endif %}.", name=SUBJECT)

    def size(self) -> Iterator[Finding]:
        size = len(self.shape.html.encode())
        if size > MAX_BYTES:
            yield self.fault("too-long", f"The HTML part has {size:,} bytes, and Gmail hides what comes after "
                             f"{MAX_BYTES:,}: shorten the letter, or link to the rest.")

    # ------------------------------------------------------------------------------------------ places

    def fault(self, code: str, message: str, *, name: str = "", level: Level = Level.ERROR) -> Finding:
        """A finding at the template called ``name``; at the HTML part's when none is said."""
        template = name or self.letter.html
        line = next(iter(self.letter.lines.get(SUBJECT, ())), None) if name == SUBJECT else None
        return Finding(level=level, code=code, file=self.letter.files.get(template, template), line=line,
                       message=message)
