"""Words that a new letter was begun with, and that still wait for the writer's: ``[[a Tuesday in March]]``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pillarbox.checking.matter import Matter
from pillarbox.content.starters import CLOSE, OPEN
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "not-yet-written": "Words of the starter that were to be replaced still stand in the letter.",
}

_WAITING = re.compile(rf"{re.escape(OPEN)}(?:(?!{re.escape(OPEN)})[^\n])*?{re.escape(CLOSE)}")
_TAG = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


def look(matter: Matter) -> Iterator[Finding]:
    """One finding a file, at the first such place: a warning while nobody is mailed, an error before people are."""
    level = Level.WARNING if matter.settings.practice else Level.ERROR
    appeal = matter.bundle.appeal
    settings = [(appeal.title_line, appeal.title), (appeal.subject_line, appeal.subject),
                (appeal.preheader_line, appeal.preheader)]
    yield from _in(settings, appeal.file, level)
    for source in filter(None, (appeal.letter, appeal.text)):
        without = _TAG.sub(lambda tag: "…" + "\n" * tag[0].count("\n"), source.content)
        yield from _in(list(enumerate(without.split("\n"), 1)), source.file, level)


def _in(lines: Sequence[tuple[int | None, str]], file: str, level: Level) -> Iterator[Finding]:
    found = [(line, words) for line, text in lines for words in _WAITING.findall(text)]
    if not found:
        return
    line, first = found[0]
    if len(found) == 1:
        message = f"{first} waits for words of yours: write them, without the brackets."
    else:
        numbers = list(dict.fromkeys(str(line) for line, _ in found if line))
        where = f" (lines {', '.join(numbers)})" if len(numbers) > 1 else ""
        message = (f"{len(found)} places wait for words of yours, {first} the first of them{where}: write them, "
                   "without the brackets.")
    yield Finding(level=level, code="not-yet-written", file=file, line=line, message=message)
