"""The words that a charity knows to be right: ``templates/words.txt`` for every letter, an appeal's own beside it.

They are read where they lie and are no part of a bundle: a word that is added changes no letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pillarbox.content.source import Desk
from pillarbox.ground.resources import shipped
from pillarbox.model.records import Finding

FILE = "words.txt"
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_ENDING = re.compile(r"(?:['’]s|s['’])$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """Known words. One in small letters is known however it is written; one with capitals only as it is written."""

    words: frozenset[str] = frozenset()

    def know(self, word: str) -> bool:
        """Whether ``word`` is on the list, itself or as a plural or possessive of one that is."""
        plain = unicodedata.normalize("NFC", word)
        return any(form in self.words or form.lower() in self.words for form in _forms(plain))

    @property
    def names(self) -> frozenset[str]:
        """Those with a capital letter."""
        return frozenset(word for word in self.words if word != word.lower())


def read(project: Path, slug: str) -> tuple[Words, tuple[Finding, ...]]:
    """The words of a project and of one of its appeals.

    Returns:
        The words (the project's own list, or else the one that is shipped; with the appeal's), and everything found.
    """
    desk = Desk(project=project)
    known: set[str] = set()
    own = project / "templates"
    root = own if (own / FILE).exists() else shipped("templates")
    for folder in (root, project / "appeals" / slug):
        if (folder / FILE).exists():
            known.update(_words(desk.text(folder / FILE, folder) or ""))
    return Words(words=frozenset(known)), tuple(desk.findings)


def parse(text: str) -> Words:
    """The words of a list: one or more a line, ``#`` before a remark."""
    return Words(words=frozenset(_words(text)))


def _words(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield from _WORD.findall(unicodedata.normalize("NFC", line.partition("#")[0]))


def _forms(word: str) -> Iterator[str]:
    yield word
    bare = _ENDING.sub("", word)
    yield bare
    for ending, instead in (("ies", "y"), ("es", ""), ("s", "")):
        if bare.endswith(ending) and len(bare) > len(ending) + 1:
            yield bare.removesuffix(ending) + instead
