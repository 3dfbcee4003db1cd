"""From a shape and values to what leaves: one body, many bodies, or one body with tags for a provider to fill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TypeVar

from pillarbox.model.records import Shape
from pillarbox.shape import columns
from pillarbox.shape.escape import ESCAPE
from pillarbox.shape.tags import name_tags
from pillarbox.shape.tokens import Pieces, Slot, split

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """One supporter's finished message."""

    subject: str
    """One line."""
    html: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Tagged:
    """A batch as one body with tags, and what each tag stands for in each message.

    Filling the tags gives every message's :class:`Body`, in whatever order and letter case the provider seeks them and
    even if it looks again into what it has filled in: no tag can arise from a value or from a seam.
    """

    subject: str
    html: str
    text: str
    tags: tuple[tuple[str, Sequence[str]], ...]
    """(tag, its column: final escaped text, one for each row). No two columns are equal; none is constant, unless that
    was asked for."""


def body(shape: Shape, values: Sequence[str]) -> Body:
    """One message: the shape filled with one supporter's values (unescaped, in token-value order)."""
    parts = split(shape)
    return Body(subject=_filled(parts.subject, values), html=_filled(parts.html, values),
                text=_filled(parts.text, values))


def bodies(shape: Shape, rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, bytes, bytes]]:
    """Many messages of one shape, in the order of ``rows``: subject, HTML as UTF-8, text as UTF-8.

    Works by column, so hand over hundreds of rows at a time; only the bodies being read are held in memory.
    """
    if not rows:
        return iter(())
    parts, batch = split(shape), _Batch(rows)
    return zip(batch.texts(parts.subject), batch.utf8(parts.html), batch.utf8(parts.text), strict=True)


def tagged(shape: Shape, rows: Sequence[Sequence[str]], *, constants: bool = False) -> Tagged:
    """A batch for a provider that substitutes: what is the same in every row becomes part of the body, equal columns
    share a tag.

    Args:
        shape: the letter.
        rows: each message's values.
        constants: leave what is the same in every row to the provider, too.

    Raises:
        ValueError: there are no rows.
    """
    if not rows:
        raise ValueError("a batch needs at least one row")
    parts, batch = split(shape), _Batch(rows)
    folded = [batch.folded(part, constants=constants) for part in (parts.subject, parts.html, parts.text)]
    number: dict[tuple[str, ...], int] = {}
    for fold in folded:
        for column in fold.columns:
            number.setdefault(tuple(column), len(number))
    texts = [literal for fold in folded for literal in fold.literals]
    names = name_tags(len(number), [*texts, *(columns.SEPARATOR.join(column) for column in number)])
    subject, html, text = (_woven(fold.literals, [names[number[tuple(c)]] for c in fold.columns]) for fold in folded)
    return Tagged(subject=subject, html=html, text=text, tags=tuple(zip(names, number, strict=True)))


def _filled(pieces: Pieces, values: Sequence[str]) -> str:
    return _woven(pieces.literals, [ESCAPE[slot.place](values[slot.value]) for slot in pieces.slots])


def _woven(literals: Sequence[str], between: Sequence[str]) -> str:
    """``literals[0] between[0] literals[1] …``, in one join."""
    out = [""] * (len(literals) + len(between))
    out[::2] = literals
    out[1::2] = between
    return "".join(out)


def _side_by_side(literals: Sequence[Iterable[_T]], between: Sequence[Iterable[_T]]) -> Iterator[tuple[_T, ...]]:
    """For each message, its pieces in their order. The literals repeat for ever; the columns between them end it."""
    pieces: list[Iterable[_T]] = [literals[0]]
    for column, literal in zip(between, literals[1:], strict=True):
        pieces += (column, literal)
    return zip(*pieces, strict=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Folded:
    """One part of a batch, where only what differs between its rows is left as columns."""

    literals: list[str]
    columns: list[Sequence[str]]


class _Batch:
    """Rows of one shape, turned into columns; each column is escaped once for each place."""

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        self._count = len(rows)
        self._columns = list(zip(*rows, strict=True))
        self._escaped: dict[Slot, Sequence[str]] = {}

    def column(self, slot: Slot) -> Sequence[str]:
        """A slot's column, escaped for its place."""
        if (found := self._escaped.get(slot)) is None:
            found = self._escaped[slot] = columns.escaped(self._columns[slot.value], slot.place)
        return found

    def folded(self, pieces: Pieces, *, constants: bool = False) -> _Folded:
        """The pieces with constant columns drawn into the literals, unless these are to stay too."""
        fold = _Folded(literals=[pieces.literals[0]], columns=[])
        for slot, literal in zip(pieces.slots, pieces.literals[1:], strict=True):
            column = self.column(slot)
            if not constants and columns.constant(column):
                fold.literals[-1] += column[0] + literal
            else:
                fold.columns.append(column)
                fold.literals.append(literal)
        return fold

    def texts(self, pieces: Pieces) -> Iterator[str]:
        """A part of every message, as text."""
        fold = self.folded(pieces)
        if not fold.columns:
            return repeat(fold.literals[0], self._count)
        return map("".join, _side_by_side([repeat(literal) for literal in fold.literals], fold.columns))

    def utf8(self, pieces: Pieces) -> Iterator[bytes]:
        """A part of every message, as UTF-8."""
        fold = self.folded(pieces)
        if not fold.columns:
            return repeat(fold.literals[0].encode(), self._count)
        literals = [repeat(literal.encode()) for literal in fold.literals]
        ready = {id(column): columns.encoded(column) for column in fold.columns}
        return map(b"".join, _side_by_side(literals, [ready[id(column)] for column in fold.columns]))
