"""Bounds on what one template may do: turns of loops, calls, and the size of anything it makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from types import GeneratorType
from typing import Any

from jinja2.exceptions import TemplateRuntimeError

MAX_STEPS = 5_000
"""Turns of loops, calls and includes in one part of one message. A letter with more is a mistake or an attack."""
MAX_TEXT = 200_000
"""Characters of one text that a template makes. Large mail programs cut a letter off near 100 KB (Gmail, 2026)."""
MAX_OUTPUT = 2_000_000
"""Characters of one rendered part."""
MAX_ITEMS = 5_000
"""Items, at any depth, of one list or mapping that a template makes; its texts together have MAX_OUTPUT characters."""
MAX_BITS = 4_096
"""Size of one whole number that a template makes."""
_WORK = 1_024
"""Characters read or made that count as one step: long texts worked on over and over end as well."""
_WORKED_ITEMS = 64
"""Items read or made that count as one step."""

_PADDING = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs", "indent", "batch", "slice", "tojson", "round",
                      "wordwrap"})
_GROWING = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs", "replace", "join", "format", "format_map"})
_WIDTH = re.compile(r"\d{5,}|\{[^{}]*\{|%[^a-zA-Z%]*\*")
_WRAPPED = 400_000_000
"""Characters squared, by column: wrapping one endless word takes time with the square of its length."""
_NUMBERS = re.compile(r"\d+")
BYTES_AND_TABLES = frozenset({"encode", "decode", "to_bytes", "from_bytes", "fromhex", "hex", "translate", "maketrans"})
"""Methods of texts and numbers that no letter needs, and that could make something huge past every bound here."""


class OverBudget(TemplateRuntimeError):
    """A template wants more turns, text or items than a letter may need."""


class Budget:
    """What is left of one part's allowance. One budget serves one part of one message at a time."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps = MAX_STEPS

    def renew(self) -> None:
        """Begin another part."""
        self.steps = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Use up steps.

        Raises:
            OverBudget: none are left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise OverBudget(f"The letter loops too long: more than {MAX_STEPS:,} turns for one supporter.")

    def turns(self, items: Any) -> Any:
        """The items of a loop, paid for: at once when they can be counted, one by one when they cannot."""
        if isinstance(items, list | tuple | dict | str | range):
            self.spend(len(items))
            return items
        return self._one_by_one(items)

    def _one_by_one(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self.spend(1)
            yield item

    def sized(self, value: Any) -> Any:
        """The value itself, when it is not too large.

        Raises:
            OverBudget: it is.
        """
        if isinstance(value, str):
            if len(value) > _WORK:
                if len(value) > MAX_TEXT:
                    raise _too_long()
                self.spend(len(value) // _WORK)
        elif isinstance(value, int):
            if value.bit_length() > MAX_BITS:
                raise _too_long()
        elif isinstance(value, list | tuple | dict | set):
            items, characters = _measured(value)
            self.spend(1 + items // _WORKED_ITEMS + characters // _WORK)
        return value

    def read(self, values: Iterable[Any]) -> None:
        """Pay for a filter's work on what it is given."""
        steps = 1
        for value in values:
            if isinstance(value, str):
                steps += len(value) // _WORK
            elif isinstance(value, list | tuple | dict | set | range):
                steps += len(value) // _WORKED_ITEMS
        self.spend(steps)

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter whose arguments cannot ask for more than the bounds, and whose result is within them."""
        name = function.__name__.removeprefix("do_")
        skip = 1 if hasattr(function, "jinja_pass_arg") else 0

        @wraps(function)
        def within(*args: Any, **kwargs: Any) -> Any:
            self.read(args[skip:])
            if len(args) > skip + 1 or kwargs or name == "wordwrap":
                arguments_are_modest(name, args[skip:], kwargs)
            made = function(*args, **kwargs)
            return self._one_by_one(made) if isinstance(made, GeneratorType | reversed) else self.sized(made)

        return within

    def called(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Pay for a call, and see that a method of a text is not asked for a huge one."""
        self.spend(1)
        method = getattr(function, "__wrapped__", function)
        text = getattr(method, "__self__", None)
        if isinstance(text, str) and method.__name__ in _GROWING:
            arguments_are_modest(method.__name__, (text, *args), kwargs)


def arguments_are_modest(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """See that a growing operation cannot outgrow the bounds.

    Raises:
        OverBudget: its arguments ask for more than MAX_TEXT characters or MAX_ITEMS items.
    """
    values = (*args, *kwargs.values())
    texts = [value for value in values if isinstance(value, str)]
    if name in _PADDING:
        numbers = [value for value in values[1:] if isinstance(value, int)]
        if any(abs(number) > MAX_ITEMS for number in numbers):
            raise _too_long()
        lines = texts[0].count("\n") + texts[0].count("\t") + 1 if texts else 1
        if lines * max([*map(abs, numbers), *map(len, texts[1:]), 0]) > MAX_TEXT:
            raise _too_long()
        if name == "wordwrap" and texts and len(texts[0]) ** 2 > _WRAPPED * max([1, *numbers]):
            raise _too_long()
    elif name == "replace" and len(texts) > 1:
        if (len(texts[0]) + 1) * max(map(len, texts[1:])) > 16 * MAX_TEXT:
            raise _too_long()
    elif name == "join":
        if max(map(len, texts), default=0) > MAX_TEXT // 100 or any(_total(value) > MAX_TEXT for value in values):
            raise _too_long()
    elif name in ("format", "format_map", "%") and texts:
        _format_is_modest(texts[0], values[1:])


def _format_is_modest(form: str, values: Iterable[Any]) -> None:
    """See that no width is huge, and that many fields do not print much each."""
    if _WIDTH.search(form):
        raise _too_long()
    widest = max([_total(value) for value in values] + [int(number) for number in _NUMBERS.findall(form)], default=0)
    if (form.count("{") + form.count("%")) * widest > 16 * MAX_TEXT:
        raise _too_long()


def operator_is_modest(operator: str, left: Any, right: Any) -> None:
    """See that ``*``, ``**`` and ``%`` cannot make something huge.

    Raises:
        OverBudget: they would.
    """
    if operator == "*":
        for thing, times in ((left, right), (right, left)):
            if isinstance(thing, str | list | tuple) and isinstance(times, int) and len(thing) * times > MAX_ITEMS * 4:
                raise _too_long()
    elif operator == "**":
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > MAX_BITS:
            raise _too_long()
    elif operator == "%" and isinstance(left, str):
        arguments_are_modest("%", (left, right), {})


def bounded_range(*args: int) -> range:
    """A range of no more than MAX_ITEMS numbers."""
    numbers = range(*args)
    if numbers and abs(numbers[-1] - numbers[0]) // abs(numbers.step) >= MAX_ITEMS:
        raise OverBudget(f"The letter counts too far: a range may have {MAX_ITEMS:,} numbers.")
    return numbers


def _measured(value: Any) -> tuple[int, int]:
    """Items at any depth, and the characters of their texts: as much as printing the whole would give."""
    items, characters, todo = 0, 0, [value]
    while todo:
        inner = todo.pop()
        if isinstance(inner, dict):
            characters += sum(len(key) for key in inner if isinstance(key, str))
            inner = inner.values()
        for item in inner:
            items += 1
            if isinstance(item, str):
                characters += len(item)
            elif isinstance(item, list | tuple | dict | set):
                todo.append(item)
            if items > MAX_ITEMS or characters > MAX_OUTPUT:
                raise OverBudget(f"The letter makes a list of more than {MAX_ITEMS:,} items, or of very long ones.")
    return items, characters


def _total(value: Any) -> int:
    """Characters of a text, or of all the texts that a list holds."""
    if isinstance(value, str):
        return len(value)
    return _measured(value)[1] if isinstance(value, list | tuple | dict | set) else 0


def _too_long() -> OverBudget:
    return OverBudget(f"The letter makes something far too large (a text may have {MAX_TEXT:,} characters).")
