"""Spelling: every word that no dictionary and no list of the charity's own knows, with the word that was meant.

Reads the project's words.txt files; pure otherwise. Names are left in peace: a capital letter within a sentence is
taken for one, unless a word on the charity's own list, a day, a month or a long everyday word stands one slip away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pillarbox.checking.dictionary import NGRAM_WORDS, Dictionary, english
from pillarbox.checking.matter import Matter
from pillarbox.checking.prose import STATEMENT, VALUE, Passage, written
from pillarbox.content import words as lists
from pillarbox.content.words import Words
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "spelling": "A word is in no dictionary and on no list of the charity's.",
    "spelling-many": "More words are unknown than are told one by one.",
    "spelling-off": "The letter's language is not English, so its spelling was not checked.",
}
MOST = 40
"""Unknown words that are told one by one; with more, the letter's language is the likelier slip."""
_FIRST_OF_NAME = 5
"""Letters that a name has at least, to be compared with the charity's list."""
_FIRST_OF_SENTENCE = 7
"""Letters of a sentence's first word that is compared with everyday words: “Particuar”, but not “Amina”."""
_SHORT = 3
"""Letters of a word that is told only when two of them changed places: most others are signs and units."""
_LONG = 9
"""Letters of a capitalised word that is compared with everyday words: “Goverment”, but not “Martinez”."""

_LONGEST = 40
"""Letters; nothing longer is a word."""
_COMPARED = 300
"""Unknown words of a letter that are compared with what may have been meant: 15 ms each."""
_BEFORE = 40
"""Characters that tell whether a sentence begins."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_FALSE_APOSTROPHE = re.compile(r"(?<=[^\W\d_])[`´](?=[^\W\d_])")
"""Told by ``quotes``: “doesn´t” is spelt rightly."""
_NO_WORDS = re.compile(
    r"\b[a-z]{2,12}://\S+|www\.\S+|[\w.+-]{1,64}@\S+|[@#]\w+|"
    r"\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?:com|net|org|uk|eu|io|info|gov|charity)\b(?:/\S*)?"
    r"|(?<!\w)\w*\d\w*|\b(?:[^\W\d_]\.){2,}|(?<!\S)\S{0,99}[/\\]\w{1,63}\.\w{2,4}\b", re.IGNORECASE)
"""Addresses, mentions, numbers, initials."""
_LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿĀ-ſ'’]+")
_SENTENCE_END = re.compile(r"(?:^|[.!?:;…]|[\n(\[“‘\"'–—•|])[\s“‘\"'(\[*]*$")
_CALENDAR = frozenset(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "January",
                       "February", "August", "September", "October", "November", "December", "Christmas", "Easter"))
_HYPHENED = frozenset(("co", "anti", "multi", "non", "pre", "re", "un", "semi", "pro", "ex", "micro", "mid", "self",
                       "socio", "eco", "psycho", "bio", "geo", "neo", "inter", "intra", "ultra", "cross"))


@dataclass(kw_only=True, slots=True)
class _Unknown:
    """A word that nobody knows."""

    word: str
    passage: Passage
    position: int
    near: tuple[str, ...]
    apart: bool
    """In italics: a title, or another language."""
    times: int = 1


def look(matter: Matter) -> Iterator[Finding]:
    """Every unknown word of the subject, the preheader, the title and the letter, once each."""
    known, findings = lists.read(matter.settings.folder, matter.bundle.appeal.slug)
    yield from (replace(finding, level=Level.WARNING) for finding in findings)  # a list stops no letter
    passages = written(matter.bundle.appeal)
    if not any(passage.english for passage in passages):
        yield Finding(level=Level.ADVICE, code="spelling-off", file=matter.bundle.appeal.file, line=None,
                      message=f"The letter's language is {matter.bundle.appeal.language}, and spelling is checked in "
                              "English alone: have somebody who speaks it read the letter.")
    yield from review(passages, known)


def review(passages: Sequence[Passage], known: Words) -> Iterator[Finding]:
    """Every unknown word of the English passages, at its first place."""
    reader = _Reader(known=known, dictionary=english())
    for passage in passages:
        if passage.english:
            reader.read(passage)
    unknown = [each for each in reader.unknown.values() if not reader.is_name(each)]
    guesses = 0
    for each in unknown[:MOST]:
        likely = each.near
        if not likely and not each.apart and guesses < NGRAM_WORDS:
            guesses += 1
            likely = each.near = reader.dictionary.like(each.word)
        yield _told(each, likely)
    if len(unknown) > MOST:
        rest = unknown[MOST]
        yield rest.passage.finding(
            Level.WARNING, "spelling-many", rest.position,
            f"{len(unknown) - MOST:,} more words are in no English dictionary, the first of them “{rest.word}”: if "
            "the letter is in another language, set language in appeal.toml, or put those words into a "
            "::: lang … block.")


def _told(each: _Unknown, likely: tuple[str, ...]) -> Finding:
    again = f" ({each.times} times)" if each.times > 1 else ""
    own = "if it is right, put it into templates/words.txt."
    if likely:
        meant = " or ".join(f"“{word}”" for word in likely)
        message = f"“{each.word}”{again} is in no dictionary. Is {meant} meant? Mend it, or {own}"
    else:
        message = f"“{each.word}”{again} is in no dictionary: look at it once more, and {own}"
    return each.passage.finding(Level.WARNING if each.near else Level.ADVICE, "spelling", each.position, message)


@dataclass(kw_only=True, slots=True)
class _Reader:
    """Reads passages, and gathers the words that are not known."""

    known: Words
    dictionary: Dictionary
    unknown: dict[str, _Unknown] = field(default_factory=dict)
    peace: set[str] = field(default_factory=set)
    """Words that were left in peace."""
    inside: set[str] = field(default_factory=set)
    """Words seen with a capital where no sentence begins: names."""
    compared: set[str] = field(default_factory=set)
    shy: set[str] = field(default_factory=set)
    """Unknown words that are told only if they are never seen as a name."""

    def read(self, passage: Passage) -> None:
        text = _FALSE_APOSTROPHE.sub("’", _NO_WORDS.sub(lambda found: VALUE * len(found[0]), passage.text))
        capitals = _in_capitals(text)
        for found in _WORD.finditer(text):
            word = found[0]
            before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
            if not _is_part(word, before, after) and not self._is_right(word, after):
                self._note(word, passage, found, text, capitals)

    def is_name(self, each: _Unknown) -> bool:
        """Whether a word at a sentence's beginning stands elsewhere too, as a name does and a slip hardly ever."""
        return each.word in self.shy and (each.word in self.inside or each.times > 1)

    def _is_right(self, word: str, after: str) -> bool:
        if self.known.know(word) or self.dictionary.know(word) or self.dictionary.know(word.lower()):
            return True
        bare = re.sub(r"['’]s$|(?<=s)['’]$", "", word)
        return (bare != word and (self.dictionary.know(bare) or self.dictionary.know(bare.lower()))) or (
            after == "-" and word.lower() in _HYPHENED)

    def _note(self, word: str, passage: Passage, found: re.Match[str], text: str, capitals: bool) -> None:
        if word in self.peace and word in self.inside:
            return
        if (earlier := self.unknown.get(word)) is not None:
            earlier.times += 1
            if not _begins(text, found.start()):
                self.inside.add(word)
            return
        near = self._near(word, passage, found, text, capitals)
        if near is None:
            self.peace.add(word)
        else:
            apart = any(start <= found.start() < end for start, end in passage.set_apart)
            self.unknown[word] = _Unknown(word=word, passage=passage, position=found.start(), near=near, apart=apart)

    def _near(self, word: str, passage: Passage, found: re.Match[str], text: str,
              capitals: bool) -> tuple[str, ...] | None:
        """What may have been meant; None when the word is to be left in peace."""
        if word.isupper() or (word[:-1].isupper() and word[-1] == "s"):
            return self._everyday(word.lower()) or None if capitals and len(word) >= _FIRST_OF_NAME else None
        if word[1:] != word[1:].lower():
            return None  # an inner capital: iPhone, JustGiving
        if word[0].isupper():
            return self._of_name(word, text, found)
        if len(word) <= _SHORT and (_name_follows(text, found.end()) or word in ("th", "st", "nd", "rd")):
            return None  # van der Zyl
        near = self._everyday(word)
        if len(word) <= _SHORT:
            swapped = tuple(each for each in near if sorted(each) == sorted(word))
            return swapped or None  # teh; but not img, csv
        if any(start <= found.start() < end for start, end in passage.set_apart) and (not near or len(word) < _LONG):
            return None  # a title, or words of another language
        return near

    def _of_name(self, word: str, text: str, found: re.Match[str]) -> tuple[str, ...] | None:
        """A word with a capital: a name, unless something that we know stands one slip away."""
        bare = re.sub(r"['’]s$", "", word)
        if len(bare) >= _FIRST_OF_NAME:
            for name in sorted(self.known.names):
                if len(name) >= _FIRST_OF_NAME and one_slip(bare, name):
                    return (name,)
            for name in sorted(_CALENDAR):
                if len(name) > _FIRST_OF_NAME and one_slip(bare, name):
                    return (name,)
        begins = _begins(text, found.start())
        if not begins:
            self.inside.add(word)
        if len(bare) >= (_FIRST_OF_SENTENCE if begins else _LONG):
            near = tuple(each[:1].upper() + each[1:] for each in self._everyday(bare.lower()) if " " not in each)
            if near and begins:
                self.shy.add(word)
            return near or None
        return None

    def _everyday(self, word: str) -> tuple[str, ...]:
        """Words in small letters that one slip turns into ``word``."""
        if word not in self.compared and len(self.compared) >= _COMPARED:
            return ()
        self.compared.add(word)
        return tuple(each for each in self.dictionary.near(word) if each == each.lower())


def _is_part(word: str, before: str, after: str) -> bool:
    """Whether it is no whole word to judge: a letter, the rest of ’tis, what stands against a value, another script."""
    return (VALUE in (before, after) or not 1 < len(word) <= _LONGEST or (before == "’" and len(word) <= _SHORT)
            or (STATEMENT in (before, after) and len(word) < _FIRST_OF_NAME) or not _LATIN.fullmatch(word))


def one_slip(word: str, meant: str) -> bool:
    """Whether one letter too many, too few, wrong or in its neighbour's place makes ``word`` of ``meant``."""
    if word == meant or abs(len(word) - len(meant)) > 1:
        return False
    start = next((place for place, pair in enumerate(zip(word, meant, strict=False)) if pair[0] != pair[1]),
                 min(len(word), len(meant)))
    mine, yours = word[start:], meant[start:]
    return (mine[1:] == yours[1:] or mine[1:] == yours or mine == yours[1:]
            or (mine[:2] == yours[1::-1] and mine[2:] == yours[2:]))


def _begins(text: str, position: int) -> bool:
    before = text[max(0, position - _BEFORE) : position]
    return (position <= _BEFORE and not before.strip()) or bool(_SENTENCE_END.search(before))


def _name_follows(text: str, position: int) -> bool:
    rest = text[position : position + _BEFORE].lstrip(" \n-")
    return rest[:1].isupper() or rest.partition(" ")[2][:1].isupper()


def _in_capitals(text: str) -> bool:
    """Whether a whole passage is in capitals: then these say nothing about names and initials."""
    letters = [sign for sign in text if sign.isalpha()]
    return len(letters) > 12 and sum(sign.isupper() for sign in letters) > 0.8 * len(letters)
