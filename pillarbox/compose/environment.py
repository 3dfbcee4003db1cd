"""The Jinja environment of a letter: sandboxed, strict about undefined names, bounded, with our few filters."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from datetime import date
from typing import Any, cast

from jinja2 import DictLoader, StrictUndefined, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import TemplateNotFound, TemplateRuntimeError, TemplatesNotFound
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing
from jinja2.visitor import NodeTransformer

from pillarbox.compose.bounds import (
    BYTES_AND_TABLES,
    MAX_OUTPUT,
    Budget,
    OverBudget,
    bounded_range,
    operator_is_modest,
)
from pillarbox.compose.syntax import copied, tree_of
from pillarbox.ground.compiled import Compiled
from pillarbox.ground.money import Money
from pillarbox.model.records import Letter

SUBJECT = "subject"
"""Name of the template that holds the subject line."""

_MONTHS = ("January", "February", "March", "April", "May", "June", "July",
           "August", "September", "October", "November", "December")


def ordinal(number: int) -> str:
    """1 → "1st", 76 → "76th"."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise TemplateRuntimeError("ordinal needs a whole number.")
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def long_date(day: date) -> str:
    """A day as letters write it in Britain: "10 December 2024"; of a time, its day."""
    if not isinstance(day, date):
        raise TemplateRuntimeError("long_date needs a date.")
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def money(pence: int) -> str:
    """Whole pence as pounds: 125050 → "£1,250.50"."""
    if isinstance(pence, bool) or not isinstance(pence, int):
        raise TemplateRuntimeError("money needs a whole number of pence.")
    return str(Money(minor=pence))


class Missing(StrictUndefined):
    """Something that the template asks for and that is not there: using it in any way is a fault that names it.

    But for a supporter's field: an empty cell of a list makes none, so that a letter may ask whether there is one
    (``{% if supporter.town %}``, ``supporter.town or "your town"``). Printed, it is a fault like the others.
    """

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]  # StrictUndefined's never returns
        return False if self._of_a_supporter() else super().__bool__()

    def _of_a_supporter(self) -> bool:
        return isinstance(self._undefined_obj, Mapping) and "salutation" in self._undefined_obj

    @property
    def _undefined_message(self) -> str:
        name = self._undefined_name
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is missing:
            return f"“{name}” is not known in this letter: see the spelling, or give it a value."
        if not self._of_a_supporter():
            return f"“{name}” is missing here: see the spelling."
        return (f"“{name}” is missing: this supporter has no such field. Where some lack it, write "
                f"{{{{ supporter.{name} or 'something that fits everybody' }}}}, or put the words round it between "
                f"{{% if supporter.{name} %}} and {{% endif %}}.")


class _Namespace(Namespace):
    """Jinja's ``namespace()``; printed whole it shows nothing of what it holds, which could be huge."""

    def __repr__(self) -> str:
        return "<Namespace>"


class _Pay(NodeTransformer):
    """Sees that loops and everything that grows go through the budget."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's names
        self.generic_visit(node)
        node.iter = _through("turns", cast(nodes.Expr, node.iter))
        return node

    def _sized(self, node: nodes.Expr) -> nodes.Node:
        self.generic_visit(node)
        return node if getattr(node, "ctx", "load") != "load" else _through("sized", node)

    visit_Concat = visit_List = visit_Tuple = visit_Dict = _sized  # noqa: N815 - Jinja's visitor names them


def _through(name: str, node: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno, environment=node.environment)


def pay(tree: nodes.Node) -> nodes.Node:
    """The tree with the budget in every loop and in whatever grows."""
    paid: nodes.Node = _Pay().visit(tree)
    return paid


class BoundedGenerator(CodeGenerator):
    """Jinja's compiler, with the budget in every loop."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        super().visit_Template(cast(nodes.Template, pay(node)), frame)


# What ``BoundedGenerator`` writes hangs on a template's name and text alone: constants are read when it runs. Letters
# share layouts, and each is looked at many times.
_compiled = Compiled()


class LetterEnvironment(ImmutableSandboxedEnvironment):
    """One letter's templates. Constants are globals: a supporter's data never hides them."""

    code_generator_class = BoundedGenerator
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, letter: Letter) -> None:
        super().__init__(
            loader=DictLoader({**letter.templates, SUBJECT: letter.subject}), undefined=Missing,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            auto_reload=False, cache_size=-1, keep_trailing_newline=False,
            bytecode_cache=_compiled if type(self) is LetterEnvironment else None)
        self.budget = Budget()
        self.folded: dict[tuple[bool, str, str], str | None] = {}
        """What constant parts of templates print here (``fold.Fold``)."""
        for unwanted in ("random", "pprint"):
            del self.filters[unwanted]
        del self.globals["lipsum"]
        self.filters = {name: self.budget.guarded(function) for name, function in self.filters.items()}
        self.filters |= {"ordinal": ordinal, "long_date": long_date, "money": money,
                         "turns": self.budget.turns, "sized": self.budget.sized}
        self.globals |= {"range": bounded_range, "namespace": _Namespace, **letter.constants}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:  # noqa: ARG002 - Jinja's
        return cast(nodes.Template, copied(tree_of(source, name), self))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """What Jinja's sandbox allows, but for methods that make bytes and tables."""
        return super().is_safe_attribute(obj, attr, value) and not (
            attr in BYTES_AND_TABLES and isinstance(obj, str | bytes | int | float | type))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002 - Jinja's
        """Do ``+ * ** %`` within the bounds."""
        operator_is_modest(operator, left, right)
        return self.budget.sized(self.binop_table[operator](left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call from a template, paid for."""
        __self.budget.called(__obj, args, kwargs)
        if type(__obj) is LoopContext and args:
            args = (__self.budget.turns(args[0]), *args[1:])
        return __self.budget.sized(super().call(__context, __obj, *args, **kwargs))

    def get_template(self, name: str | Template, parent: str | None = None,
                     globals: Any = None) -> Template:  # noqa: A002 - Jinja's name
        """A template by name; each include is paid for."""
        self.budget.spend(1)
        return super().get_template(name, parent, globals)

    def select_template(self, names: Iterable[str | Template], parent: str | None = None,
                        globals: Any = None) -> Template:  # noqa: A002 - Jinja's name
        """The first template of several that is there."""
        wanted = list(names)
        for name in wanted:
            try:
                return self.get_template(name, parent, globals)
            except TemplateNotFound:
                continue
        raise TemplatesNotFound([str(name) for name in wanted])

    @staticmethod
    def concat(pieces: Iterable[str]) -> str:
        """Join what was printed inside a macro or block, within the bounds."""
        return _joined(pieces)

    def rendered(self, name: str, context: Mapping[str, Any]) -> str:
        """One part, plainly rendered for one supporter.

        Raises:
            TemplateError and what filters raise: with the template's frames in the traceback.
        """
        self.budget.renew()
        template = self.get_template(name)
        return _joined(template.root_render_func(template.new_context({**context, **self.globals}, shared=True)))


def _joined(pieces: Iterable[str]) -> str:
    found, size = [], 0
    for piece in pieces:
        found.append(piece)
        size += len(piece)
        if size > MAX_OUTPUT:
            fault = OverBudget(f"The letter prints more than {MAX_OUTPUT:,} characters.")
            if isinstance(pieces, Generator):
                pieces.throw(fault)  # raised in the template, so that its traceback tells the line
            raise fault
    return "".join(found)


def plain_environment(letter: Letter) -> LetterEnvironment:
    """The environment that renders a letter the plain way, one supporter at a time."""
    return LetterEnvironment(letter)
