"""Splits a shape at its tokens, once: literals, and the slots between them."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from pillarbox.model.records import Place, Shape, Token

# Few shapes serve a whole list; a split one weighs about as much as its letter (tens of KB).
_KEPT = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """Where a value goes between two literals, and how it is escaped there."""

    value: int
    """Index into the message's values."""
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Pieces:
    """One part of a letter, cut at its tokens: ``literals[0] slots[0] literals[1] … literals[-1]``."""

    literals: tuple[str, ...]
    """Always one more than the slots; may be empty strings."""
    slots: tuple[Slot, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """A shape, cut."""

    subject: Pieces
    html: Pieces
    text: Pieces


def cut(part: str, tokens: Sequence[Token]) -> Pieces:
    """Cut one part at the marks of ``tokens``. What merely looks like a mark stays in its literal."""
    if not tokens:
        return Pieces(literals=(part,), slots=())
    slots = {token.mark: Slot(value=token.value, place=token.place) for token in tokens}
    marks = "|".join(re.escape(mark) for mark in sorted(slots, key=len, reverse=True))
    bits = re.split(f"({marks})", part)
    return Pieces(literals=tuple(bits[::2]), slots=tuple(slots[mark] for mark in bits[1::2]))


class _Kept:
    """The shapes split last, by id. An id is believed only when the whole shape is the same."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, tuple[Shape, Split]] = OrderedDict()
        self._lock = Lock()

    def get(self, shape: Shape) -> Split | None:
        with self._lock:
            kept = self._found.get(shape.id)
        if kept is None or not (kept[0] is shape or kept[0] == shape):
            return None
        return kept[1]

    def put(self, shape: Shape, split_: Split) -> None:
        with self._lock:
            self._found[shape.id] = (shape, split_)
            self._found.move_to_end(shape.id)
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)


_kept = _Kept()


def split(shape: Shape) -> Split:
    """The shape cut at its tokens; kept for the next call, unless it is private (one person's words are not kept)."""
    if (known := _kept.get(shape)) is not None:
        return known
    subject = [t for t in shape.tokens if t.place is Place.SUBJECT]
    text = [t for t in shape.tokens if t.place is Place.PLAIN]
    html = [t for t in shape.tokens if t.place not in (Place.SUBJECT, Place.PLAIN)]
    made = Split(subject=cut(shape.subject, subject), html=cut(shape.html, html), text=cut(shape.text, text))
    if not shape.private:
        _kept.put(shape, made)
    return made
