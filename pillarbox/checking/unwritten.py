"""Words that a new letter was begun with, and that still wait for the writer's: ``[[a Tuesday in March]]``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pillarbox.checking.matter import Matter
from pillarbox.content.starters import CLOSE, OPEN
from pillarbox.model.records import Finding, Level

_WAITING = re.compile(rf"{re.escape(OPEN)}(?:(?!{re.escape(OPEN)})[^\n])*?{re.escape(CLOSE)}")
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def look(matter: Matter) -> Iterator[Finding]:
    """Each line that holds such words."""
    appeal = matter.bundle.appeal
    for line, text in ((appeal.subject_line, appeal.subject), (appeal.preheader_line, appeal.preheader)):
        yield from _in(text, appeal.file, line)
    yield from _in(appeal.title, appeal.file, None)
    for source in filter(None, (appeal.letter, appeal.text)):
        without = _COMMENT.sub(lambda note: "\n" * note[0].count("\n"), source.content)
        for number, text in enumerate(without.split("\n"), 1):
            yield from _in(text, source.file, number)


def _in(text: str, file: str, line: int | None) -> Iterator[Finding]:
    if found := list(dict.fromkeys(_WAITING.findall(text))):
        yield Finding(level=Level.WARNING, code="not-yet-written", file=file, line=line,
                      message=f"{', '.join(found)} {'waits' if len(found) == 1 else 'wait'} for words of yours: write "
                              "them, without the brackets.")
