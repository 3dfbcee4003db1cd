"""Divides a letter's CSS: what is inlined, and what must stay a stylesheet (responsive, dark mode, hover, fonts).

Inliners lose or break much of the second kind (docs/decisions/0003), so they are never shown it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"""(?P<comment>/\*.*?(?:\*/|\Z)|<!--|-->)|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|.""", re.DOTALL)
_OPEN, _CLOSE = "([{", ")]}"
_HOLDS_RULES = ("@media", "@supports", "@layer", "@container", "@document", "@-moz-document")
# Selectors whose elements only a mail program adds, so that none is in the letter: Outlook.com and its apps
# ([data-ogsc], .ExternalClass, #outlook), Samsung, Gmail's "u + .body", Thunderbird (howtotarget.email, read 2026-11).
_MAIL_PROGRAMS = re.compile(
    r"\[data-ogs[cb]|\[owa|#outlook\b|#MessageViewBody|\.(ExternalClass|ReadMsgBody|moz-text-html)\b|\bu\s*\+", re.I)
_PLACED = re.compile(r"[^:*]+(:(first|last)-child)?\Z")
_IMPORTANT = re.compile(r"!\s*important\s*\Z", re.I)


@dataclass(frozen=True, kw_only=True, slots=True)
class Divided:
    """One stylesheet in two."""

    inlined: str
    """Plain rules, for the inliner."""
    kept: str
    """The rest, every declaration ``!important``, since else the inlined ones would win over it."""


def divide(css: str, *, readable: Callable[[str], bool] = lambda _: True,
           selectable: Callable[[str], bool] = lambda _: True) -> Divided:
    """Divide a stylesheet, keeping the order of its rules within each half.

    Args:
        css: the text of a ``<style>``.
        readable: whether the inliner can read one declaration; those that it cannot are kept.
        selectable: whether the inliner can read one selector.
    """
    inlined, kept = [], []
    for prelude, block in statements(_bare(css)):
        if block is None or prelude.startswith("@") or "{" in block:
            kept.append(_important_rule(prelude, block))
            continue
        selectors = parts_of(prelude, ",")
        here = [s for s in selectors if _can_be_inlined(s) and selectable(s)]
        elsewhere = [s for s in selectors if s not in here]
        declarations = parts_of(block, ";")
        if elsewhere:
            kept.append(_important_rule(",".join(elsewhere), block))
        if here and (stay := [d for d in declarations if _IMPORTANT.search(d) or not readable(d)]):
            kept.append(_important_rule(",".join(here), ";".join(stay)))
        if here and (go := [d for d in declarations if readable(d)]):
            inlined.append(f"{','.join(here)} {{{';'.join(go)}}}")
    return Divided(inlined="\n".join(inlined), kept="\n".join(kept))


def _can_be_inlined(selector: str) -> bool:
    """Whether a selector says which elements of this very letter it means, whoever reads it and whatever they do."""
    return _PLACED.match(selector) is not None and not _MAIL_PROGRAMS.search(selector)


def _important_rule(prelude: str, block: str | None) -> str:
    """One kept rule as text, its declarations made important (not those of fonts and key frames)."""
    if block is None:
        return f"{prelude};"
    if prelude.startswith("@"):
        if prelude.lower().startswith(_HOLDS_RULES):
            block = " ".join(_important_rule(p, b) for p, b in statements(block))
        return f"{prelude} {{{block.strip()}}}"
    if "{" in block:
        return f"{prelude} {{{block.strip()}}}"
    declarations = (d if _IMPORTANT.search(d) else f"{d} !important" for d in parts_of(block, ";"))
    return f"{prelude} {{{'; '.join(declarations)}}}"


def _bare(css: str) -> str:
    """CSS without comments."""
    return "".join(" " if token["comment"] else token.group() for token in _TOKEN.finditer(css))


def statements(css: str) -> Iterator[tuple[str, str | None]]:
    """Rules at the top of a stylesheet: (what stands before the brace, what within), or (statement, None)."""
    prelude, block, depth = "", "", 0
    for bit in (match.group() for match in _TOKEN.finditer(css)):
        if depth and not (bit == "}" and depth == 1):
            depth += (bit == "{") - (bit == "}")
            block += bit
        elif depth:
            yield prelude.strip(), block
            prelude, block, depth = "", "", 0
        elif bit == "{":
            depth = 1
        elif bit == ";" and prelude.lstrip().startswith("@"):
            yield prelude.strip(), None
            prelude = ""
        elif bit not in ";}" or prelude.strip():
            prelude += bit
    if depth:  # the last brace is missing: browsers close it too
        yield prelude.strip(), block


def parts_of(text: str, separator: str) -> list[str]:
    """``text`` split where ``separator`` stands outside strings and brackets; blanks around and empty parts go."""
    parts, depth = [""], 0
    for bit in (match.group() for match in _TOKEN.finditer(text)):
        depth += (bit in _OPEN) - (bit in _CLOSE)
        if bit == separator and depth <= 0:
            parts.append("")
        else:
            parts[-1] += bit
    return [part.strip() for part in parts if part.strip()]
