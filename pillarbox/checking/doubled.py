"""Words that stand twice in a row, often once at a line's end and once at the next line's beginning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pillarbox.checking.matter import Matter
from pillarbox.checking.prose import Passage, few, written
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "doubled-word": "A word stands twice in a row.",
}
_TWICE = re.compile(r"(?<![\w’'-])([^\W\d_]+(?:['’][^\W\d_]+)*)([ \t]*\n[ \t]*|[ \t]+)\1(?![\w’'-])", re.IGNORECASE)
_MEANT = frozenset(("had", "that", "very", "no", "bye", "ha", "ho", "hear", "so", "knock", "there", "blah", "night",
                    "many", "far", "long", "really", "never", "please", "more", "again", "yes", "no", "do", "is"))
"""Words that good sentences double: “all that she had had”, “the fact that that was so”, “very, very”."""
_ARTICLES = re.compile(r"\b(the|a|an)\s+(the|a|an)\b(?!\s*[,.;:!?-])", re.IGNORECASE)


def look(matter: Matter) -> Iterator[Finding]:
    """Every doubled word."""
    yield from few(review(written(matter.bundle.appeal)))


def review(passages: Sequence[Passage]) -> Iterator[Finding]:
    """Every doubled word of English passages."""
    for passage in passages:
        if not passage.english:
            continue
        for found in _TWICE.finditer(passage.text):
            first, second = found[1], found[0][len(found[1]) + len(found[2]) :]
            if len(first) == 1 and first + second not in ("aa", "II"):
                continue
            named = first[0].isupper() and second[0].isupper() and not first.isupper()
            if first.lower() in _MEANT or named:
                continue
            where = ", at a line’s end and at the next one’s beginning" if "\n" in found[2] else ""
            yield passage.finding(Level.WARNING, "doubled-word", found.start(),
                                  f"“{first}” stands here twice{where}: take one out.")
        for found in _ARTICLES.finditer(passage.text):
            first, second = found[1], found[2]
            if first.lower() != second.lower() and not second[0].isupper():
                yield passage.finding(Level.WARNING, "doubled-word", found.start(),
                                      f"“{first} {second}”: one of the two is too much.")
