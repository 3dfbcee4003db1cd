"""Marks that stand wrong: a blank before a comma, two commas, two blanks within a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pillarbox.checking.matter import Matter
from pillarbox.checking.prose import NEAR, VALUE, Part, Passage, few, written
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "blank-before-mark": "There is a blank before a comma, a full stop or another mark.",
    "doubled-mark": "Two marks stand where one belongs.",
    "no-blank-after-mark": "There is no blank after a mark.",
    "two-blanks": "There are two blanks within a sentence.",
}
_BLANK_BEFORE = re.compile(rf"(?<=[\w’”)\]{VALUE}])[ ]+([,;:!?.])(?=[\s”’]|$)")
_TWO_MARKS = re.compile(r"([,;:])\s?\1(?!\1)|(?<![.])[.]{2}(?![.])|,\.|(?<!\betc)(?<!\b[a-z])\.,(?!\w)")
_ABBREVIATED = re.compile(r"(?:\b[A-Za-z]|\b(?:etc|Inc|Ltd|Co|Jr|Sr|St|No|al|cf|vs|approx|pp|ed|eds|Bros|Rev))$")
_TWO_BLANKS = re.compile(r"(?<=[\w’”)\],;])[ ]{2,}(?=[\w“‘(])")
_NO_BLANK_AFTER = re.compile(r"(?<=[a-z]{2})([,;!?])(?=[A-Za-z]{2})|(?<=[a-z]{3})\.(?=[A-Z][a-z]+\s)")
_ADDRESS = re.compile(r"\b[a-z]{2,12}://\S+|[\w.+-]{1,64}@\S+|www\.\S+|\b[\w-]{1,63}\.[a-z]{2,6}(?:/\S*)?\b")


def look(matter: Matter) -> Iterator[Finding]:
    """Every mark that stands wrong."""
    yield from few(review(written(matter.bundle.appeal)))


def review(passages: Sequence[Passage]) -> Iterator[Finding]:
    """Every mark that stands wrong in English passages."""
    for passage in passages:
        if passage.english:
            yield from _marks(passage)
    yield from _two_blanks([passage for passage in passages if passage.english])


def _marks(passage: Passage) -> Iterator[Finding]:
    text = _ADDRESS.sub(lambda found: VALUE * len(found[0]), passage.text)
    for found in _BLANK_BEFORE.finditer(text):
        yield passage.finding(Level.WARNING, "blank-before-mark", found.start(),
                              f"There is a blank before “{found[1]}”, after “{_last(text, found.start())}”: take it "
                              "out.")
    for found in _TWO_MARKS.finditer(text):
        if found[0] == ".," and _ABBREVIATED.search(text[max(0, found.start() - 9) : found.start()]):
            continue
        if found[0] == ".." and text[found.end() : found.end() + 1].isdigit():
            continue
        yield passage.finding(Level.WARNING, "doubled-mark", found.start(),
                              f"“{found[0]}” after “{_last(text, found.start())}”: one mark is too much, or three "
                              "dots are meant." if found[0] == ".." else
                              f"“{found[0]}” after “{_last(text, found.start())}”: one mark is too much.")
    for found in _NO_BLANK_AFTER.finditer(text):
        yield passage.finding(Level.WARNING, "no-blank-after-mark", found.start(),
                              f"There is no blank after “{found[0]}”, which follows “{_last(text, found.start())}”: "
                              "put one in.")


def _two_blanks(passages: Sequence[Passage]) -> Iterator[Finding]:
    """Two blanks within a sentence; after a full stop they are some people's habit, and harmless."""
    places = [(passage, found.start()) for passage in passages if passage.part is not Part.ALT
              for found in _TWO_BLANKS.finditer(passage.text)]
    if places:
        passage, position = places[0]
        more = f", and at {len(places) - 1} more places" if len(places) > 1 else ""
        yield passage.finding(Level.ADVICE, "two-blanks", position,
                              f"There are two blanks after “{_last(passage.text, position)}”{more}: one is enough.")


def _last(text: str, position: int) -> str:
    words = text[max(0, position - NEAR) : position].replace(VALUE, "…").split()
    return words[-1] if words else "…"
