"""What would run in a browser, in the finished letter: also what a template has put there with ``|safe``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pillarbox.checking.matter import Matter
from pillarbox.compose import dangers
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "script": "The finished letter holds a script or something else that runs.",
    "script-link": "A link begins with javascript: or the like.",
}


def look(matter: Matter) -> Iterator[Finding]:
    """Scripts, frames, forms, handlers; those of the sources are told when they are read, links by ``essentials``."""
    letter = matter.letter
    sources = [(letter.html, letter.templates[letter.html]), *letter.templates.items()]
    for shape in matter.shapes:
        for danger in (each for each in dangers.in_finished(shape.html) if each.code == "script"):
            name, line = _place(danger.what, sources)
            known = letter.lines.get(name)
            if line and known:
                line = known[min(line, len(known)) - 1]
            yield Finding(level=Level.ERROR, code=danger.code, file=letter.files.get(name, name), line=line,
                          message=danger.message)


def _place(what: str, sources: list[tuple[str, str]]) -> tuple[str, int | None]:
    """The template that says it, and where; the letter's own when none does in so many words."""
    for name, source in sources:
        if (position := source.lower().find(what)) >= 0:
            return name, source.count("\n", 0, position) + 1
    return sources[0][0], None
