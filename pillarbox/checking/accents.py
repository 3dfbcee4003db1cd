"""Names that lost an accent: “Rene Cassin” in a letter of René Cassin's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from pillarbox.checking.matter import Matter
from pillarbox.checking.prose import Passage, few, written
from pillarbox.content import words as lists
from pillarbox.content.words import Words, parse
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "accent-lost": "A name stands without the accent that it has elsewhere.",
}
_NAME = re.compile(r"[^\W\d_]+")


def look(matter: Matter) -> Iterator[Finding]:
    """Every name of the charity's list, of its own name or of the letter that stands without its accent too."""
    known, _ = lists.read(matter.settings.folder, matter.bundle.appeal.slug)
    charity = parse(matter.bundle.theme.charity.name)
    yield from few(review(written(matter.bundle.appeal), Words(words=known.words | charity.words)))


def review(passages: Sequence[Passage], known: Words) -> Iterator[Finding]:
    """The same of passages."""
    seen = {found[0] for passage in passages for found in _NAME.finditer(passage.text)}
    accented = {_bare(word): word for word in sorted(known.names | seen)
                if word[0].isupper() and _bare(word) != word}
    for passage in passages:
        for found in _NAME.finditer(passage.text) if passage.english else ():
            wanted = accented.get(found[0])
            if wanted and found[0] not in known.words:
                yield passage.finding(Level.WARNING, "accent-lost", found.start(),
                                      f"“{found[0]}” stands as “{wanted}” elsewhere: write “{wanted}”, or put "
                                      f"“{found[0]}” into templates/words.txt if both are right.")


def _bare(word: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))
