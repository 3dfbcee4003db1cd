"""Quotation marks: those that never close, those that never opened, straight ones among curly ones, false apostrophes.

A passage at a time. A quotation of several paragraphs opens in each of them and closes in the last alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pillarbox.checking.matter import Matter
from pillarbox.checking.prose import NEAR, STATEMENT, VALUE, Part, Passage, few, written
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "quote-not-closed": "A quotation mark opens and is never closed.",
    "quote-not-opened": "A quotation mark closes what was never opened.",
    "quote-without-stop": "A quoted sentence at a paragraph's end has no full stop.",
    "false-apostrophe": "An accent or an opening mark stands where an apostrophe belongs.",
    "straight-quotes": "Straight quotation marks or apostrophes stand among curly ones.",
}
_CLOSES = {"“": "”", "‘": "’", "«": "»"}
_SHOWN = 40
"""Characters of a quotation that a finding repeats."""
_CURLY = re.compile("[“”‘’]")
_WHOLE = re.compile(r":\s+“\s*(?:…\s*)?[^“”]{30,}(?<=[a-z])(”)\s*$")
_FALSE = re.compile(r"(?<=[^\W\d_])[`´](?=[^\W\d_])")
_TURNED = re.compile(r"(?:(?<=\s)|^)‘(?=\d0s\b|(?:tis|twas|til|cause|em|n)\b)", re.IGNORECASE)
_FEET = re.compile(r"\d'\s?\d+\"|\d'(?=\s|$)")
"""Feet and inches: 6'2"."""


@dataclass(kw_only=True, slots=True)
class _Told:
    """What a passage's marks come to."""

    open: list[tuple[str, int]] = field(default_factory=list)
    """Marks that were never closed, and where."""
    stray: list[tuple[str, int]] = field(default_factory=list)
    """Marks that close what was never opened."""
    number: Counter[str] = field(default_factory=Counter)
    """How many of each mark are open."""

    def begin(self, mark: str, position: int) -> None:
        """A quotation opens."""
        self.open.append((mark, position))
        self.number[mark] += 1

    def end(self, opening: str, mark: str, position: int) -> None:
        """Close the nearest ``opening``; what was opened within it and is still open stays so."""
        if not self.number[opening]:
            self.stray.append((mark, position))
            return
        place = next(place for place in range(len(self.open) - 1, -1, -1) if self.open[place][0] == opening)
        del self.open[place]
        self.number[opening] -= 1


def look(matter: Matter) -> Iterator[Finding]:
    """Every mark without its partner in the letter, its subject and its preheader."""
    yield from few(review(written(matter.bundle.appeal)))


def review(passages: Sequence[Passage]) -> Iterator[Finding]:
    """Every mark without its partner in English passages."""
    english = [passage for passage in passages if passage.english]
    for number, passage in enumerate(english):
        if STATEMENT in passage.text:
            continue  # a branch may open what the other branch opens too
        told = _read(passage.text)
        follower = english[number + 1].text if number + 1 < len(english) else ""
        for mark, position in told.open:
            if not (follower.startswith(mark) and passage.part is Part.WORDS):
                yield passage.finding(
                    Level.WARNING, "quote-not-closed", position,
                    f"The quotation mark {mark} before “{_words(passage.text, position)}” is never closed: put "
                    f"{_CLOSES.get(mark, mark)} where the quotation ends.")
        for mark, position in told.stray:
            yield passage.finding(
                Level.WARNING, "quote-not-opened", position,
                f"The quotation mark {mark} after “{_words_before(passage.text, position)}” closes what was never "
                "opened: put the opening mark where the quotation begins, or take this one out.")
        yield from _without_stop(passage)
    yield from _apostrophes(english)
    yield from _mixed(english)


def _read(text: str) -> _Told:
    told = _Told()
    text = _FEET.sub(lambda found: VALUE * len(found[0]), text)
    for position, sign in enumerate(text):
        before, after = text[position - 1 : position], text[position + 1 : position + 2]
        match sign:
            case "“" | "«":
                told.begin(sign, position)
            case "‘" if not _TURNED.match(text, position):
                told.begin(sign, position)
            case "”" | "»":
                told.end("“" if sign == "”" else "«", sign, position)
            case "’":
                _close_single(told, text, position)
            case '"' if told.number[sign]:
                told.end(sign, sign, position)
            case '"' if not before.isdigit():
                told.begin(sign, position)
            case "'" if not (_letter(before) and _letter(after)):
                _straight_single(told, text, position)
    return told


def _close_single(told: _Told, text: str, position: int) -> None:
    before, after = text[position - 1 : position], text[position + 1 : position + 2]
    if _letter(after) and (_letter(before) or not before.strip() or before in "(“‘"):
        return  # an apostrophe: don’t, ’tis
    if after.isdigit():
        return  # the ’90s
    if told.number["‘"]:
        if _letter(before) and before in "sSzx" and after == " " and _another(text, position):
            return  # ‘the supporters’ choice’
        told.end("‘", "’", position)
    elif not (_letter(before) or before in (VALUE, STATEMENT)) or not _may_own(text, position):
        told.stray.append(("’", position))


def _straight_single(told: _Told, text: str, position: int) -> None:
    before, after = text[position - 1 : position], text[position + 1 : position + 2]
    opens = (not before or before in " \n(“‘\"–—") and (_letter(after) or after in "…[")
    if opens and re.search(r"[^\W\d_.,!?…]'(?![^\W\d_])|[.,!?…]'", text[position + 1 : position + NEAR]):
        told.begin("'", position)  # only where something can close it: 'tis stands alone
    elif not opens and told.number["'"]:
        told.end("'", "'", position)


def _another(text: str, position: int) -> bool:
    """Whether a mark that can close the quotation follows before the next one opens."""
    rest = text[position + 1 : position + NEAR].partition("‘")[0]
    return bool(re.search(r"’(?![^\W\d_])", rest))


def _may_own(text: str, position: int) -> bool:
    """Whether ’ at a word's end may be an apostrophe: the supporters’ letters, rock ’n’ roll, rockin’."""
    word = re.search(r"[^\W_]{1,40}$", text[max(0, position - 40) : position])
    return word is not None and (word[0][-1] in "sSzx" or word[0] in ("n", "o", "th", "ol") or word[0].endswith("in"))


def _letter(sign: str) -> bool:
    return sign.isalnum() or sign == VALUE


def _words(text: str, position: int) -> str:
    rest = " ".join(text[position + 1 : position + NEAR].split()).replace(VALUE, "…")
    return _cut(rest)


def _words_before(text: str, position: int) -> str:
    rest = " ".join(text[max(0, position - NEAR) : position].split()).replace(VALUE, "…")
    return rest if len(rest) <= _SHOWN else "…" + rest[-_SHOWN:].partition(" ")[2]


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN].rpartition(" ")[0] + "…"


def _without_stop(passage: Passage) -> Iterator[Finding]:
    """A whole sentence, quoted behind a colon at the end of a passage, that has no full stop."""
    if passage.part is Part.WORDS and (found := _WHOLE.search(passage.text)):
        end = found.start(1)
        yield passage.finding(Level.ADVICE, "quote-without-stop", end,
                              f"The quotation that ends in “{_words_before(passage.text, end)}” is a whole "
                              "sentence without a full stop: put one before the closing mark.")


# ---------------------------------------------------------------------------------------------- kinds of marks


def _apostrophes(passages: Sequence[Passage]) -> Iterator[Finding]:
    for passage in passages:
        for found in _FALSE.finditer(passage.text):
            yield passage.finding(Level.WARNING, "false-apostrophe", found.start(),
                                  f"{found[0]} in “{_around(passage.text, found.start())}” is an accent, not an "
                                  "apostrophe: write ’.")
        for found in _TURNED.finditer(passage.text):
            yield passage.finding(Level.WARNING, "false-apostrophe", found.start(),
                                  f"‘ in “{_around(passage.text, found.start())}” opens a quotation, and an "
                                  "apostrophe is meant: write ’.")


def _mixed(passages: Sequence[Passage]) -> Iterator[Finding]:
    """Straight marks in a file that has curly ones too: the first of each sort, with their number."""
    curly = any(_CURLY.search(passage.text) for passage in passages)
    if not curly:
        return
    for mark, name, instead in (('"', "quotation marks", "“ and ”"), ("'", "apostrophes or quotation marks", "’")):
        places = [(passage, found.start()) for passage in passages
                  for found in re.finditer(mark, _FEET.sub(lambda each: VALUE * len(each[0]), passage.text))]
        if places:
            passage, position = places[0]
            number = f"{len(places)} straight {name}" if len(places) > 1 else f"One straight {mark}"
            yield passage.finding(
                Level.WARNING, "straight-quotes", position,
                f"{number} among curly ones, {'first' if len(places) > 1 else 'here'} in "
                f"“{_around(passage.text, position)}”: write {instead}.")


def _around(text: str, position: int) -> str:
    """The word at a place, with its neighbours."""
    start = text.rfind(" ", 0, max(position - 1, 0)) + 1
    end = text.find(" ", position + 2)
    return _cut(" ".join(text[start : end if end > 0 else len(text)].replace(VALUE, "…").split()))
