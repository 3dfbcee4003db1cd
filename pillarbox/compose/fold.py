"""What reads only the letter's constants becomes text when the letter is compiled, not once for each supporter."""

# ruff: noqa: N802 - Jinja's visitors are named for its nodes

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from pillarbox.compose.environment import LetterEnvironment
from pillarbox.compose.syntax import copied

_FOLDABLE = (nodes.If, nodes.For, nodes.Output, nodes.TemplateData, nodes.Expr, nodes.Helper)
_NEVER = (nodes.ExtensionAttribute, nodes.EnvironmentAttribute, nodes.ImportedName, nodes.InternalName,
          nodes.ContextReference, nodes.DerivedContextReference, nodes.NSRef)
_KEEPS_STATE: tuple[type[nodes.Stmt], ...] = (
    nodes.Assign, nodes.AssignBlock, nodes.Extends, nodes.Block, nodes.Macro, nodes.Import, nodes.FromImport)


class Fold(NodeTransformer):
    """Renders constant parts of a template with the plain environment and puts their text in their place.

    Args:
        plain: renders them; its globals are the constants.
        name: the template's name, which decides on escaping.
        assigned: names that templates assign: those are no constants, whatever the globals say.
        modules: what the template calls another one by → that one's tree and name (see ``modules_of``). A macro of such
            a one that prints constants alone is text too: the night's colours, which stand in a stylesheet.
    """

    def __init__(self, plain: LetterEnvironment, name: str, assigned: Collection[str],
                 modules: Mapping[str, tuple[str, nodes.Template]] | None = None) -> None:
        self._plain = plain
        self._modules = modules or {}
        self._name = name
        self._assigned = frozenset(assigned)
        self.constant: set[str] = plain.globals.keys() - set(assigned)

    def escapes_like(self, name: str) -> bool:
        """Whether another template escapes as this one does."""
        escapes = self._plain.autoescape
        return callable(escapes) and escapes(name) == escapes(self._name)

    def named(self, name: str) -> Fold:
        """The same for another template."""
        return Fold(self._plain, name, self._assigned)

    def is_constant(self, node: nodes.Node) -> bool:
        """Whether a part reads only constants, and what it binds itself."""
        bound = {name.name for name in node.find_all(nodes.Name) if name.ctx != "load"}
        if isinstance(node, nodes.For):
            bound.add("loop")
        return bound.isdisjoint(self._plain.globals) and all(
            self._is_pure(part, bound) for part in [node, *node.find_all(nodes.Node)])

    def _is_pure(self, part: nodes.Node, bound: set[str]) -> bool:
        if isinstance(part, nodes.Name):
            return part.ctx != "load" or part.name in bound or part.name in self.constant
        if isinstance(part, nodes.For) and part.recursive:
            return False
        return isinstance(part, _FOLDABLE) and not isinstance(part, _NEVER)

    def _module_of(self, node: nodes.Node) -> str:
        """The name of the module whose macro a part calls, when that prints the same for everybody; else empty."""
        match node:
            case nodes.Call(node=nodes.Getattr(node=nodes.Name(name=alias), attr=macro), kwargs=[], dyn_args=None,
                            dyn_kwargs=None) if alias in self._modules and all(map(self.is_constant, node.args)):
                _, tree = self._modules[alias]
                found = [each for each in tree.body if isinstance(each, nodes.Macro) and each.name == macro]
                if len(found) == 1 and len(found[0].args) == len(node.args) and self._is_constant_macro(found[0]):
                    return str(alias)
        return ""

    def _is_constant_macro(self, macro: nodes.Macro) -> bool:
        bound = {name.name for name in macro.find_all(nodes.Name) if name.ctx != "load"}
        return bound.isdisjoint(self._plain.globals) and all(
            self._is_pure(part, bound) for child in macro.body for part in [child, *child.find_all(nodes.Node)])

    def text(self, part: nodes.Node) -> str | None:
        """What a constant part prints; None when it fails: then it must fail for a supporter, with file and line."""
        alias = self._module_of(part)
        # A letter asks for the same few colours, sizes and addresses hundreds of times, and each would be compiled.
        known = (self.escapes_like("letter.html"), alias and self._modules[alias][0], repr(part))
        if known not in self._plain.folded:
            self._plain.folded[known] = self._printed(part, alias)
        return self._plain.folded[known]

    def _printed(self, part: nodes.Node, alias: str) -> str | None:
        body: list[nodes.Node] = [part] if isinstance(part, nodes.Stmt) else [
            nodes.Output([cast(nodes.Expr, part)], lineno=part.lineno)]
        if alias:
            body.insert(0, nodes.Import(nodes.Const(self._modules[alias][0]), alias, True, lineno=part.lineno))
        tree = nodes.Template([copied(node) for node in body], lineno=1).set_environment(self._plain)
        try:
            code = self._plain.compile(cast(nodes.Template, tree), self._name)
            template = self._plain.template_class.from_code(self._plain, code, self._plain.make_globals(None))
            return template.render()
        except Exception:  # noqa: BLE001 - whatever it is, it shows again when a supporter's letter is rendered
            return None

    def visit_For(self, node: nodes.For) -> Any:
        """A loop over constants becomes text."""
        return self._folded(node) or self.generic_visit(node)

    def visit_If(self, node: nodes.If) -> Any:
        """A choice by constants becomes the branch that it chooses; a constant one becomes text."""
        if (folded := self._folded(node)) is not None:
            return folded
        arms = [(node.test, node.body), *((arm.test, arm.body) for arm in node.elif_)]
        if all(self.is_constant(test) for test, _ in arms) and not any(node.find(kind) for kind in _KEEPS_STATE):
            chosen: Sequence[nodes.Node] = node.else_
            for test, body in arms:
                truth = self.text(nodes.CondExpr(test, nodes.Const("1"), nodes.Const(""), lineno=node.lineno))
                if truth is None:
                    return self._bodies(node)
                if truth:
                    chosen = body
                    break
            return self._each(chosen)
        return self._bodies(node)

    def _bodies(self, node: nodes.If) -> nodes.If:
        for arm in (node, *node.elif_):  # an elif is an If of its own: it stays one, whatever its test
            arm.body = self._each(arm.body)
        node.else_ = self._each(node.else_)
        return node

    def _each(self, body: Sequence[nodes.Node]) -> list[nodes.Node]:
        return [new for old in body for new in self.visit_list(old)]

    def visit_Output(self, node: nodes.Output) -> Any:
        """Constant expressions among what is printed become text."""
        for index, child in enumerate(node.nodes):
            if not isinstance(child, nodes.TemplateData) and (self.is_constant(child) or self._module_of(child)):
                text = self.text(child)
                if text is not None:
                    node.nodes[index] = nodes.TemplateData(text, lineno=child.lineno)
        return node

    def visit_Include(self, node: nodes.Include) -> Any:
        """A file that is included without the supporter's names is the same for everybody."""
        return node if node.with_context else self._text_node(node) or node

    def _folded(self, node: nodes.Stmt) -> nodes.Output | None:
        return self._text_node(node) if self.is_constant(node) else None

    def _text_node(self, node: nodes.Stmt) -> nodes.Output | None:
        if isinstance(node, nodes.Include) and not isinstance(node.template, nodes.Const):
            return None
        text = self.text(node)
        return None if text is None else nodes.Output([nodes.TemplateData(text)], lineno=node.lineno)


def modules_of(tree: nodes.Template, trees: Mapping[str, nodes.Template]) -> dict[str, tuple[str, nodes.Template]]:
    """What a template imports, by the name that it has there: the imported one's name and tree. A name that stands for
    anything else too is left out."""
    found: dict[str, tuple[str, nodes.Template]] = {}
    unsure = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    for item in tree.find_all(nodes.Import):
        name = item.template.value if isinstance(item.template, nodes.Const) else None
        if isinstance(name, str) and name in trees and found.get(item.target, (name,))[0] == name:
            found[item.target] = (name, trees[name])
        else:
            unsure.add(item.target)
    return {alias: module for alias, module in found.items() if alias not in unsure}


def join_outputs(body: Sequence[nodes.Node]) -> list[nodes.Node]:
    """A body whose neighbouring outputs are one, so that they are one run; scopes that bind nothing are opened."""
    out: list[nodes.Node] = []
    for node in body:
        for field in ("body", "else_", "elif_"):
            if isinstance(inner := getattr(node, field, None), list):
                setattr(node, field, inner if field == "elif_" else join_outputs(inner))
        for arm in getattr(node, "elif_", ()):
            arm.body = join_outputs(arm.body)
        for item in node.body if isinstance(node, nodes.Scope) else [node]:
            if isinstance(item, nodes.Output) and out and isinstance(out[-1], nodes.Output):
                out[-1].nodes += item.nodes
            else:
                out.append(item)
    return out
