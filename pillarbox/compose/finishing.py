"""From a rendered letter with marks to a shape: CSS inlined, every mark found, and proof that values may go there."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from markupsafe import escape

from pillarbox.compose.finish import Finish, SlowPath
from pillarbox.compose.inline import Inliner, parse
from pillarbox.compose.places import Standing, find
from pillarbox.model.records import Place, Shape, Token
from pillarbox.shape.escape import ESCAPE
from pillarbox.shape.escape import subject as one_line

# Values that show a parser's moods: nothing, only blanks, text with everything that is escaped, a comment's end.
_PROBES = ("", " ", "\n", "amp;a =\"b\" 'c' d/e>f<i>&lt;é %41", "--", "-->", "0")
_STYLES = re.compile(r"(?P<comment><!--.*?-->)|(?P<tag><style\b[^>]*>)(?P<css>.*?)(?=</style|\Z)",
                     re.DOTALL | re.IGNORECASE)
_CSS_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
# In the source, before Jinja's words: "&co" + "py;" would be a character reference.
_OPEN_REFERENCE = r"&[#0-9A-Za-z]*"
_SELECTED_ATTRIBUTE = re.compile(r"\[\s*(?:[\w*-]*\|)?([^\s\]=~|^$*]+)")


def finisher(inliner: Inliner) -> Finish:
    """How letters are finished, with this inliner. Without marks it is the plain way: the letter, inlined."""

    def finish(*, subject: str, html: str, text: str, marks: Mapping[str, int], private: bool) -> Shape:
        subject = one_line(subject)
        if not marks:
            return _shape(subject, inliner(html), text, (), private)
        pattern = _pattern(marks)
        _refuse_altered(subject + "\n" + html + "\n" + text, marks)
        if re.search(_OPEN_REFERENCE + pattern.pattern, html):
            raise SlowPath("Something of the supporter's follows an & that could make a character of it.")
        finished = inliner(html)
        standings = find(finished, pattern)
        _refuse_lost(html, finished, pattern)
        styles = [style.text or "" for style in parse(html).iter("style")]
        _refuse_selected(styles, standings)
        _prove(inliner, _unstyled(html, styles), pattern)
        return _renumbered(subject, finished, text, marks, pattern, standings, private)

    return finish


def _pattern(marks: Iterable[str]) -> re.Pattern[str]:
    return re.compile("(?:" + "|".join(re.escape(mark) for mark in sorted(marks, key=len, reverse=True)) + ")")


def _refuse_altered(letter: str, marks: Mapping[str, int]) -> None:
    """A filter such as ``upper`` over a whole block changes what it holds, and so it would the value."""
    seen = re.findall(_pattern(marks).pattern, letter, re.IGNORECASE)
    if any(mark not in marks for mark in seen):
        raise SlowPath("Something of the supporter's was changed after it was printed (by a block's filter?).")


def _refuse_lost(source: str, finished: str, pattern: re.Pattern[str]) -> None:
    """Every mark of the source stands in the finished letter as it stood, and no oftener. Sought in any letter case."""
    blind = re.compile(pattern.pattern, re.IGNORECASE)
    if sorted(pattern.findall(source)) != sorted(blind.findall(finished)):
        raise SlowPath("Something of the supporter's stands where the inliner leaves it out or alters it.")


def _refuse_selected(styles: Sequence[str], standings: Sequence[Standing]) -> None:
    """``a[title="Ann"] {…}`` makes the styles depend on the value."""
    css = _CSS_COMMENT.sub("", " ".join(styles)).lower()
    selected = set(_SELECTED_ATTRIBUTE.findall(css))
    escaped = any("\\" in name for name in selected)  # t\69tle: whichever attribute that may be
    standing_in = {standing.attribute for standing in standings} - {""}
    if chosen := standing_in if escaped else selected & standing_in:
        raise SlowPath(f"The CSS chooses elements by their {min(chosen)}, where something of the supporter's stands.")


def _unstyled(source: str, styles: Sequence[str]) -> str:
    """The letter with its stylesheets empty; as it is, when they do not stand where they seem to (a comment that says
    ``<style>``, one in an attribute): what lies between must be proved too."""
    found: list[str] = []

    def emptied(style: re.Match[str]) -> str:
        if style["comment"]:
            return style.group()
        found.append(style["css"])
        return style["tag"]

    bare = _STYLES.sub(emptied, source)
    return bare if found == list(styles) else source


def _prove(inliner: Inliner, source: str, pattern: re.Pattern[str]) -> None:
    """Show on awkward values that filling the finished letter equals finishing the filled one.

    Without its styles, since no value reaches them (``find``, ``_refuse_selected``): that makes it cheap.

    Raises:
        SlowPath: they differ: an attribute without quotes, text where the parser expects none …
    """
    masked = inliner(source)
    standings = find(masked, pattern)
    for probe in _PROBES:
        printed = str(escape(probe))
        filled = pattern.sub(printed.replace("\\", r"\\"), source)
        if inliner(filled) != _filled(masked, standings, probe):
            raise SlowPath("Something of the supporter's stands where its words could change the letter around it "
                           "(an attribute without quotes?).")


def _filled(html: str, standings: Sequence[Standing], value: str) -> str:
    out, at = [], 0
    for standing in standings:
        out += [html[at:standing.start], ESCAPE[standing.place](value)]
        at = standing.start + len(standing.mark)
    return "".join(out) + html[at:]


def _renumbered(subject: str, html: str, text: str, marks: Mapping[str, int], pattern: re.Pattern[str],
                standings: Sequence[Standing], private: bool) -> Shape:
    """The shape, with one token for each (value, place) in order of appearance."""
    prefix = _free_prefix(pattern.sub(" ", subject + " " + html + " " + text))
    tokens: dict[tuple[int, Place], Token] = {}

    def token(mark: str, place: Place) -> str:
        key = (marks[mark], place)
        if key not in tokens:
            tokens[key] = Token(mark=f"{prefix}{len(tokens):05d}x", value=marks[mark], place=place)
        return tokens[key].mark

    subject = pattern.sub(lambda found: token(found.group(), Place.SUBJECT), subject)
    places = iter(standings)
    html = pattern.sub(lambda found: token(found.group(), next(places).place), html)
    text = pattern.sub(lambda found: token(found.group(), Place.PLAIN), text)
    return _shape(subject, html, text, tuple(tokens.values()), private)


def _free_prefix(literals: str) -> str:
    """``x7f``, or the next of its kind that begins nothing in the letter that looks like a token."""
    literals = literals.lower()
    names = (f"x{number:x}f" for number in count(7))
    return next(name for name in names if not re.search(name + r"\d", literals))


def _shape(subject: str, html: str, text: str, tokens: tuple[Token, ...], private: bool) -> Shape:
    whole = json.dumps([subject, html, text, [(t.mark, t.value, t.place) for t in tokens], private])
    digest = hashlib.sha256(whole.encode()).hexdigest()[:32]
    return Shape(id=digest, subject=subject, html=html, text=text, tokens=tokens, private=private)
