"""What a letter's templates assign, import and capture, and whether captured output is ever used as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from jinja2 import nodes

from pillarbox.compose.finish import SlowPath
from pillarbox.compose.syntax import named_by, tree_of

_SPECIAL = frozenset({"caller", "super", "loop", "self"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """Names over all the templates that one letter uses: a name means the same in each of them, or is left alone."""

    assigned: frozenset[str]
    """Names that some template gives a value: they may mean different things at different places."""
    callables: frozenset[str]
    """Macros and imported templates: what calling them prints is captured."""
    captured: frozenset[str]
    """Names that hold captured output: ``{% set x %}…{% endset %}``, ``{% set y = x %}``."""

    def is_captured(self, node: nodes.Node | None) -> bool:
        """Whether an expression's value is output that a template captured (in either branch of an inline if)."""
        if isinstance(node, nodes.CondExpr):
            return self.is_captured(node.expr1) or self.is_captured(node.expr2)
        if isinstance(node, nodes.Name):
            return node.ctx == "load" and node.name in self.captured
        if not isinstance(node, nodes.Call):
            return False
        root = _root(node.node)
        if not isinstance(root, nodes.Name) or (root.name == "loop" and root is not node.node):
            return False
        return root.name in self.callables or root.name in _SPECIAL

    def refuse(self, node: nodes.Node, where: str, *, printed: bool = False, called: bool = False) -> None:
        """See that captured output is only printed, or assigned and then printed: a trace holds it as marks.

        Args:
            node: a template, or a part of one.
            where: the file, as staff know it.
            printed: ``node`` stands where its value is printed or assigned.
            called: ``node`` is the thing called, or what its name is looked up in.

        Raises:
            SlowPath: captured output is filtered, tested, passed on or otherwise used as data.
        """
        reason = ""
        if isinstance(node, nodes.FilterBlock) or (isinstance(node, nodes.AssignBlock) and node.filter is not None):
            reason = "filters what a part of the letter prints"
        elif isinstance(node, nodes.ScopedEvalContextModifier):
            reason = "switches escaping on or off"
        elif isinstance(node, nodes.AssignBlock | nodes.Assign) and not isinstance(node.target, nodes.Name) and (
                isinstance(node, nodes.AssignBlock) or self.is_captured(node.node)):
            reason = "keeps what a part of the letter prints in more than one name"
        elif isinstance(node, nodes.Include) and not node.with_context:
            reason = "includes a file without its names"
        elif not printed and self.is_captured(node):
            reason = "tests, filters or passes on what a part of the letter printed"
        elif not called and isinstance(node, nodes.Name) and node.ctx == "load" and (
                node.name in self.callables or node.name in _SPECIAL):
            reason = "uses a macro or loop as a value"
        if reason:
            raise SlowPath(f"{where}, line {node.lineno}: the template {reason}.")
        for child in node.iter_child_nodes():
            self.refuse(
                child, where,
                printed=isinstance(node, nodes.Output | nodes.CallBlock | nodes.Assign)
                or (printed and isinstance(node, nodes.CondExpr) and child is not node.test),
                called=(isinstance(node, nodes.Call) and child is node.node)
                or (isinstance(node, nodes.Test) and node.name in ("defined", "undefined"))
                or (isinstance(node, nodes.Getattr | nodes.Getitem) and child is node.node
                    and (called or _root(node) == nodes.Name("loop", "load"))))


def reachable(sources: Mapping[str, str], roots: Iterable[str],
              read: Callable[[str, str], nodes.Template] = tree_of) -> dict[str, nodes.Template]:
    """The templates that a letter can use, parsed: all of them, when one is chosen by a value.

    Args:
        sources: template → Jinja source.
        roots: where reading begins.
        read: a source and its name → its tree; what ``tree_of`` gives is only to be looked at.

    Raises:
        TemplateSyntaxError: one of them cannot be read.
    """
    found: dict[str, nodes.Template] = {}
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name in found or name not in sources:
            continue
        found[name] = read(sources[name], name)
        for other in named_by(tree_of(sources[name], name)):
            todo += sources if other is None else [other]
    return found


def survey(templates: Iterable[nodes.Template]) -> Survey:
    """What the templates assign and capture, together."""
    trees = list(templates)
    callables: set[str] = set()
    assigned = set(_SPECIAL | {"varargs", "kwargs"})
    captured: set[str] = set()
    assignments: list[tuple[str, nodes.Node]] = []
    for tree in trees:
        assigned |= {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
        callables |= {macro.name for macro in tree.find_all(nodes.Macro)}
        callables |= {item.target for item in tree.find_all(nodes.Import)}
        for item in tree.find_all(nodes.FromImport):
            callables |= {name if isinstance(name, str) else name[1] for name in item.names}
        captured |= {a.target.name for a in tree.find_all(nodes.AssignBlock) if isinstance(a.target, nodes.Name)}
        assignments += [(a.target.name, a.node) for a in tree.find_all(nodes.Assign)
                        if isinstance(a.target, nodes.Name)]
    while True:
        known = Survey(assigned=frozenset(assigned | callables), callables=frozenset(callables),
                       captured=frozenset(captured))
        more = {name for name, value in assignments if known.is_captured(value)} - captured
        if not more:
            return known
        captured |= more


def _root(node: nodes.Node) -> nodes.Node:
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        node = node.node
    return node
