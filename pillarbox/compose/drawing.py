"""A letter's parts drawn together, folded, and compiled to one function, where that changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from jinja2 import nodes

from pillarbox.compose.drawn import Drawn
from pillarbox.compose.environment import SUBJECT, LetterEnvironment
from pillarbox.compose.flatten import Flattener, NotFlat
from pillarbox.compose.fold import Fold, join_outputs
from pillarbox.compose.generator import FlatGenerator
from pillarbox.compose.survey import reachable, survey

if TYPE_CHECKING:
    from pillarbox.compose.trace import TraceEnvironment


def draw(environment: TraceEnvironment, plain: LetterEnvironment, sources: Mapping[str, str],
         names: Sequence[str]) -> Drawn | None:
    """The letter as one function's code; None where drawing it together might change what it prints.

    Args:
        environment: that traces it; its runs are numbered there.
        plain: knows what its constants print.
        sources: template → Jinja source.
        names: of its parts, in order.
    """
    parts: list[tuple[str, list[nodes.Node]]] = []
    for name in names:
        trees = reachable(sources, [name], plain.parse)
        found = survey(trees.values())
        fold = Fold(plain, name, found.assigned)
        try:
            body = Flattener(trees, found, fold).flat(name)
        except NotFlat:
            return None
        folded = fold.visit(nodes.Template(body, lineno=1).set_environment(environment))
        parts.append((name, join_outputs(folded.body)))
    try:
        return FlatGenerator(environment, SUBJECT, None).compiled(parts)
    except (SyntaxError, RecursionError):  # drawn together it is nested deeper than Python reads
        return None
