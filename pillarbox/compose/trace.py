"""A letter as traces: which runs of it were printed, with which values; and a trace decoded to masked text."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import Any

from jinja2 import Template, Undefined, nodes
from jinja2.runtime import Context

from pillarbox.compose import drawing
from pillarbox.compose.bounds import MAX_OUTPUT
from pillarbox.compose.drawn import Drawn, remember, remembered
from pillarbox.compose.environment import SUBJECT, LetterEnvironment, plain_environment
from pillarbox.compose.finish import SlowPath
from pillarbox.compose.fold import Fold, modules_of
from pillarbox.compose.generator import BEGIN, END, PART, SPAN, Run, TraceGenerator, flat_of
from pillarbox.compose.survey import Survey, reachable, survey
from pillarbox.compose.syntax import named_by
from pillarbox.model.records import Letter

Key = tuple[int, ...]
"""What a message's shape follows from: the numbers of its runs, in the order of printing."""

# What prints the same now and later, and holds no markup. Anything else takes the slow path.
_PLAIN: frozenset[type] = frozenset({str, int, float, bool, type(None), Decimal, date, Undefined})
_are_plain = _PLAIN.issuperset
_MAX_MARKS = 99_999
_MAX_COPIED = 1_000_000
"""Pieces of captured text that one letter prints: a block that prints itself twice, forty deep, has a billion."""


class TraceEnvironment(LetterEnvironment):
    """Compiles a letter's templates to traces and keeps the notebook that they write in.

    Raises:
        TemplateSyntaxError: a template cannot be read.
        SlowPath: a template does what a trace cannot follow.
    """

    code_generator_class = TraceGenerator

    def __init__(self, letter: Letter) -> None:
        super().__init__(letter)
        self._plain = plain_environment(letter)
        self._files = letter.files
        self._key: list[int] = []
        self._values: list[Any] = []
        self._spans: dict[str, int] = {}
        # Nobody can put a reference into a value: it holds what is made up here and never leaves.
        self._secret = secrets.token_hex(8)
        self.printing: set[str | None] = set()
        """Templates that print values."""
        self.runs = [Run(pieces=(0,), paths=("",))]
        """By number; the first prints one value, whatever it is."""
        self.note_run = self._key.append
        self.note_values = self._values.extend
        self._letter = letter
        drawn = remembered(letter)
        if drawn is None and (drawn := self._drawn()) is not None:
            remember(letter, drawn)
        if drawn is not None:
            self.runs = list(drawn.runs)
        self._flat = flat_of(self, drawn) if drawn is not None else None
        if self._flat is None:
            self._parts  # noqa: B018 - what cannot be traced file by file either is told now

    @property
    def is_flat(self) -> bool:
        """Whether layout, includes and macros were drawn into one template: the fast way."""
        return self._flat is not None

    # A letter that was drawn together, and complete, never needs these.

    @cached_property
    def _sources(self) -> Mapping[str, str]:
        return {**self._letter.templates, SUBJECT: self._letter.subject}

    @cached_property
    def _trees(self) -> Mapping[str, nodes.Template]:
        return reachable(self._sources, self._names)

    @cached_property
    def survey(self) -> Survey:
        """What the templates assign and capture."""
        return survey(self._trees.values())

    @cached_property
    def _joined(self) -> frozenset[str]:
        """Templates that use others."""
        return frozenset(name for name, tree in self._trees.items() if named_by(tree))

    @property
    def _names(self) -> tuple[str, str, str]:
        return self._letter.html, self._letter.text, SUBJECT

    @cached_property
    def _parts(self) -> list[tuple[Any, ...]]:
        """HTML, text and subject, each file by file."""
        for name in self._trees:
            self.get_template(name)
        parts = [self.get_template(name) for name in self._names]
        return [(part.root_render_func, part.name, part.blocks, part.globals) for part in parts]

    def _drawn(self) -> Drawn | None:
        """The letter drawn together; None where that could change it.

        Raises:
            SlowPath: a template of it does what no trace can follow.
        """
        for name in self._trees:
            self.fold(name, self._parse(self._sources[name], name, None))
        return drawing.draw(self, self._plain, self._sources, self._names)

    def fold(self, name: str, tree: nodes.Template) -> nodes.Template:
        """The template with its constant parts as text; see Fold.

        Raises:
            SlowPath: the rest of it uses what it printed as data.
        """
        modules = modules_of(tree, self._trees)
        folded: nodes.Template = Fold(self._plain, name, self.survey.assigned, modules).visit(tree)
        self.survey.refuse(folded, self._files.get(name, name))
        return folded

    def get_template(self, name: str | Template, parent: str | None = None, globals: Any = None) -> Template:  # noqa: A002
        """A template by name; a style sheet that prints constants alone may stand in HTML.

        Raises:
            SlowPath: HTML uses a file of plain text, or the reverse: a mark does not tell whether its value was
                escaped, so its part must.
        """
        template = super().get_template(name, parent, globals)
        if parent is not None and str(name).endswith(".html") != parent.endswith(".html") and (
                template.name in self.printing or template.name in self._joined):
            raise SlowPath(f"{self._files.get(str(name), name)} is used in {self._files.get(parent, parent)}: of HTML "
                           "and plain text, one cannot use the other's files.")
        return template

    # -------------------------------------------------------------------------------------- what traces call

    def new_run(self, run: Run) -> int:
        """A run's number."""
        self.runs.append(run)
        return len(self.runs) - 1

    def open_span(self) -> int:
        """Begin a capture; its position."""
        self._key.append(BEGIN)
        return len(self._key) - 1

    # A trace needs the notebook, so this is a method here.
    def concat(self, captured: Any) -> str:  # type: ignore[override]  # Jinja keeps its own as an attribute
        """End a capture, and give the reference that stands for its text."""
        if type(captured) is not int:
            pieces, captured = captured, self.open_span()
            for _ in pieces:  # a block's generator: it notes what it prints
                pass
        self._key.append(END)
        reference = f"\ufdd0{self._secret}{captured}\ufdd1"
        self._spans[reference] = captured
        return reference

    def note_printed(self, value: Any) -> None:
        """Note what a call gave: a captured span, or a value."""
        if isinstance(value, str) and (span := self._spans.get(value)) is not None:
            self._key.append(SPAN - span)
        else:
            self._key.append(0)
            self._values.append(value)

    def position(self) -> tuple[int, int]:
        """How far the notebook is written."""
        return len(self._key), len(self._values)

    def go_back(self, position: tuple[int, int]) -> None:
        """Strike out what was noted since ``position``."""
        del self._key[position[0]:], self._values[position[1]:]

    # -------------------------------------------------------------------------------------- one message

    def trace(self, context: Mapping[str, Any]) -> tuple[Key, tuple[str, ...]]:
        """The trace of one supporter's letter: HTML, text, then subject.

        Raises:
            SlowPath: something was printed that only the plain way can print.
            Exception: what the plain way raises too: see there for file and line.
        """
        key, values = self._key, self._values
        key.clear()
        values.clear()
        if self._flat is not None:
            self.budget.renew()
            try:
                self._flat(context)
                return tuple(key), printed(values)
            except Exception:  # noqa: BLE001 - a field is missing, or worse: file by file, it is told where
                key.clear()
                values.clear()
        self._spans.clear()
        parent = {**context, **self.globals}
        for root, name, blocks, known in self._parts:
            self.budget.renew()
            for _ in root(Context(self, parent, name, blocks, known)):
                pass
            key.append(PART)
        return tuple(key), printed(values)


def printed(values: Sequence[Any]) -> tuple[str, ...]:
    """The text of each value, as Jinja prints it before escaping.

    Raises:
        SlowPath: one is HTML already, or a list or object.
        UndefinedError: one is undefined.
    """
    kinds = set(map(type, values))
    if kinds == {str} or not kinds:
        return tuple(values)
    if not _are_plain(kinds):
        for value in values:
            if isinstance(value, Undefined):
                str(value)
            elif hasattr(value, "__html__"):
                raise SlowPath("The letter prints HTML that it made from a value (|safe, |e, |urlize, |tojson …).")
        if not all(issubclass(kind, tuple(_PLAIN)) for kind in kinds):
            raise SlowPath("The letter prints a whole list or object.")
    return tuple(map(str, values))


@dataclass(frozen=True, kw_only=True, slots=True)
class Masked:
    """A trace, decoded: the letter with marks, and which of the trace's values are kept."""

    subject: str
    html: str
    text: str
    marks: Mapping[str, int]
    """Mark → index into the kept values."""
    pick: Callable[[Sequence[str]], tuple[str, ...]]
    """The kept values of a trace's values."""


def decode(runs: Sequence[Run], key: Key) -> Masked:
    """Read a trace back into a letter with a mark for every value.

    Raises:
        SlowPath: the letter prints more values than there are marks, or is longer than any letter.
    """
    parts, paths = _pieces(runs, key)
    if sum(len(piece) for part in parts for piece in part if isinstance(piece, str)) > MAX_OUTPUT:
        raise SlowPath("The letter is very long.")
    first: dict[str, int] = {}
    canonical = [first.setdefault(path, position) if path else position for position, path in enumerate(paths)]
    order: dict[int, int] = {}
    for piece in (piece for part in parts for piece in part):
        if isinstance(piece, int):
            order.setdefault(canonical[piece], len(order))
    if len(order) > _MAX_MARKS:
        raise SlowPath("The letter prints more values than it can have marks.")
    prefix = free_prefix([piece for part in parts for piece in part if isinstance(piece, str)])
    marks = [f"{prefix}{index:05d}x" for index in range(len(order))]
    html, text, subject = (
        "".join(piece if isinstance(piece, str) else marks[order[canonical[piece]]] for piece in part)
        for part in parts)
    return Masked(subject=subject, html=html, text=text, marks={mark: index for index, mark in enumerate(marks)},
                  pick=_picker(tuple(order)))


def _pieces(runs: Sequence[Run], key: Key) -> tuple[list[list[str | int]], list[str]]:
    """Each part as text and positions of values, captured spans in the places where they are printed."""
    spans: dict[int, list[str | int]] = {}
    paths: list[str] = []
    parts: list[list[str | int]] = []
    current: list[str | int] = []
    outer: list[list[str | int]] = []
    copied = 0
    for position, number in enumerate(key):
        if number == BEGIN:
            outer.append(current)
            current = spans[position] = []
        elif number == END:
            current = outer.pop()
        elif number == PART:
            parts.append(current)
            current = []
        elif number <= SPAN:
            span = spans[SPAN - number]
            copied += len(span) + 1
            if copied > _MAX_COPIED:
                raise SlowPath("The letter prints what it captured over and over.")
            current += span
        else:
            run = runs[number]
            current += [piece if isinstance(piece, str) else ~piece if piece < 0 else piece + len(paths)
                        for piece in run.pieces]
            paths += run.paths
    return parts, paths


def free_prefix(texts: Iterable[str]) -> str:
    """The beginning of the letter's marks: three characters that its own text holds in no letter case."""
    body = "\n".join(texts).casefold()
    return next(prefix for prefix in _prefixes() if prefix not in body)


def _prefixes() -> Iterator[str]:
    # A mark ends in x: no prefix may begin with one that digits could follow, so a letter stands third.
    for digit in "7319246805":
        for letter in "fgkqvwyzbcdhjlmnprst":
            yield f"x{digit}{letter}"
    raise SlowPath("The letter's own text holds every beginning that marks could have.")


def _picker(positions: tuple[int, ...]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda values: tuple(values[position] for position in positions)
