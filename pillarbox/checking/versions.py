"""How many versions of a letter there are: each is finished once, and leaves in requests of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jinja2 import TemplateError, nodes

from pillarbox.checking.matter import Matter
from pillarbox.compose.faults import TOO_DEEP
from pillarbox.compose.survey import reachable
from pillarbox.model.records import Finding, Letter, Level

CODES: Mapping[str, str] = {
    "many-versions": "The letter takes so many versions that composing and sending it is slow.",
}

MANY = 150
"""Versions. Each costs about 0.05 s to finish and at least one request to send."""


def look(matter: Matter) -> Iterator[Finding]:
    """A warning where there are many versions for few supporters each, with the places that make them."""
    versions = matter.versions or len(matter.shapes)
    if versions < MANY or (matter.supporters and versions * 100 < matter.supporters):
        return
    places = list(choices(matter.letter))
    told = "; ".join(f"{words} ({file}, line {line})" for words, file, line in places[:4])
    more = f"; and {len(places) - 4} more" if len(places) > 4 else ""
    why = f" It differs where it chooses by what a supporter has: {told}{more}." if places else ""
    _, file, line = places[0] if places else ("", matter.bundle.appeal.letter.file, None)
    yield Finding(level=Level.WARNING, code="many-versions", file=file, line=line,
                  message=f"The letter takes {versions:,} versions{_for(matter)}: each is finished by itself and "
                          f"leaves in requests of its own, which is slow.{why} Print a value there instead, or let "
                          "fewer things depend on each other.")


def _for(matter: Matter) -> str:
    return f" for {matter.supporters:,} supporters" if matter.supporters else ""


def choices(letter: Letter) -> Iterator[tuple[str, str, int]]:
    """The ifs and loops that depend on the supporter: what they ask, the file and the line."""
    try:
        trees = reachable(letter.templates, (letter.html,))
    except (TemplateError, *TOO_DEEP):
        return
    for name, tree in trees.items():
        known = letter.lines.get(name)
        for node in tree.find_all(nodes.Node):
            match node:
                case nodes.For():
                    what, asked = "a loop over", node.iter
                case nodes.If() | nodes.CondExpr():
                    what, asked = "a choice by", node.test
                case _:
                    continue
            if fields := list(dict.fromkeys(_fields(asked))):
                line = known[min(node.lineno, len(known)) - 1] if known else node.lineno
                yield f"{what} {' and '.join(fields)}", letter.files.get(name, name), line


def _fields(node: nodes.Node) -> Iterator[str]:
    for each in (node, *node.find_all(nodes.Getattr)):
        if isinstance(each, nodes.Getattr) and isinstance(each.node, nodes.Name) and each.node.name == "supporter":
            yield f"supporter.{each.attr}"
