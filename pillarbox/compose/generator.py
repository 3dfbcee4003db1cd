"""Jinja's compiler, made to write code that traces what a template prints instead of printing it.

Each straight-line run of output becomes "note this run, note its values". What macros, blocks and set-blocks capture is
noted between a begin and an end; its text is a reference to that span, and printing it notes the reference. The trace
holds whole numbers only: a run's number, BEGIN, END, or ``SPAN - n`` for the span that begins at position n.

This leans on Jinja 3.1's CodeGenerator (docs/decisions/0002): the fuzz test guards upgrades.
"""
# ruff: noqa: N802 - Jinja's visitors are named for its nodes

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from jinja2 import nodes
from jinja2.compiler import Frame
from markupsafe import escape

from pillarbox.compose.environment import BoundedGenerator

if TYPE_CHECKING:
    from pillarbox.compose.trace import TraceEnvironment

BEGIN, END, PART, SPAN = -1, -2, -3, -4
_DICT_ATTRIBUTES = frozenset(dir(dict))
_Node = TypeVar("_Node", nodes.Getattr, nodes.Getitem)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Output without a branch in it."""

    pieces: tuple[str | int, ...]
    """Text, or which of the run's values is printed there."""
    paths: tuple[str, ...]
    """For each value: the path that it is read by (``supporter.first_name``) when it is the same all through the
    message; empty otherwise."""


class TraceGenerator(BoundedGenerator):
    """Compiles a template to its trace."""

    environment: TraceEnvironment

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
                self.writeline("_print(", child)
                self.visit(child, frame)
                self.write(")")
            elif (path := self._path(child)) and path in paths:
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
        self.writeline(f"_run({self.environment.new_run(Run(pieces=tuple(pieces), paths=tuple(paths)))})", node)
        if values:
            self.writeline("_values((")
            for value in values:
                self.newline(value)
                self.visit(value, frame)
                self.write(",")
            self.write("))")
        for used in (pieces, values, paths):
            used.clear()

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
        if type(key) is not str or key in _DICT_ATTRIBUTES or key.startswith("_") or not isinstance(
                node.node, nodes.Name | nodes.Getattr | nodes.Getitem):
            otherwise(node, frame)
            return
        thing = self.temporary_identifier()
        fallback = "getattr" if isinstance(node, nodes.Getattr) else "getitem"
        self.write(f"({thing}[{key!r}] if type({thing} := ")
        self.visit(node.node, frame)
        self.write(f") is dict and {key!r} in {thing} else environment.{fallback}({thing}, {key!r}))")
