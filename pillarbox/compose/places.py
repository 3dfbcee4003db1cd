"""Where each mark stands in a finished letter, read from its very bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pillarbox.compose.finish import SlowPath
from pillarbox.model.records import Place

# What the serialiser writes: comments, declarations, and tags whose attributes all stand in double quotes.
_MARKUP = re.compile(
    r'<!--(?P<comment>.*?)-->|<[!?][^>]*>|</[^>]*>|<(?P<name>[a-zA-Z][^\s>]*)(?P<rest>(?:"[^"]*"|[^>"])*)>', re.DOTALL)
_ATTRIBUTE = re.compile(r'\s(?P<name>[^\s=>"]+)(?:="(?P<value>[^"]*)")?')
# Their text is written as it is: nothing in it can be escaped.
_RAW = ("script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext", "noscript")
_URLS = ("href", "src", "action")
# What a value could change there is no longer only the value.
_NO_TOKENS = ("class", "id", "style")
# A value that ends in dashes would end the comment together with these.
_ENDS_COMMENT = re.compile(r"[-!]*>")
_BLANK = re.compile("%20|%09|%0A|%0D")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One mark as found."""

    mark: str
    start: int
    """Offset into the letter, in characters."""
    place: Place
    attribute: str = ""
    """The attribute that it stands in, lower case; empty elsewhere."""


def find(html: str, marks: re.Pattern[str]) -> list[Standing]:
    """Every mark in a finished letter, in order.

    Args:
        html: the letter as ``compose.inline.serialise`` writes it.
        marks: matches each mark, whole.

    Raises:
        SlowPath: a mark stands where no value can be filled in.
    """
    return list(_find(html, marks))


def _find(html: str, marks: re.Pattern[str]) -> Iterator[Standing]:
    at = 0
    while (markup := _MARKUP.search(html, at)) is not None:
        yield from _standing(html, marks, at, markup.start(), Place.TEXT)
        if markup["comment"] is not None:
            yield from _in_comment(html, marks, markup.start("comment"), markup.end("comment"))
        elif markup["name"] is None:
            _none_within(html, marks, markup.start(), markup.end(), "a declaration or closing tag")
        else:
            yield from _in_tag(html, marks, markup)
        at = markup.end()
        if markup["name"] is not None and (name := markup["name"].lower()) in _RAW:
            end = html.find(f"</{name}", at)
            end = len(html) if end < 0 else end
            _none_within(html, marks, at, end, f"<{name}>")
            at = end
    yield from _standing(html, marks, at, len(html), Place.TEXT)


def _standing(html: str, marks: re.Pattern[str], start: int, end: int, place: Place,
              attribute: str = "") -> Iterator[Standing]:
    for found in marks.finditer(html, start, end):
        yield Standing(mark=found.group(), start=found.start(), place=place, attribute=attribute)


def _none_within(html: str, marks: re.Pattern[str], start: int, end: int, where: str) -> None:
    if marks.search(html, start, end):
        raise SlowPath(f"Something of the supporter's stands in {where}.")


def _in_comment(html: str, marks: re.Pattern[str], start: int, end: int) -> Iterator[Standing]:
    for standing in _standing(html, marks, start, end, Place.COMMENT):
        after = standing.start + len(standing.mark)
        while (following := marks.match(html, after)) is not None:
            after = following.end()
        if after >= end or _ENDS_COMMENT.match(html, after):
            raise SlowPath("Something of the supporter's stands at the end of a comment and could end it.")
        yield standing


def _in_tag(html: str, marks: re.Pattern[str], tag: re.Match[str]) -> Iterator[Standing]:
    element, start = tag["name"].lower(), tag.start("rest")
    _none_within(html, marks, tag.start("name"), tag.end("name"), "a tag's name")
    at = start
    for written in _ATTRIBUTE.finditer(html, start, tag.end("rest")):
        _none_within(html, marks, at, written.end("name"), "an attribute's name")
        at = written.end()
        if written["value"] is None:
            continue
        name = written["name"].lower()
        found = list(_standing(html, marks, *written.span("value"), Place.ATTRIBUTE, name))
        if found and name in _NO_TOKENS:
            raise SlowPath(f"Something of the supporter's stands in a {name} attribute.")
        if name in _URLS or (element == "a" and name == "name"):
            found = _as_url(found, written.start("value"), html)
        yield from found
    _none_within(html, marks, at, tag.end("rest"), "an attribute's name")


def _as_url(found: list[Standing], start: int, html: str) -> list[Standing]:
    """The marks of one URL attribute. What begins it loses its leading blanks: so must nothing else, if it is empty."""
    as_url = [Standing(mark=f.mark, start=f.start, attribute=f.attribute,
                       place=Place.URL_START if f.start == start else Place.URL) for f in found]
    if len(as_url) > 1 and as_url[0].place is Place.URL_START and as_url[1].start == start + len(as_url[0].mark):
        raise SlowPath("A link begins with two of the supporter's values and nothing between them.")
    if as_url and as_url[0].place is Place.URL_START and _BLANK.match(html, start + len(as_url[0].mark)):
        raise SlowPath("A link begins with a value of the supporter's and a blank.")
    return as_url
