"""What screen readers, and mail programs that show no images, need of a letter's HTML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from urllib.parse import urlsplit

from lxml import etree

from pillarbox.checking.page import Page
from pillarbox.compose.direction import direction_of
from pillarbox.content.images import is_own
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "no-lang": "The letter does not say its language.",
    "no-dir": "The letter does not say in which direction its words run.",
    "wrong-dir": "The language runs the other way than the letter says.",
    "no-title": "The letter has no title.",
    "no-doctype": "The letter has no doctype, and mail programs fall back to the drawing rules of the 1990s.",
    "no-viewport": "Phones would show the letter small, as if on a desktop screen.",
    "active-content": "Scripts, frames and event handlers are cut out by mail programs, or get a letter refused.",
    "image-alt": "An image has no alt text.",
    "alt-is-a-file": "An image's alt text is its file's name.",
    "image-size": "An image does not say its width and height.",
    "image-address": "An image is not at a public address.",
    "table-role": "A table that only sets out the page is read aloud as a table.",
    "no-heading": "A long letter has no heading.",
    "heading-order": "A level of heading is left out.",
    "empty-heading": "A heading has no words.",
    "doubled-id": "Two elements have the same id.",
    "small-words": "Words are too small to read.",
}

SMALLEST = 12
"""Pixels. Below that, Chrome on a phone and many eyes give up; Apple's own smallest text style has 11 points."""
LONG = 2_500
"""Characters of words that are read more easily with a heading."""
_ALT_FILE = re.compile(r"^[\w%.() -]+\.(?:png|jpe?g|gif|webp|svg)$|^(?:img|dsc|image|screenshot)[\s_-]?\d+$",
                       re.IGNORECASE)
_HANDLER = re.compile(r"on[a-z]{3,}")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SIZE = re.compile(r"(?:^|;)\s*font-size\s*:\s*(\d+(?:\.\d+)?)px", re.IGNORECASE)


def look(page: Page) -> Iterator[Finding]:
    """Every fault of the HTML's structure."""
    yield from _document(page)
    yield from _active(page)
    yield from _images(page)
    yield from _tables(page)
    yield from _headings(page)
    yield from _ids(page)
    yield from _small(page)


def _document(page: Page) -> Iterator[Finding]:
    html = page.root if page.root.tag == "html" else next(page.all("html"), page.root)
    language, direction = html.get("lang") or "", html.get("dir") or ""
    if not language:
        yield page.fault("no-lang", "The letter's <html> has no lang: screen readers need it to speak the words "
                         "rightly. Set it in the layout.", needle="<html")
    if not direction:
        yield page.fault("no-dir", "The letter's <html> has no dir: mail programs need it to set the words from the "
                         "right side. Set it in the layout.", needle="<html")
    elif language:
        wanted = direction_of(language)
        if direction.lower() not in (wanted, "auto"):
            yield page.fault("wrong-dir", f'The letter says lang="{language}" and dir="{direction}", but this language '
                             f"runs {wanted}: set dir=\"{wanted}\", or mend the language in appeal.toml.",
                             needle="<html")
    title = next(page.all("title"), None)
    if title is None or not (title.text or "").strip():
        yield page.fault("no-title", "The letter has no <title>: browsers and screen readers show it. Set it in "
                         "the layout.", needle="<head")
    if not re.match(r"\s*(?:<!--.*?-->\s*)*<!doctype", page.html, re.IGNORECASE | re.DOTALL):
        yield page.fault("no-doctype", "The letter does not begin with <!DOCTYPE html>: mail programs would draw it "
                         "by old rules. Put it first in the layout.", level=Level.WARNING, needle="<html")
    if not any((meta.get("name") or "").lower() == "viewport" for meta in page.all("meta")):
        yield page.fault("no-viewport", 'The letter has no <meta name="viewport" content="width=device-width, '
                         'initial-scale=1">: phones would show it small. Put it into the layout\'s head.',
                         level=Level.WARNING, needle="<head")


def _active(page: Page) -> Iterator[Finding]:
    for element in page.all("script", "iframe", "frame", "embed", "applet", "object"):
        if element.tag == "script" and (element.get("type") or "").endswith("json"):
            continue  # schema.org data, which Gmail reads
        yield page.fault("active-content", f"There is a <{element.tag}> in the letter: mail programs cut it out, or "
                         "take the letter for an attack. Remove it.", at=element)
    for element in page.elements:
        for name in element.attrib:
            if _HANDLER.fullmatch(str(name).lower()):
                yield page.fault("active-content", f"<{element.tag}> has the event handler {name!s}: mail programs cut "
                                 "it out, or take the letter for an attack. Remove it.", at=element)


def _images(page: Page) -> Iterator[Finding]:
    for image in page.all("img"):
        source = image.get("src") or ""
        named = _short(page.plain(page.shown(source)))
        alt = image.get("alt")
        if alt is None:
            yield page.fault("image-alt", f"The image {named} has no alt text: say what it shows, in one sentence; or "
                             'alt="" when it is mere decoration.', at=image)
        elif _ALT_FILE.match(alt.strip()):
            yield page.fault("alt-is-a-file", f"The image {named} has the alt text “{alt.strip()}”, which is a file's "
                             "name: say what it shows, in one sentence.", at=image, level=Level.WARNING)
        if not _measured(image, "width") or not _measured(image, "height"):
            yield page.fault("image-size", f"The image {named} has no width or height: give both in pixels, or "
                             "the letter jumps while it loads.", at=image, level=Level.WARNING)
        shown = urlsplit(source).scheme in ("https", "cid", "data") or page.begins_own(source) or is_own(source)
        if not shown:
            yield page.fault("image-address", f"The image {named or '(none)'} is not at an https:// address: "
                             "mail programs will not show it.", at=image)


def _measured(image: etree._Element, side: str) -> bool:
    return bool(image.get(side)) or bool(re.search(rf"(?:^|;)\s*{side}\s*:", image.get("style") or "", re.IGNORECASE))


def _tables(page: Page) -> Iterator[Finding]:
    bare = [table for table in page.all("table")
            if (table.get("role") or "").lower() not in ("presentation", "none", "table", "grid")
            and not any(cell.tag in ("th", "caption") for cell in table.iter("th", "caption"))]
    if bare:
        many = f"{len(bare)} tables have" if len(bare) > 1 else "A table has"
        yield page.fault("table-role", f'{many} no role="presentation": screen readers read out “table, row 1, column '
                         '1” though they only set out the page. Add role="presentation" to each; a table of figures '
                         "gets <th> headings instead.", at=bare[0], level=Level.WARNING)


def _headings(page: Page) -> Iterator[Finding]:
    found = [element for element in page.all(*_HEADINGS) if element not in page.unseen]
    for heading in found:
        if not page.words(heading):
            yield page.fault("empty-heading", f"An <{heading.tag}> has no words, and screen readers stop at it: give "
                             "it words, or make the gap with a margin.", at=heading, level=Level.WARNING)
    said = [heading for heading in found if page.words(heading)]
    for before, heading in pairwise(said):
        if int(heading.tag[1]) > int(before.tag[1]) + 1:
            yield page.fault("heading-order", f"“{_short(page.words(heading))}” is a heading of level {heading.tag[1]} "
                             f"right below one of level {before.tag[1]}: use level {int(before.tag[1]) + 1}, so that "
                             "who listens knows what belongs to what.", at=heading, level=Level.WARNING)
    if not said and len(page.words(page.root)) > LONG:
        yield page.fault("no-heading", "The letter is long and has no heading: people who listen to it jump from "
                         "heading to heading. Make its title an <h1>, in the layout.", level=Level.ADVICE)


def _ids(page: Page) -> Iterator[Finding]:
    counted = Counter(element.get("id") for element in page.elements if element.get("id"))
    for name, count in counted.items():
        if count > 1:
            at = next(element for element in page.elements if element.get("id") == name)
            yield page.fault("doubled-id", f"{count} elements have the id {name!r}: a link to it finds only the "
                             "first. Give each its own.", at=at, level=Level.WARNING)


def _small(page: Page) -> Iterator[Finding]:
    for element in page.elements:
        size = _SIZE.search(element.get("style") or "")
        if size is None or element in page.unseen or not 1 < float(size[1]) < SMALLEST or element.tag not in (
                "p", "td", "th", "li", "div", "span", "a", "h1", "h2", "h3", "h4"):
            continue
        words = page.plain((element.text or "") + "".join(child.tail or "" for child in element)).strip()
        if sum(map(str.isalpha, words)) > 1:
            yield page.fault("small-words", f"“{_short(words)}” is set in {size[1]} px, which many cannot read: use "
                             f"at least {SMALLEST} px, better 16.", at=element, level=Level.WARNING)
            return  # one such place stands for a style


def _short(words: str) -> str:
    return words if len(words) <= 60 else words[:59] + "…"
