"""What an inbox shows of a letter before it is opened: the subject and the words after it (the preheader)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from pillarbox.checking.essentials import MAX_SUBJECT, TOKEN_WIDTH
from pillarbox.checking.matter import Matter
from pillarbox.checking.prose import STATEMENT, VALUE, Part, folded, written
from pillarbox.model.records import Finding, Level, Shape

CODES: Mapping[str, str] = {
    "subject-on-phones": "Most of the subject's end is lost on a phone.",
    "subject-capitals": "The subject is in capitals.",
    "subject-shouting": "The subject has “!!”, “?!” or “££”.",
    "subject-reply": "The subject begins with Re: or Fwd: and answers nobody.",
    "subject-emoji": "The subject has more than one emoji, or nothing else.",
    "preheader-emoji": "The preheader has more than one emoji, or nothing else.",
    "new-emoji": "An emoji of the subject or preheader is too new for many telephones.",
    "preheader-repeats": "The preheader says again what the subject says.",
    "preheader-short": "The preheader leaves most of its room empty.",
    "preheader-long": "The preheader is longer than any inbox shows.",
}
PHONE = 41
"""Characters of a subject that an iPhone held upright shows; Gmail on Android shows a few less."""
LONG = 65
"""Characters from which most of a subject's end is lost on phones; computers cut at about as many, too."""
SHORT_PREHEADER, LONG_PREHEADER = 30, 140
"""Characters: with less there is room left over, of more nothing is seen (35 to 140 by client)."""
NAME = 8
"""Characters that a supporter's value is taken to fill."""
_ALIKE = 0.8
_EMOJI = re.compile("[\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u203c\u2049\u231a-\u23ff]")
_PART_OF_EMOJI = re.compile("[\ufe0f\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_ONE = f"{_EMOJI.pattern}[\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
_WHOLE_EMOJI = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|{_ONE}(?:\u200d{_ONE})*")
_SHOUTING = re.compile(r"!\s*[!?]|\?\s*[!?]|[£$€]{2,}|\*{2,}")
_REPLY = re.compile(r"^\s*(?:re|fwd?|aw|wg)\s*:", re.IGNORECASE)
_CAPITALS = re.compile(r"\b[A-Z’']{2,}\b")
_WORD = re.compile(r"[^\W\d_]{2,}")


def look(matter: Matter) -> Iterator[Finding]:
    """Everything that spoils a letter's line in an inbox."""
    appeal = matter.bundle.appeal
    subjects = dict.fromkeys(_shown(shape) for shape in matter.shapes)
    for subject in subjects:
        for level, code, message in _subject(subject):
            yield Finding(level=level, code=code, file=appeal.file, line=appeal.subject_line, message=message)
    preheader = next((folded(each.text) for each in written(appeal) if each.part is Part.PREHEADER), "")
    if preheader:
        for level, code, message in _preheader(preheader, next(iter(subjects), "")):
            yield Finding(level=level, code=code, file=appeal.file, line=appeal.preheader_line, message=message)


def _shown(shape: Shape) -> str:
    text = shape.subject
    for token in shape.tokens:
        text = text.replace(token.mark, VALUE)
    return folded(text)


def _subject(subject: str) -> Iterator[tuple[Level, str, str]]:
    if (length := _length(subject)) > LONG and not _too_long(subject):
        yield (Level.ADVICE, "subject-on-phones", f"The subject has about {length} characters. A phone shows the first "
               f"{PHONE}, “{_start(subject)}…”: say what matters there.")
    words = [word for word in _WORD.findall(subject) if len(word) > 1]
    loud = [word for word in _CAPITALS.findall(subject) if len(word) > 3]
    if len(loud) > 1 and len(" ".join(loud)) > 0.4 * len(" ".join(words)):
        yield (Level.WARNING, "subject-capitals", "The subject is in capitals, which reads as shouting and is counted "
               "by spam filters: write it as a sentence.")
    if found := _SHOUTING.search(subject):
        yield (Level.WARNING, "subject-shouting", f"“{found[0]}” in the subject is counted by spam filters: one mark "
               "is enough.")
    if _REPLY.match(subject):
        yield (Level.WARNING, "subject-reply", "The subject looks like the answer to a message (Re:, Fwd:), which it "
               "is not; mail providers count that as deceit: take it out.")
    yield from _emoji(subject, "subject", "subject-emoji")


def _emoji(line: str, of: str, code: str) -> Iterator[tuple[Level, str, str]]:
    found = emoji(line)
    if len(found) > 1:
        yield (Level.WARNING, code, f"There are {len(found)} emoji in the {of}: a screen reader speaks each "
               "one’s name, and filters count them. One is enough.")
    if new := [each for each in found if any(not unicodedata.name(sign, "") for sign in each)]:
        yield (Level.ADVICE, "new-emoji", f"{new[0]} is newer than many telephones, which show an empty box: choose an "
               "older one.")
    bare = _EMOJI.sub("", _PART_OF_EMOJI.sub("", line))
    if found and not _WORD.search(bare):
        yield (Level.WARNING, code, f"The {of} has no words beside its emoji: say what the letter is about.")


def emoji(text: str) -> list[str]:
    """The emoji of a text: a family joined from several signs, a flag or a skin tone is one."""
    return _WHOLE_EMOJI.findall(text)


def _preheader(preheader: str, subject: str) -> Iterator[tuple[Level, str, str]]:
    length = _length(preheader)
    if _repeats(preheader, subject):
        yield (Level.WARNING, "preheader-repeats", "The preheader says again what the subject says, and both stand "
               "side by side in an inbox: go on from the subject instead.")
    if length > LONG_PREHEADER:
        yield (Level.ADVICE, "preheader-long", f"The preheader has about {length} characters, and no inbox shows more "
               f"than {LONG_PREHEADER}: shorten it.")
    elif length < SHORT_PREHEADER:
        yield (Level.ADVICE, "preheader-short", f"The preheader has about {length} characters, and inboxes have room "
               "for twice as many and more: tell a little more there.")
    yield from _emoji(preheader, "preheader", "preheader-emoji")


def _repeats(preheader: str, subject: str) -> bool:
    said, again = (set(map(str.casefold, _WORD.findall(text))) for text in (subject, preheader))
    if len(said) < 2 or not again:
        return False
    return len(said & again) >= _ALIKE * min(len(said), len(again)) and len(again) >= 2


def _length(text: str) -> int:
    bare = _PART_OF_EMOJI.sub("", text).replace(STATEMENT, "")
    return len(bare) + (NAME - 1) * bare.count(VALUE)


def _too_long(subject: str) -> bool:
    """Whether ``essentials`` tells the same of it already, as ``long-subject``."""
    return len(subject.replace(VALUE, "")) + TOKEN_WIDTH * subject.count(VALUE) > MAX_SUBJECT


def _start(subject: str) -> str:
    return subject.replace(VALUE, "…")[:PHONE].rstrip()
