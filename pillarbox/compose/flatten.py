"""A letter's layout, includes and macros drawn into one flat template, where that changes nothing.

Most letters extend a layout and call components. Flat, they trace several times faster, and what a component gets as a
constant is folded: a colour in a style attribute is text, not a value. Whatever is not plainly safe is left as it is:
the letter is then traced file by file, which is exact and slower.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from jinja2 import nodes
from jinja2.compiler import find_undeclared

from pillarbox.compose.fold import Fold
from pillarbox.compose.survey import Survey
from pillarbox.compose.syntax import copied

_DEPTH = 20
_Body = list[nodes.Node]


_CALLER = nodes.Call(nodes.Name("caller", "load"), [], [], None, None)


class NotFlat(Exception):
    """This letter cannot be drawn into one template."""


class Flattener:
    """Draws one part of a letter together.

    Args:
        trees: the templates that the part uses, by name.
        survey: what they assign and capture.
        fold: knows what is constant.
    """

    def __init__(self, trees: Mapping[str, nodes.Template], survey: Survey, fold: Fold) -> None:
        self._trees = trees
        self._callers: list[_Body | None] = [None]
        self._survey = survey
        self._fold = fold
        self._stored = Counter(name.name for tree in trees.values() for name in tree.find_all(nodes.Name)
                               if name.ctx == "store")
        self._known: dict[str, nodes.Expr] = {}
        self._blocks: dict[str, list[nodes.Block]] = {}
        self._modules: dict[str, str] = {}
        self._contextual: set[bool] = set()
        """Whether components see the supporter: all of them or none."""
        self._imported: dict[str, nodes.Macro] = {}
        for tree in trees.values():
            self._learn(tree)

    def flat(self, name: str) -> _Body:
        """The part's body.

        Raises:
            NotFlat: drawing it together might change what it prints.
        """
        body = self._inherited(name, 0)
        return self._body(body, (), 0)

    # -------------------------------------------------------------------------------------- what there is

    def _learn(self, tree: nodes.Template) -> None:
        for item in tree.find_all(nodes.Import):
            if self._modules.setdefault(item.target, _constant_name(item)) != _constant_name(item):
                raise NotFlat
        for names in tree.find_all(nodes.FromImport):
            for name in names.names:
                source, alias = (name, name) if isinstance(name, str) else name
                macro = self._exported(_constant_name(names), source)
                if self._imported.setdefault(alias, macro) is not macro:
                    raise NotFlat
        self._contextual |= {item.with_context for item in tree.find_all(nodes.Import)}
        self._contextual |= {item.with_context for item in tree.find_all(nodes.FromImport)}
        if len(self._contextual) > 1:
            raise NotFlat

    def _exported(self, template: str, name: str) -> nodes.Macro:
        tree = self._alike(template)
        found = [node for node in tree.body if isinstance(node, nodes.Macro) and node.name == name] if tree else []
        if len(found) != 1:
            raise NotFlat
        return found[0]

    def _alike(self, name: str) -> nodes.Template | None:
        """A template that escapes as this part does."""
        return self._trees.get(name) if self._fold.escapes_like(name) else None

    def _inherited(self, name: str, depth: int) -> _Body:
        """The outermost layout's body; the blocks on the way are learned, the innermost first."""
        tree = self._alike(name)
        if tree is None or depth > _DEPTH:
            raise NotFlat
        for block in tree.find_all(nodes.Block):
            self._blocks.setdefault(block.name, []).append(block)
        extends = [node for node in tree.body if isinstance(node, nodes.Extends)]
        if not extends:
            return tree.body
        for node in tree.body:  # of a child only blocks print; what else it does must leave no trace
            if not isinstance(node, nodes.Extends | nodes.Block | nodes.Output | nodes.Import | nodes.FromImport):
                raise NotFlat
        if len(extends) > 1 or not isinstance(extends[0].template, nodes.Const):
            raise NotFlat
        return self._inherited(extends[0].template.value, depth + 1)

    # -------------------------------------------------------------------------------------- drawing together

    def _body(self, body: Sequence[nodes.Node], above: Sequence[nodes.Block], depth: int, *,
              inside: bool = False) -> _Body:
        if depth > _DEPTH:
            raise NotFlat
        return [new for node in body for new in self._statement(node, above, depth, inside)]

    def _statement(self, node: nodes.Node, above: Sequence[nodes.Block], depth: int, inside: bool) -> _Body:
        match node:
            case nodes.Output():
                return self._output(node, above, depth)
            case nodes.If():
                for arm in (node, *node.elif_):
                    arm.body = self._body(arm.body, above, depth, inside=inside)
                node.else_ = self._body(node.else_, above, depth, inside=inside)
                return [self._settled(node)]
            case nodes.For() if not node.recursive:
                node.body = self._body(node.body, above, depth, inside=True)
                node.else_ = self._body(node.else_, above, depth, inside=True)
                return [self._settled(node)]
            case nodes.With():
                node.body = self._body(node.body, above, depth, inside=True)
                return [self._settled(node)]
            case nodes.Block() if not node.required and (not inside or node.scoped):
                first, *rest = self._blocks[node.name]
                return [nodes.Scope(self._body(copied(first.body), rest, depth + 1, inside=inside))]
            case nodes.CallBlock() if not node.args:
                return self._component(node.call, depth, self._body(node.body, above, depth, inside=True))
            case nodes.Include() if node.with_context and not node.ignore_missing:
                return [nodes.Scope(self._included(node, depth))]
            case nodes.Import() | nodes.FromImport():
                return []
            case nodes.Assign(target=nodes.Name(name=name)) if self._stored[name] == 1:
                value = self._settled(node.node)
                if self._fold.is_constant(value):
                    self._known[name] = cast(nodes.Expr, value)
                    return []
        raise NotFlat

    def _included(self, node: nodes.Include, depth: int) -> _Body:
        name = _constant_name(node)
        tree = self._trees.get(name)
        if tree is not None and not self._fold.escapes_like(name):
            body = self._fold.named(name).visit(copied(tree)).body
            if not all(map(_is_text, body)):  # such as a style sheet in HTML: it may print constants alone
                raise NotFlat
            return cast(_Body, body)
        if tree is None or tree.find(nodes.Block) or tree.find(nodes.Extends) or find_undeclared(tree.body, ("loop",)):
            raise NotFlat
        return self._body(copied(tree.body), (), depth + 1, inside=True)

    def _output(self, node: nodes.Output, above: Sequence[nodes.Block], depth: int) -> _Body:
        out: _Body = []
        for child in node.nodes:
            if not self._survey.is_captured(child):
                out.append(nodes.Output([cast(nodes.Expr, self._settled(child))], lineno=node.lineno))
            elif isinstance(child, nodes.Call) and child.node == nodes.Name("super", "load") and above:
                out.append(nodes.Scope(self._body(copied(above[0].body), above[1:], depth + 1)))
            elif child == _CALLER and (inner := self._callers[-1]) is not None:
                out += copied(inner)
            elif isinstance(child, nodes.Call):
                out += self._component(child, depth, None)
            else:
                raise NotFlat
        return out

    def _component(self, call: nodes.Call, depth: int, inner: _Body | None) -> _Body:
        """What a macro prints, with its parameters replaced by what they are given.

        Args:
            call: the macro's call.
            depth: how deep in others.
            inner: what ``caller()`` prints.
        """
        match call.node:
            case nodes.Name(name=name) if name in self._imported:
                macro = self._imported[name]
            case nodes.Getattr(node=nodes.Name(name=module), attr=name) if module in self._modules:
                macro = self._exported(self._modules[module], name)
            case _:
                raise NotFlat
        given = self._arguments(macro, call)
        bound = {name.name for name in macro.find_all(nodes.Name) if name.ctx == "store"}
        read = {name.name for node in macro.body for name in node.find_all(nodes.Name) if name.ctx == "load"}
        read |= {node.name for node in macro.body if isinstance(node, nodes.Name)}
        passed = {name.name for value in given.values() for name in (value, *value.find_all(nodes.Name))
                  if isinstance(name, nodes.Name)}
        passed |= {name.name for node in inner or () for name in node.find_all(nodes.Name)}
        clash = bound & (passed | given.keys() | (read & self._fold.constant))
        if clash or read & {"varargs", "kwargs"} or ("caller" in read) != (inner is not None):
            raise NotFlat
        free = read - given.keys() - bound - {"loop", "caller"}
        free -= self._fold.constant | self._modules.keys() | self._imported.keys()
        if free and (self._contextual != {True} or free & self._survey.assigned):
            raise NotFlat
        self._callers.append(inner)
        body = self._body(_replaced(copied(macro.body), given), (), depth + 1, inside=True)
        self._callers.pop()
        if any(name.name == "caller" for node in body for name in node.find_all(nodes.Name)):
            raise NotFlat
        return body

    def _arguments(self, macro: nodes.Macro, call: nodes.Call) -> dict[str, nodes.Expr]:
        names = [argument.name for argument in macro.args]
        given = dict(zip(names, call.args, strict=False))
        given |= {keyword.key: keyword.value for keyword in call.kwargs}
        if call.dyn_args or call.dyn_kwargs or len(call.args) > len(names) or not given.keys() <= set(names) or len(
                given) != len(call.args) + len(call.kwargs):
            raise NotFlat
        defaults = dict(zip(names[len(names) - len(macro.defaults):], macro.defaults, strict=True))
        if not given.keys() | defaults.keys() >= set(names):
            raise NotFlat
        given = {name: cast(nodes.Expr, self._settled(given.get(name, defaults.get(name)))) for name in names}
        printed = {child.name for node in macro.body if isinstance(node, nodes.Output) for child in node.nodes
                   if isinstance(child, nodes.Name)}
        for name, value in given.items():
            # Jinja evaluates an argument even when it is not used: then what fails there must fail here too.
            simple = isinstance(value, nodes.Const | nodes.Name) or (
                isinstance(value, nodes.Getattr) and isinstance(value.node, nodes.Name))
            calls = value.find(nodes.Call) or isinstance(value, nodes.Call)
            if not simple and not self._fold.is_constant(value) and (name not in printed or calls):
                raise NotFlat
            if name in defaults and value is defaults[name] and not self._fold.is_constant(value):
                raise NotFlat
        return given

    def _settled(self, node: Any) -> Any:
        """The node with names that are set once, to a constant, replaced by it."""
        if self._survey.is_captured(node):
            raise NotFlat
        return _replaced([node], self._known)[0] if self._known else node


def _is_text(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Output) and all(isinstance(child, nodes.TemplateData) for child in node.nodes)


def _constant_name(node: nodes.Include | nodes.Import | nodes.FromImport) -> str:
    if not isinstance(node.template, nodes.Const) or not isinstance(node.template.value, str):
        raise NotFlat
    return node.template.value


def _replaced(items: Any, values: Mapping[str, nodes.Expr]) -> Any:
    """A tree with names that are read replaced by expressions."""
    if isinstance(items, list):
        return [_replaced(item, values) for item in items]
    if not isinstance(items, nodes.Node):
        return items
    if isinstance(items, nodes.Name) and items.ctx == "load" and items.name in values:
        return copied(values[items.name])
    for field in items.fields:
        setattr(items, field, _replaced(getattr(items, field), values))
    return items
