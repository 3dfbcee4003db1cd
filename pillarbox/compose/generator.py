"""Jinja's compiler, made to write code that traces what a template prints instead of printing it.

Each straight-line run of output becomes "note this run, note its values". What macros, blocks and set-blocks capture is
noted between a begin and an end; its text is a reference to that span, and printing it notes the reference. The trace
holds whole numbers only: a run's number, BEGIN, END, or ``SPAN - n`` for the span that begins at position n.

This leans on Jinja 3.1's CodeGenerator (docs/decisions/0002): the fuzz test guards upgrades.
"""
# ruff: noqa: N802 - Jinja's visitors are named for its nodes

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jinja2 import nodes
from jinja2.compiler import Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, exported
from markupsafe import escape

from pillarbox.compose.drawn import Drawn
from pillarbox.compose.environment import BoundedGenerator, pay

if TYPE_CHECKING:
    from pillarbox.compose.trace import TraceEnvironment

BEGIN, END, PART, SPAN = -1, -2, -3, -4
_DICT_ATTRIBUTES = frozenset(dir(dict))
_Node = TypeVar("_Node", nodes.Getattr, nodes.Getitem)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Output without a branch in it."""

    pieces: tuple[str | int, ...]
    """Text, or which of the run's values is printed there; ``~n`` is the trace's n-th value."""
    paths: tuple[str, ...]
    """For each value: the path that it is read by (``supporter.first_name``) when it is the same all through the
    message; empty otherwise."""


class TraceGenerator(BoundedGenerator):
    """Compiles a template to its trace."""

    environment: TraceEnvironment
    hoisted: Mapping[str, int] = MappingProxyType({})

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        """Refuse what a trace cannot follow, fold what is constant, and compile the rest."""
        assert self.name is not None, "a letter's templates have names"
        folded = self.environment.fold(self.name, node)
        super().visit_Template(folded, frame)

    # -------------------------------------------------------------------------------------- output

    def write_commons(self) -> None:
        """Bring the notebook into reach of each function."""
        super().write_commons()
        self.writeline("_run = environment.note_run; _values = environment.note_values")
        self.writeline("_print = environment.note_printed; _open = environment.open_span")

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:
        """Write the notes for one stretch of output."""
        if frame.require_output_check:
            if self.has_known_extends:
                return
            self.writeline("if parent_template is None:")
            self.indent()
        pieces: list[str | int] = []
        values: list[nodes.Expr] = []
        paths: list[str] = []
        for child in node.nodes:
            if (text := self._text_of(child, frame)) is not None:
                pieces.append(text)
            elif child.find(nodes.Call) or isinstance(child, nodes.Call) or self.environment.survey.is_captured(child):
                self._write_run(pieces, values, paths, frame, node)
                self.environment.printing.add(self.name)
                self.writeline("_print(", child)
                self.visit(child, frame)
                self.write(")")
            elif (path := self._path(child)) and path in self.hoisted:
                pieces.append(~self.hoisted[path])
            elif path and path in paths:
                pieces.append(paths.index(path))
            else:
                pieces.append(len(values))
                values.append(child)
                paths.append(path)
        self._write_run(pieces, values, paths, frame, node)
        if frame.require_output_check:
            self.outdent()

    def _write_run(self, pieces: list[str | int], values: list[nodes.Expr], paths: list[str], frame: Frame,
                   node: nodes.Output) -> None:
        if not pieces:
            return
        if values:
            self.environment.printing.add(self.name)
        self.writeline(f"_run({self.environment.new_run(Run(pieces=tuple(pieces), paths=tuple(paths)))})", node)
        if values:
            self.writeline("_values((")
            for value in values:
                self.newline(value)
                self._write_value(value, frame)
                self.write(",")
            self.write("))")
        for used in (pieces, values, paths):
            used.clear()

    def _write_value(self, value: nodes.Expr, frame: Frame) -> None:
        self.visit(value, frame)

    @staticmethod
    def _text_of(node: nodes.Expr, frame: Frame) -> str | None:
        """What a literal prints; None when it must be evaluated for each supporter."""
        if isinstance(node, nodes.TemplateData):
            return node.data
        try:
            literal = node.as_const(frame.eval_ctx)
        except Exception:  # noqa: BLE001 - Jinja's own rule: not constant, or fails where the fault can be placed
            return None
        return str(escape(literal) if frame.eval_ctx.autoescape else literal)

    def _path(self, node: nodes.Node) -> str:
        names: list[str] = []
        while isinstance(node, nodes.Getattr):
            names.append(node.attr)
            node = node.node
        if not isinstance(node, nodes.Name) or node.name in self.environment.survey.assigned:
            return ""
        return ".".join([node.name, *reversed(names)])

    # -------------------------------------------------------------------------------------- captures

    def buffer(self, frame: Frame) -> None:
        """Begin a capture."""
        frame.buffer = self.temporary_identifier()
        self.writeline(f"{frame.buffer} = _open()")

    def start_write(self, frame: Frame, node: nodes.Node | None = None) -> None:  # noqa: ARG002 - Jinja's signature
        """Note what a call printed, wherever it is printed to: order is all that the trace needs."""
        self.writeline("_print(", node)

    def end_write(self, frame: Frame) -> None:  # noqa: ARG002 - Jinja's signature
        """The end of ``start_write``."""
        self.write(")")

    def visit_Import(self, node: nodes.Import, frame: Frame) -> None:
        """What an imported file prints by itself is thrown away."""
        self._thrown_away(lambda: super(TraceGenerator, self).visit_Import(node, frame))

    def visit_FromImport(self, node: nodes.FromImport, frame: Frame) -> None:
        """What an imported file prints by itself is thrown away."""
        self._thrown_away(lambda: super(TraceGenerator, self).visit_FromImport(node, frame))

    def _thrown_away(self, visit: Any) -> None:
        position = self.temporary_identifier()
        self.writeline(f"{position} = environment.position()")
        visit()
        self.writeline(f"environment.go_back({position})")

    # -------------------------------------------------------------------------------------- lookups

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        """``x.name``, without the sandbox's detour where x is a plain dict that has it."""
        self._lookup(node, node.attr, frame, super().visit_Getattr)

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        """``x["name"]``, likewise."""
        key = node.arg.value if isinstance(node.arg, nodes.Const) else None
        self._lookup(node, key, frame, super().visit_Getitem)

    def _lookup(self, node: _Node, key: Any, frame: Frame, otherwise: Any) -> None:
        # Exact: such a key is no attribute of dict and none that the sandbox hides, so getattr() would end at x[key].
        if not _is_key(key) or not isinstance(node.node, nodes.Name | nodes.Getattr | nodes.Getitem):
            otherwise(node, frame)
            return
        thing = self.temporary_identifier()
        fallback = "getattr" if isinstance(node, nodes.Getattr) else "getitem"
        self.write(f"({thing}[{key!r}] if type({thing} := ")
        self.visit(node.node, frame)
        self.write(f") is dict and {key!r} in {thing} else environment.{fallback}({thing}, {key!r}))")


class FlatGenerator(TraceGenerator):
    """Compiles a letter's flat parts to one function: ``flat(supplied)`` writes the whole trace of one supporter.

    A field that is missing raises KeyError or TypeError there: the letter is then traced file by file, which says so.
    """

    def compiled(self, parts: Sequence[tuple[str, list[nodes.Node]]]) -> Drawn:
        """The function's code, from (template name, flat body) of each part.

        Raises:
            SyntaxError, RecursionError: it is nested deeper than Python reads.
        """
        bodies = [(name, cast(nodes.Template, pay(nodes.Template(body, lineno=1)))) for name, body in parts]
        self._hoist(tree for _, tree in bodies)
        self.writeline(f"from jinja2.runtime import {', '.join(sorted(exported))}")
        self.writeline("_run = environment.note_run; _values = environment.note_values")
        self.writeline("_print = environment.note_printed; undefined = environment.undefined")
        self.writeline("cond_expr_undefined = Undefined; concat = environment.concat")
        for _, tree in bodies:
            self.pull_dependencies(tree.body)
        self.writeline("def flat(supplied):", extra=1)
        self.indent()
        self.writeline(f"_run({self.environment.new_run(Run(pieces=(), paths=tuple(self.hoisted)))})")
        for root in self._picks:
            self.writeline(f"_values(picks[{root!r}](supplied[{root!r}]))")
        for number, (name, tree) in enumerate(bodies):
            frame = Frame(EvalContext(self.environment, name))
            frame.symbols.analyze_node(tree)
            frame.toplevel = frame.rootlevel = True
            self.writeline(f"context = contexts[{number}]")
            self.enter_frame(frame)
            self.blockvisit(tree.body, frame)
            self.writeline(f"_run({PART})")
        self.outdent()
        return Drawn(function=compile(cast(StringIO, self.stream).getvalue(), "<letter>", "exec"), picks=self._picks,
                     names=tuple(name for name, _ in parts), runs=tuple(self.environment.runs))

    def _hoist(self, trees: Any) -> None:
        """Find the fields that are printed whatever happens: each is looked up once, first."""
        found: dict[str, dict[str, None]] = {}
        todo = [node for tree in trees for node in tree.body]
        while todo:
            node = todo.pop(0)
            if isinstance(node, nodes.Scope):
                todo[:0] = node.body
            for child in node.nodes if isinstance(node, nodes.Output) else ():
                if (isinstance(child, nodes.Getattr) and isinstance(child.node, nodes.Name) and self._path(child)
                        and _is_key(child.attr) and child.node.name not in self.environment.globals):
                    found.setdefault(child.node.name, {})[child.attr] = None
        found = {root: keys for root, keys in found.items() if len(keys) > 1}  # itemgetter gives a tuple of two or more
        self._picks = {root: itemgetter(*keys) for root, keys in found.items()}
        self.hoisted = {f"{root}.{key}": number for number, (root, key) in enumerate(
            (root, key) for root, keys in found.items() for key in keys)}

    def enter_frame(self, frame: Frame) -> None:
        """Names come from the letter's constants, else from what is supplied."""
        loads = frame.symbols.loads
        for target, (action, name) in [*loads.items()]:
            if action == VAR_LOAD_RESOLVE:
                known = name in self.environment.globals
                self.writeline(f"{target} = environment.globals[{name!r}]" if known
                               else f"{target} = supplied.get({name!r}, missing)")
        frame.symbols.loads = {target: load for target, load in loads.items() if load[0] != VAR_LOAD_RESOLVE}
        super().enter_frame(frame)
        frame.symbols.loads = loads

    def _write_value(self, value: nodes.Expr, frame: Frame) -> None:
        if isinstance(value, nodes.Getattr) and isinstance(value.node, nodes.Name) and _is_key(value.attr):
            self.write(f"{frame.symbols.ref(value.node.name)}[{value.attr!r}]")
        else:
            super()._write_value(value, frame)


def flat_of(environment: TraceEnvironment, drawn: Drawn) -> Callable[[Mapping[str, Any]], None]:
    """The function that writes the trace of one supporter into an environment's notebook."""
    contexts = [Context(environment, dict(environment.globals), name, {}) for name in drawn.names]
    space: dict[str, Any] = {"environment": environment, "contexts": contexts, "picks": drawn.picks}
    exec(drawn.function, space)  # noqa: S102 - what Jinja does with its code
    return cast(Callable[[Mapping[str, Any]], None], space["flat"])


def _is_key(name: Any) -> bool:
    """Whether a dict can only give its item of that name: no attribute of dict, nothing that the sandbox hides."""
    return type(name) is str and name not in _DICT_ATTRIBUTES and not name.startswith("_")
