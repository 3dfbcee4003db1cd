"""What a letter's templates use of one another: what is not there, what climbs out, what comes round in a circle."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from pillarbox.compose.syntax import tree_of
from pillarbox.model.records import Finding, Level

_USES = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)


def faults(sources: Mapping[str, str], roots: Sequence[str], files: Mapping[str, str],
           lines: Mapping[str, Sequence[int]]) -> tuple[Finding, ...]:
    """Every use of a template that cannot be.

    Args:
        sources: template → Jinja source.
        roots: where reading begins.
        files: template → the file that staff know it by.
        lines: template → for each of its lines the file's line, where that differs.
    """
    seen: set[str] = set()
    told: set[frozenset[str]] = set()

    def place(name: str, line: int) -> tuple[str, int]:
        known = lines.get(name)
        return files.get(name, name), known[min(line, len(known)) - 1] if known else line

    def walk(name: str, above: tuple[str, ...]) -> Iterator[Finding]:
        for used, line in _used(sources.get(name, ""), name, sources):
            file, number = place(name, line)
            if used not in sources:
                yield Finding(level=Level.ERROR, file=file, line=number, **_missing(used, sources))
            elif used in (chain := (*above, name)):
                ring = chain[chain.index(used) :]
                if frozenset(ring) not in told:
                    told.add(frozenset(ring))
                    yield Finding(level=Level.ERROR, code="circular-template", file=file, line=number,
                                  message=f"“{used}” comes round to itself ({' → '.join((*ring, used))}): take one of "
                                          "these uses out.")
            elif used not in seen:
                seen.add(used)
                yield from walk(used, chain)

    found: dict[Finding, None] = {}  # what HTML and plain text share is told once
    for root in roots:
        if root in sources:
            seen.add(root)
            found |= dict.fromkeys(walk(root, ()))
    return tuple(found)


def _used(source: str, name: str, sources: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The templates that one names in so many words, with the line; of several, one must be there."""
    try:
        tree = tree_of(source, name)
    except TemplateSyntaxError:  # told already, with its place
        return
    for names, line, may_be_missing in _uses(tree):
        there = [each for each in names if each in sources]
        if there or not may_be_missing:
            for each in there or names[:1]:
                yield each, line


@lru_cache(maxsize=64)
def _uses(tree: nodes.Template) -> tuple[tuple[list[str], int, bool], ...]:
    """For each use of others: their names, the line, and whether it is said that there may be none."""
    return tuple((_names(node.template), node.lineno, getattr(node, "ignore_missing", False))  # type: ignore[attr-defined]  # each of _USES has one
                 for node in tree.find_all(_USES))


def _names(expression: nodes.Node) -> list[str]:
    try:
        named: Any = expression.as_const() if isinstance(expression, nodes.Expr) else None
    except nodes.Impossible:  # chosen while the letter is composed
        return []
    every = [named] if isinstance(named, str) else list(named or ())
    return [each for each in every if isinstance(each, str)]


def _missing(name: str, sources: Mapping[str, str]) -> dict[str, str]:
    if name.startswith(("/", "\\", "~")) or ".." in name.replace("\\", "/").split("/") or ":" in name:
        return {"code": "path-outside", "message": f"“{name}” leads out of templates/: a letter uses the files there "
                                                   "and no others. Put the file itself there, and name it from there."}
    near = get_close_matches(posixpath.basename(name), sources, 1) or get_close_matches(name, sources, 1)
    hint = f" Do you mean “{near[0]}”?" if near else ""
    return {"code": "missing-template", "message": f"There is no “{name}” in templates/: see how it is spelt, or put "
                                                   f"it there.{hint}"}
