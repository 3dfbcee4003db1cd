"""What British English words there are, and which of them somebody may have meant.

Hunspell's way of reading a dictionary, by spylls; the dictionary is SCOWL's en_GB-ise of 7 December 2020 (Kevin
Atkinson and others; its notice lies beside it), with a short list of our own for words of today.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

from pillarbox.content.words import parse

FOLDER = Path(__file__).resolve().parent / "dictionaries"
NGRAM_WORDS = 6
"""So many words are compared with the whole dictionary when no slip of one letter explains them: 0.15 s each."""
SUGGESTIONS = 3
_PREFIXES = ("non", "anti", "multi", "micro", "super", "inter", "cyber", "eco", "pre", "co", "un", "over", "under")
_SHORTEST_STEM = 5
_ALIKE = 0.8
_REMEMBERED = 100_000
"""Words whose answer is kept: those of many letters."""
_AMERICAN = re.compile(r"(?<=[iy])z(?=e|ing|ation)")
_RUN_TOGETHER = {"alot": "a lot", "aswell": "as well", "infact": "in fact", "incase": "in case", "noone": "no one",
                 "eachother": "each other", "atleast": "at least", "inspite": "in spite", "everytime": "every time",
                 "thankyou": "thank you"}
_SHORTEST_PART = 3
"""Letters of the parts of a word that two run together make: “alot” is “a lot”."""
_NO_PLURAL = ("s", "x", "z", "y", "h")
"""A word with one of these at its end does not take a bare s."""


class Dictionary:
    """A dictionary, loaded once in a process: 0.4 s, 60 MB."""

    def __init__(self) -> None:
        self._hunspell = _hunspell(FOLDER / "en_GB.aff", FOLDER / "en_GB.dic")
        self._modern = parse((FOLDER / "modern.txt").read_text("utf-8"))
        self._known: dict[str, bool] = {}
        self._near: dict[str, tuple[str, ...]] = {}
        self._like: dict[str, tuple[str, ...]] = {}

    def know(self, word: str) -> bool:
        """Whether ``word`` is right, as it is written; accents may be there or not."""
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        if word not in self._known:
            self._known[word] = self._find(word)
        return self._known[word]

    def near(self, word: str) -> tuple[str, ...]:
        """Words that one slip of the fingers turns into ``word``, the likeliest first."""
        if word not in self._near:
            self._near[word] = tuple(self._slips(word.replace("’", "'")))
        return self._near[word]

    def like(self, word: str) -> tuple[str, ...]:
        """Words that look much like ``word``, with two slips or three. Slow: for a few words in a letter."""
        if word not in self._like:
            self._like[word] = self._resembling(word)
        return self._like[word]

    def _resembling(self, word: str) -> tuple[str, ...]:
        guesses: Any = self._hunspell.suggester.ngram_suggestions(word.replace("’", "'"), handled=set())
        return tuple(guess for guess, _ in zip(guesses, range(SUGGESTIONS), strict=False)
                     if SequenceMatcher(None, word.lower(), guess.lower()).ratio() >= _ALIKE)

    def _find(self, word: str) -> bool:
        plain = word.replace("’", "'")
        return (self._look_up(plain) or self._look_up(_unaccented(plain)) or self._modern.know(plain)
                or any(self._look_up(plain[len(prefix):]) for prefix in _PREFIXES
                       if plain.startswith(prefix) and len(plain) >= len(prefix) + _SHORTEST_STEM)
                or (plain.endswith("s") and len(plain) > _SHORTEST_STEM and not plain[:-1].endswith(_NO_PLURAL)
                    and self._look_up(plain[:-1])))

    def _look_up(self, word: str) -> bool:
        return bool(self._hunspell.lookup(word))

    def _slips(self, word: str) -> list[str]:
        british = _AMERICAN.sub("s", word)
        if british != word and self._look_up(british):
            return [british]
        if word in _RUN_TOGETHER:
            return [_RUN_TOGETHER[word]]
        found: dict[str, None] = {}
        split: dict[str, None] = {}
        for suggestion in self._hunspell.suggester.edits(word):
            parts = getattr(suggestion, "words", None) or [suggestion.text]
            if parts == [word] or not all(map(self._is_good, parts)):
                continue
            if len(parts) == 1:
                found[parts[0]] = None
            elif all(len(part) >= _SHORTEST_PART or part in ("a", "I") for part in parts):
                split[" ".join(parts)] = None
            if len(found) == SUGGESTIONS:
                break
        return list(found) or list(split)[:SUGGESTIONS]

    def _is_good(self, word: str) -> bool:
        forms = self._hunspell.lookuper.good_forms(word, capitalization=False, allow_nosuggest=False,
                                                   compound_forms=False)
        return any(forms)


def _hunspell(affixes: Path, words: Path) -> Any:
    """Spylls reads files, and leaves them open: it is given their text instead, which is UTF-8."""
    from spylls.hunspell import Dictionary as Hunspell
    from spylls.hunspell import readers
    from spylls.hunspell.readers.file_reader import BaseReader

    class Text(BaseReader):  # type: ignore[misc]  # spylls ships no types
        def __init__(self, path: Path) -> None:
            super().__init__(StringIO(path.read_text("utf-8")))

        def reset_encoding(self, encoding: str) -> None:
            """It is decoded already."""

    affix_rules, context = readers.read_aff(Text(affixes))
    return Hunspell(affix_rules, readers.read_dic(Text(words), aff=affix_rules, context=context))


@lru_cache(maxsize=1)
def english() -> Dictionary:
    """The one dictionary of this process."""
    return Dictionary()


def _unaccented(word: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))
