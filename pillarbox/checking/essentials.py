"""What a finished letter must have before it may leave: looked at as it will be sent, every fault at once. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

from pillarbox.checking.matter import Matter
from pillarbox.compose.environment import SUBJECT
from pillarbox.content.images import is_own
from pillarbox.model.records import Finding, Letter, Level, Place, Shape

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
_SCHEMES = ("https", "mailto")


def look(matter: Matter) -> Iterator[Finding]:
    """Every fault of every version of a letter."""
    for shape in matter.shapes:
        yield from review(matter.letter, shape)


def review(letter: Letter, shape: Shape) -> list[Finding]:
    """Every fault of one shape of a letter.

    Args:
        letter: what it was composed from; names the file and line where a fault can be mended, when that is known.
        shape: the finished letter.
    """
    page = _Page.read(shape.html)
    look = _Look(letter=letter, shape=shape, page=page)
    return [*look.unsubscribe(), *look.charity(), *look.text_part(), *look.subject(), *look.size(), *look.images(),
            *look.links(), *look.document()]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    letter: Letter
    shape: Shape
    page: _Page

    def unsubscribe(self) -> Iterator[Finding]:
        named = [href for href, words, rel in self.page.links
                 if href and (_UNSUBSCRIBE.search(words) or "unsubscribe" in rel)]
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
            for part, text, name in (("HTML", self.page.words, self.letter.html),
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

    def images(self) -> Iterator[Finding]:
        for attributes in self.page.images:
            source = attributes.get("src") or ""
            if "alt" not in attributes:
                yield self.fault("image-alt", f"The image {source} has no alt text: say what it shows, in one "
                                 'sentence; or alt="" when it is mere decoration.', needle=source)
            if not attributes.get("width") or not attributes.get("height"):
                yield self.fault("image-size", f"The image {source} has no width or height: give both in pixels, or "
                                 "the letter jumps while it loads.", needle=source, level=Level.WARNING)
            if urlsplit(source).scheme != "https" and not self.is_token(source) and not is_own(source):
                yield self.fault("image-address", f"The image {source or '(none)'} is not at an https:// address: "
                                 "mail programs will not show it.", needle=source)

    def links(self) -> Iterator[Finding]:
        for href, words, _ in self.page.links:
            if self.is_token(href) or urlsplit(href).scheme in _SCHEMES:
                continue
            label = " ".join(words.split()) or "a link"
            what = f"leads to {href!r}" if href else "leads nowhere"
            yield self.fault("bad-link", f"“{label}” {what}: links begin with https:// or mailto:.", needle=href)

    def document(self) -> Iterator[Finding]:
        root = self.page.root
        for attribute, why in (("lang", "screen readers need it to speak the words rightly"),
                               ("dir", "mail programs need it to set them from the right side")):
            if not root.get(attribute):
                yield self.fault(f"no-{attribute}", f"The letter's <html> has no {attribute}: {why}. Set it in the "
                                 "layout.")
        if not self.page.title.strip():
            yield self.fault("no-title", "The letter has no <title>: browsers and screen readers show it. Set it in "
                             "the layout.")

    # ------------------------------------------------------------------------------------------ places

    def is_token(self, href: str) -> bool:
        return any(href.startswith(token.mark) for token in self.shape.tokens)

    def fault(self, code: str, message: str, *, name: str = "", needle: str = "",
              level: Level = Level.ERROR) -> Finding:
        """A finding at the template called ``name``, or where ``needle`` stands in the letter's sources."""
        template, line = self.where(needle) if needle else (name or self.letter.html, None)
        if name == SUBJECT:
            line = next(iter(self.letter.lines.get(SUBJECT, ())), None)
        return Finding(level=level, code=code, file=self.letter.files.get(template, template), line=line,
                       message=message)

    def where(self, needle: str) -> tuple[str, int | None]:
        for name in (self.letter.html, *self.letter.templates):
            source = self.letter.templates.get(name, "")
            if (position := source.find(needle)) >= 0:
                number = source.count("\n", 0, position)
                lines = self.letter.lines.get(name)
                return name, lines[number] if lines and number < len(lines) else number + 1
        return self.letter.html, None


@dataclass(kw_only=True, slots=True)
class _Page:
    """What the checks need of a finished letter's HTML."""

    root: dict[str, str | None] = field(default_factory=dict)
    title: str = ""
    words: str = ""
    images: list[dict[str, str | None]] = field(default_factory=list)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    """href, words, rel."""

    @classmethod
    def read(cls, html: str) -> _Page:
        page = cls()
        reader = _Reader(page)
        reader.feed(html)
        reader.close()
        return page


class _Reader(HTMLParser):
    def __init__(self, page: _Page) -> None:
        super().__init__(convert_charrefs=True)
        self._page = page
        self._inside: str | None = None
        self._link: tuple[str, str] | None = None
        self._words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        match tag:
            case "html":
                self._page.root = attributes
            case "img":
                self._page.images.append(attributes)
                self._words += f" {attributes.get('alt') or ''}"
            case "a" if "href" in attributes:
                self._link, self._words = (attributes["href"] or "", attributes.get("rel") or ""), ""
            case "title" | "style" | "script":
                self._inside = tag
            case "br" | "p" | "td" | "div" | "li":
                self._page.words += " "

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = None
        elif tag == "a" and self._link:
            self._page.links.append((self._link[0], self._words, self._link[1]))
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self._page.title += data
        elif self._inside is None:
            self._page.words += data
            self._words += data
