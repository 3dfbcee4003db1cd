"""The HTML part as the checks see it: a tree, and for each thing in it the place where staff can mend it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jinja2 import TemplateError
from lxml import etree

from pillarbox.compose.faults import TOO_DEEP
from pillarbox.compose.inline import parse
from pillarbox.compose.survey import reachable
from pillarbox.model.records import Finding, Letter, Level, Place, Shape

Sought = Callable[[Iterable[str]], tuple[str, int | None]]
"""Finds the first of several pieces of source: the file that staff know, and its line."""

_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden"
                     r"|max-height\s*:\s*[01](?:px)?\s*(?:!important\s*)?(?:;|$)"
                     r"|opacity\s*:\s*0(?:\.0+)?\s*(?:!important\s*)?(?:;|$)", re.IGNORECASE)
_NOT_FOR_OUTLOOK = re.compile(r"\[if\s+!\s*mso\b", re.IGNORECASE)
_NO_WORDS = ("script", "style", "title", "head", "template", "noscript")
_SPACE = re.compile(r"\s+")
# Inlining turns a blank of Jinja's own, and characters into entities: what is looked for in sources is plain words.
_PIECE = re.compile(r"[A-Za-zÀ-ž0-9][^\n<>&{}’'\"“”]{5,60}")


@dataclass(frozen=True, kw_only=True)
class Page:
    """One finished version's HTML."""

    html: str
    sought: Sought | None = None
    """Finds a place in the letter's sources; None: the HTML is itself what staff edit."""
    file: str = "letter.html"
    """The file when nothing better is known."""
    marks: tuple[str, ...] = ()
    """What stands where a supporter's words go."""
    own_links: tuple[str, ...] = ()
    """The supporter's own links, in a copy that was composed alone: there they stand as they are."""
    tracking: str = ""
    """Name of the parameter by which donation pages learn which letter brought a gift; empty: none."""
    links: Mapping[str, str] = field(default_factory=dict)
    """The charity's pages (``content.bundle.LINKS``)."""
    images: Mapping[str, str] = field(default_factory=dict)
    """The name that an image of the letter has outside → the one by which staff know it: ``images/lamp.jpg``."""

    @classmethod
    def of(cls, letter: Letter, shape: Shape, *, tracking: str = "", own: Mapping[str, str] | None = None,
           images: Mapping[str, str] | None = None, own_links: tuple[str, ...] = ()) -> Page:
        """The HTML part of a version of a letter; ``own`` is what the writer wrote (``place_of``)."""
        return cls(html=shape.html, sought=lambda pieces: place_of(letter, pieces, own or {}),
                   file=letter.files.get(letter.html, letter.html), tracking=tracking, images=images or {},
                   own_links=own_links,
                   links=letter.constants.get("appeal", {}).get("links", {}),
                   marks=tuple(t.mark for t in shape.tokens if t.place is not Place.SUBJECT))

    @cached_property
    def root(self) -> etree._Element:
        """The document's root."""
        return parse(self.html).getroot()

    @cached_property
    def elements(self) -> tuple[etree._Element, ...]:
        """Every element, in the order of the document; comments (Outlook's blocks) are not among them."""
        return tuple(self.root.iter("*"))

    def all(self, *tags: str) -> Iterator[etree._Element]:
        """The elements of these names, in order."""
        return (element for element in self.elements if element.tag in tags)

    @cached_property
    def unseen(self) -> frozenset[etree._Element]:
        """Elements that no eye sees: hidden by their style or an ancestor's, or no part of the body.

        A size of nothing hides no descendant: MJML sets it on every cell, and the size again within.
        """
        found: set[etree._Element] = set()
        for element in self.elements:
            above = element.getparent()
            if (above is not None and above in found) or element.tag in _NO_WORDS or element.get("hidden") is not None \
                    or _UNSEEN.search(element.get("style") or ""):
                found.add(element)
        return frozenset(found)

    @cached_property
    def not_for_outlook(self) -> frozenset[etree._Element]:
        """Elements between ``<!--[if !mso]><!-->`` and ``<!--<![endif]-->``, which Outlook for Windows never reads."""
        found: set[etree._Element] = set()
        inside = False
        for node in self.root.iter():
            if isinstance(node, etree._Comment):
                words = node.text or ""
                if _NOT_FOR_OUTLOOK.search(words) and "endif" not in words:
                    inside = True
                elif "endif" in words:
                    inside = False
            elif inside or "mso-hide" in (node.get("style") or ""):
                found.add(node)
        return frozenset(found)

    def words(self, element: etree._Element) -> str:
        """What is read of an element: its text, and its images' alt; blanks are single."""
        pieces: list[str] = []
        for event, node in etree.iterwalk(element, events=("start", "end", "comment")):
            if event == "start":
                if node.tag == "img":
                    pieces.append(f" {node.get('alt') or ''} ")
                elif node.tag in ("br", "p", "td", "div", "li", "tr"):
                    pieces.append(" ")
                if node.tag not in _NO_WORDS:
                    pieces.append(node.text or "")
            if event != "start" and node is not element:
                pieces.append(node.tail or "")
        return self.plain(_SPACE.sub(" ", "".join(pieces)).strip())

    def plain(self, text: str) -> str:
        """Words with an ellipsis where a supporter's own go."""
        return self._marks.sub("…", text) if self._marks and (self.own_links or "x" in text) else text

    def shown(self, address: str) -> str:
        """An image's address as staff wrote it; any other address as it is."""
        return next((name for public, name in self.images.items() if public in address), address)

    def is_own(self, text: str) -> bool:
        """Whether words hold something of the supporter's, which is not known here."""
        return bool(self._marks and self._marks.search(text))

    def begins_own(self, text: str) -> bool:
        """Whether words begin with something of the supporter's."""
        return bool(self._marks and self._marks.match(text))

    @cached_property
    def _marks(self) -> re.Pattern[str] | None:
        own = (*self.marks, *sorted(self.own_links, key=len, reverse=True))  # one may be another's beginning
        return re.compile("|".join(map(re.escape, own))) if own else None

    def fault(self, code: str, message: str, *, level: Level = Level.ERROR, at: etree._Element | None = None,
              needle: str = "") -> Finding:
        """A finding at an element, or where ``needle`` stands in the source."""
        file = self.file
        line: int | None = None
        if self.sought is not None:
            pieces = [needle] if needle else []
            file, line = self.sought([*pieces, *(self._pieces(at) if at is not None else ())]) if (
                pieces or at is not None) else (self.file, None)
            file = file or self.file
        elif at is not None:
            line = _line(at)
        return Finding(level=level, code=code, file=file, line=line, message=message)

    def _pieces(self, element: etree._Element) -> Iterator[str]:
        """What of an element may stand in the source as it stands here, most telling first."""
        for attribute in ("href", "src", "id", "name", "alt"):
            value = self.shown(element.get(attribute) or "")
            if attribute == "href" and value == "#":
                yield from ("](#)", 'href="#"')
            if value and not self.is_own(value) and value != "#":
                yield f'"{value}"' if len(value) < 5 else value
                yield value.replace("&", "&amp;")
        for text in (element.text, *(child.text for child in element.iter("*") if child is not element),
                     *(child.tail for child in element)):
            for found in _PIECE.findall(self.plain(text or "")):
                yield found.split("…")[0].strip()
            if text and len(text.strip()) > 3 and text.strip().isalnum():
                yield text.strip()
        if name := element.get("class"):
            yield f'class="{name}"'
            yield f'class="{name.split()[0]}'
        yield f"<{element.tag} "


def _line(element: etree._Element) -> int | None:
    line: Any = element.sourceline  # the stubs say an ellipsis where they mean a number
    return int(line) if line else None


def _used(letter: Letter) -> Iterable[str]:
    """The templates that the letter's HTML part is made of: others may hold the same words."""
    try:
        return reachable(letter.templates, (letter.html,))
    except (TemplateError, *TOO_DEEP):
        return letter.templates


def place_of(letter: Letter, pieces: Iterable[str], own: Mapping[str, str]) -> tuple[str, int | None]:
    """Where the first of some pieces stands in a letter's sources: its own words first, then its layouts.

    Args:
        letter: what it was composed from.
        pieces: words, addresses, tags; a blank in them may be a line's end in the source.
        own: file → content of what the writer wrote; of Markdown the template knows only the lines of its tags.
    """
    written = {letter.files.get(name, name) for name in (letter.html, letter.text)}
    layouts = [name for name in _used(letter) if name.endswith((".html", ".css"))
               and (not own or letter.files.get(name, name) not in written)]
    layouts.sort(key=lambda name: name != letter.html)
    for piece in pieces:
        if len(piece.strip()) < 2:
            continue
        plain = r"\s+".join(map(re.escape, piece.split()))
        wanted = re.compile(plain)
        alone = re.compile(rf"(?<![\w./:-]){plain}(?![\w/?&=#%-]|\.\w)") if "/" in piece else wanted
        for file, source in own.items():
            if found := alone.search(source) or wanted.search(source):  # not /a of https://example.org/about
                return file, source.count("\n", 0, found.start()) + 1
        for name in layouts:
            if found := alone.search(letter.templates[name]) or wanted.search(letter.templates[name]):
                number = letter.templates[name].count("\n", 0, found.start())
                lines = letter.lines.get(name)
                return letter.files.get(name, name), lines[number] if lines and number < len(lines) else number + 1
    return "", None
