"""A letter's CSS for the other direction of writing: left becomes right, wherever CSS names a side.

Email has no logical properties (``padding-inline-start`` works in few programs; caniemail.com, data of 2026-06-29), so
stylesheets name sides, written for a letter from left to right. They are turned before anything is rendered; Jinja's
tags in them stay as they are, and every line stays on its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from pillarbox.compose.stylesheet import parts_of, statements

TURNED = "turned"
"""Class of a block that is written the other way than its letter."""

_HIDDEN = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|/\*.*?\*/|\"[^\"]*\"|'[^']*'", re.DOTALL)
_SHOWN = re.compile("\ue000(\\d+)\ue001")
_DECLARATION = re.compile(r"(?P<before>(?:^|[{;])\s*(?:\ue000\d+\ue001\s*)*)(?P<name>-?[a-zA-Z][a-zA-Z-]*)"
                          r"(?P<colon>\s*:\s*)(?P<value>[^;{}]*?)(?=\s*(?:[;}]|\Z))")
_SIDE = re.compile(r"\b(left|right)\b")
_NAMES_A_SIDE = re.compile(r"(?:margin|padding|border|scroll-margin|scroll-padding)\b.*\b(?:left|right)\b.*|left|right")
_KEYWORDS = frozenset(("text-align", "float", "clear", "background-position", "object-position", "transform-origin"))
_FOUR_SIDES = frozenset(("margin", "padding", "border-width", "border-style", "border-color", "inset"))
_WORD = re.compile(r"(?:\([^()]*\)|[^\s()])+")
_STYLE = re.compile(r"(\bstyle\s*=\s*)(\"|')(.*?)\2", re.DOTALL | re.IGNORECASE)
_SHEET = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.DOTALL | re.IGNORECASE)
_ALIGN = re.compile(r"(\balign\s*=\s*[\"']?)(left|right)\b", re.IGNORECASE)


def sheet(css: str) -> str:
    """A stylesheet, or the value of a ``style``, mirrored."""
    hidden, masked = _masked(css)
    return _unmasked(_DECLARATION.sub(_mirrored, masked), hidden)


def markup(html: str) -> str:
    """A template's HTML with its styles and ``align`` attributes mirrored."""
    html = _SHEET.sub(lambda found: found[1] + sheet(found[2]) + found[3], html)
    html = _STYLE.sub(lambda found: f"{found[1]}{found[2]}{sheet(found[3])}{found[2]}", html)
    return _ALIGN.sub(lambda found: found[1] + _other(found[2]), html)


def turned(css: str) -> str:
    """Rules to add to a stylesheet, on one line, so that a block of class ``TURNED`` is its mirror image."""
    hidden, masked = _masked(css)
    return _unmasked(" ".join(_turned_rules(masked, hidden)), hidden)


def _mirrored(found: re.Match[str]) -> str:
    name, value = _declaration(found["name"], found["value"])
    return found["before"] + name + found["colon"] + value


def _declaration(name: str, value: str) -> tuple[str, str]:
    known = name.lower()
    if _NAMES_A_SIDE.fullmatch(known):
        return _SIDE.sub(lambda side: _other(side[0]), name), value
    if known in _KEYWORDS:
        return name, _SIDE.sub(lambda side: _other(side[0]), value)
    if known in _FOUR_SIDES:
        return name, _moved(value, lambda four: (four[0], four[3], four[2], four[1]))
    if known == "border-radius" and "/" not in value:
        return name, _moved(value, lambda four: (four[1], four[0], four[3], four[2]))
    return name, value


def _moved(value: str, order: Callable[[Sequence[str]], Sequence[str]]) -> str:
    """A value of four words in another order; any other number is the same on both sides."""
    words = list(_WORD.finditer(value))
    important = bool(words) and words[-1][0].startswith("!")
    four = words[:-1] if important else words
    if len(four) != 4:
        return value
    out, position = [], 0
    for word, instead in zip(four, order([word[0] for word in four]), strict=True):
        out += [value[position : word.start()], instead]
        position = word.end()
    return "".join(out) + value[position:]


def _other(side: str) -> str:
    return {"left": "right", "right": "left"}[side.lower()]


def _turned_rules(css: str, hidden: Sequence[str]) -> Iterator[str]:
    for prelude, block in statements(css):
        prelude = _without_notes(prelude, hidden)
        if block is None:
            continue
        if prelude.startswith("@media"):
            if inner := " ".join(_turned_rules(block, hidden)):
                yield f"{prelude} {{ {inner} }}"
        elif prelude and not prelude.startswith("@") and (changes := list(_changes(_without_notes(block, hidden)))):
            yield f"{', '.join(_within(each) for each in parts_of(prelude, ','))} {{ {'; '.join(changes)}; }}"


def _changes(block: str) -> Iterator[str]:
    """What a mirrored rule says that the rule does not; a side that only the rule itself names is taken back."""
    pairs = [(name.strip(), value.strip()) for name, _, value in (each.partition(":") for each in parts_of(block, ";"))]
    mirrored = [_declaration(name, value) for name, value in pairs]
    for name, value in mirrored:
        if (name, value) not in pairs:
            yield f"{name}: {value}"
    for name, value in pairs:
        if _NAMES_A_SIDE.fullmatch(name) and name not in dict(mirrored):
            zero = "auto" if name in ("left", "right") else "0"
            yield f"{name}: {zero}{' !important' if '!' in value else ''}"


def _within(selector: str) -> str:
    """The selector for what stands in a turned block; programs' own marks stay in front."""
    program, _, rest = selector.partition("] ") if selector.startswith("[") else ("", "", selector)
    return f"{program}] .{TURNED} {rest}" if program else f".{TURNED} {rest}"


def _without_notes(text: str, hidden: Sequence[str]) -> str:
    """The text without comments and Jinja's statements, which its own rules keep."""
    def kept(found: re.Match[str]) -> str:
        return "" if hidden[int(found[1])].startswith(("{%", "{#", "/*")) else found[0]

    return _SHOWN.sub(kept, text).strip()


def _masked(css: str) -> tuple[list[str], str]:
    hidden: list[str] = []

    def hide(found: re.Match[str]) -> str:
        hidden.append(found[0])
        return f"\ue000{len(hidden) - 1}\ue001"

    return hidden, _HIDDEN.sub(hide, css)


def _unmasked(text: str, hidden: Sequence[str]) -> str:
    return _SHOWN.sub(lambda found: hidden[int(found[1])], text)
