"""What was drawn together of a letter, kept in the process: it is checked, planned and shown, and read each time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from threading import Lock
from types import CodeType
from typing import TYPE_CHECKING, Any

from pillarbox.model.records import Letter

if TYPE_CHECKING:
    from pillarbox.compose.generator import Run

# Of exactly these types two constants that are written alike print alike.
_SIMPLE: frozenset[type] = frozenset({str, int, float, bool, type(None), Decimal, date, datetime})
_MOST = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A letter's flat parts, compiled: all that a trace needs of it, and nothing of any supporter."""

    function: CodeType
    """Defines ``flat(supplied)``; see FlatGenerator."""
    picks: Mapping[str, Callable[[Any], Any]]
    """Name that is read → the fields of it that are printed whatever happens."""
    names: tuple[str, ...]
    """The parts' templates, in order."""
    runs: tuple[Run, ...]
    """By number."""


_kept: OrderedDict[Hashable, Drawn] = OrderedDict()
_lock = Lock()


def remembered(letter: Letter) -> Drawn | None:
    """What was kept of exactly this letter."""
    with _lock:
        return _kept.get(_identity(letter))


def remember(letter: Letter, drawn: Drawn) -> None:
    """Keep it for the next who traces this letter; the oldest goes first."""
    if (identity := _identity(letter)) is None:
        return
    with _lock:
        _kept[identity] = drawn
        while len(_kept) > _MOST:
            _kept.popitem(last=False)


def _identity(letter: Letter) -> Hashable:
    """All that its code follows from; None for one that holds what cannot be told apart."""
    try:
        return (letter.subject, letter.html, letter.text, tuple(sorted(letter.templates.items())),
                _told(letter.constants))
    except TypeError:
        return None


def _told(value: Any) -> Hashable:
    kind = type(value)
    if kind in _SIMPLE:
        return kind, repr(value)  # 1 and True are equal, as are 1.5 and 1.50: they print otherwise
    if isinstance(value, Mapping):
        return kind, tuple((_told(name), _told(item)) for name, item in value.items())
    if kind in (list, tuple):
        return kind, tuple(map(_told, value))
    raise TypeError(kind)
