"""What an element's CSS comes to: its stylesheets, its own style and its ancestors', by day and in the dark.

No browser: colours, backgrounds, type sizes and whether something is shown, which is what the checks ask for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cssselect
import tinycss2
from lxml import etree
from lxml.cssselect import CSSSelector
from tinycss2 import ast, color3

from pillarbox.checking.page import Page

READ = frozenset(("color", "background", "background-color", "background-image", "font-size", "font-weight", "display",
                  "visibility", "opacity", "font"))
WHITE, BLACK = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
_LINK = (0.0, 0.0, 238 / 255)
"""How browsers colour links that nobody coloured (HTML Standard 15.3.3)."""
_SIZES = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h4": 1.0, "h5": 0.83, "h6": 0.67, "small": 0.83}
_NAMED = {"xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0,
          "xx-large": 32.0}
_BOLD = frozenset(("b", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "th"))
_LENGTH = re.compile(r"([\d.]+)(px|pt|em|rem|%)")
_UNITS = {"px": 1.0, "pt": 4 / 3, "rem": 16.0}

Colour = tuple[float, float, float]
"""Red, green, blue, each from 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Declaration:
    """One ``name: value`` of CSS."""

    name: str
    value: str
    important: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One selector with its declarations."""

    selector: str
    declarations: tuple[Declaration, ...]
    dark: bool
    """Whether it holds only where a reader's screen is dark."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What one element looks like."""

    colour: Colour | None
    """None: not known here (a value of CSS that is not read, a variable)."""
    ground: Colour | None
    """What stands behind its words; None: an image, a gradient, or not known."""
    size: float
    """Pixels."""
    bold: bool
    shown: bool


@lru_cache(maxsize=64)
def rules_of(css: str) -> tuple[Rule, ...]:
    """The rules of a stylesheet that hold on any screen, and those for the dark. Others (small screens, print) are
    left out, and so is what is no CSS."""
    return tuple(_rules(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), dark=False))


@lru_cache(maxsize=4096)
def declarations_of(style: str) -> tuple[Declaration, ...]:
    """The declarations of a ``style`` attribute or a rule's block."""
    return tuple(_declarations(tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True)))


def looks(page: Page, *, dark: bool) -> dict[etree._Element, Look]:
    """What every element of a page looks like, by day or in the dark."""
    styled = _styled(page, dark=dark)
    found: dict[etree._Element, Look] = {}
    for element in page.elements:
        above = element.getparent()
        found[element] = _look(element, styled.get(element, {}), found.get(above) if above is not None else None)
    return found


def has_dark_rules(page: Page) -> bool:
    """Whether a page has colours of its own for the dark."""
    return any(rule.dark for style in page.all("style") for rule in rules_of(style.text or ""))


# ---------------------------------------------------------------------------------------------- reading


def _rules(nodes: list[ast.Node], *, dark: bool) -> Iterator[Rule]:
    for node in nodes:
        if isinstance(node, ast.QualifiedRule):
            declarations = tuple(_declarations(tinycss2.parse_blocks_contents(
                node.content, skip_comments=True, skip_whitespace=True)))
            for selector in tinycss2.serialize(node.prelude).split(","):
                yield Rule(selector=selector.strip(), declarations=declarations, dark=dark)
        elif isinstance(node, ast.AtRule) and node.lower_at_keyword == "media" and node.content is not None:
            query = tinycss2.serialize(node.prelude).lower().strip()
            is_dark = bool(re.search(r"prefers-color-scheme\s*:\s*dark", query)) and "not" not in query.split()
            if is_dark or query in ("all", "screen", "only screen", ""):
                inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
                yield from _rules(inner, dark=dark or is_dark)


def _declarations(nodes: list[ast.Node]) -> Iterator[Declaration]:
    for node in nodes:
        if isinstance(node, ast.Declaration):
            yield Declaration(name=node.lower_name, value=tinycss2.serialize(node.value).strip(),
                              important=node.important)


@lru_cache(maxsize=4096)
def selector_of(selector: str) -> tuple[CSSSelector, tuple[int, int, int]] | None:
    """A selector that can be asked, and its weight; None for what no tree can answer (``::before``, ``:hover``)."""
    try:
        [parsed] = cssselect.parse(selector)
        if parsed.pseudo_element:
            return None
        return CSSSelector(selector), parsed.specificity()
    except (cssselect.SelectorError, ValueError, etree.XPathError):
        return None


def matching(page: Page, selector: CSSSelector) -> list[etree._Element]:
    """The elements of a page that a selector chooses."""
    return cast(list[etree._Element], selector(page.root))


def _styled(page: Page, *, dark: bool) -> dict[etree._Element, dict[str, str]]:
    """For each element, the declarations that win."""
    weighed: dict[etree._Element, dict[str, tuple[tuple[object, ...], str]]] = {}

    def put(element: etree._Element, declaration: Declaration, weight: tuple[object, ...]) -> None:
        mine = weighed.setdefault(element, {})
        name = declaration.name
        weight = (declaration.important, *weight)
        if name not in mine or mine[name][0] <= weight:
            mine[name] = (weight, declaration.value)

    order = 0
    for style in page.all("style"):
        for rule in rules_of(style.text or ""):
            known = selector_of(rule.selector)
            wanted = [each for each in rule.declarations if each.name in READ]
            if not wanted or known is None or (rule.dark and not dark):
                continue
            order += 1
            for element in matching(page, known[0]):
                for each in wanted:
                    put(element, each, (0, known[1], order))
    for element in page.elements:
        if style_of := element.get("style"):
            for number, each in enumerate(declarations_of(style_of)):
                if each.name in READ:
                    put(element, each, (1, (0, 0, 0), number))
    return {element: {name: value for name, (weight, value) in sorted(mine.items(), key=lambda item: item[1][0])}
            for element, mine in weighed.items()}


# ---------------------------------------------------------------------------------------------- computing


def _look(element: etree._Element, own: dict[str, str], above: Look | None) -> Look:
    over = above or Look(colour=BLACK, ground=WHITE, size=16.0, bold=False, shown=True)
    ground = _ground(element, own, over.ground)
    shown = over.shown and own.get("display", "").split(" ")[0] != "none" and own.get("visibility") != "hidden" \
        and element.get("hidden") is None and own.get("opacity") not in ("0", "0.0")
    return Look(colour=_colour(element, own, over.colour, ground), ground=ground, size=_size(element, own, over.size),
                bold=_bold(element, own, over.bold), shown=shown)


def _colour(element: etree._Element, own: dict[str, str], above: Colour | None, ground: Colour | None) -> Colour | None:
    said = own.get("color") or element.get("color") or (element.get("text") if element.tag == "body" else None)
    if said is None:
        return _LINK if element.tag == "a" and element.get("href") is not None else above
    if said.strip().lower() in ("inherit", "currentcolor", "unset"):
        return above
    return _over(said, ground)


def _ground(element: etree._Element, own: dict[str, str], above: Colour | None) -> Colour | None:
    ground = above
    if attribute := element.get("bgcolor"):
        ground = _over(attribute if attribute.startswith("#") or attribute.isalpha() else f"#{attribute}", above)
    if element.get("background"):
        ground = None
    for name, value in own.items():  # the weightiest last
        lowered = value.lower()
        if name == "background-color":
            ground = _over(value, above)
        elif name == "background-image":
            ground = None if "url(" in lowered or "gradient(" in lowered else ground
        elif name == "background":
            ground = _shorthand(value, above)
    return ground


def _shorthand(value: str, above: Colour | None) -> Colour | None:
    lowered = value.lower()
    if "url(" in lowered or "gradient(" in lowered or "var(" in lowered:
        return None
    for component in tinycss2.parse_component_value_list(value):
        colour = color3.parse_color(component)
        if colour is not None and colour != "currentColor":
            return _mixed(colour, above)
    return above  # "none": what is behind shows


def _over(value: str, ground: Colour | None) -> Colour | None:
    """A colour as it appears on a ground; what is not known gives None."""
    lowered = value.strip().lower()
    if lowered in ("transparent", "initial", "none", "inherit", "unset"):
        return ground
    colour = color3.parse_color(lowered)
    return _mixed(colour, ground) if colour is not None and colour != "currentColor" else None


def _mixed(colour: color3.RGBA, ground: Colour | None) -> Colour | None:
    alpha = colour.alpha
    if alpha >= 1:
        return colour.red, colour.green, colour.blue
    if ground is None:
        return None
    red, green, blue = ground
    return (colour.red * alpha + red * (1 - alpha), colour.green * alpha + green * (1 - alpha),
            colour.blue * alpha + blue * (1 - alpha))


def _size(element: etree._Element, own: dict[str, str], above: float) -> float:
    said = own.get("font-size", "").lower()
    if not said and (found := _LENGTH.search(own.get("font", ""))):
        said = found[0]
    if said in _NAMED:
        return _NAMED[said]
    if found := _LENGTH.fullmatch(said):
        amount, unit = float(found[1] if found[1].count(".") < 2 else 0), found[2]
        return amount * (above if unit == "em" else above / 100 if unit == "%" else _UNITS[unit])
    return above * _SIZES.get(str(element.tag), 1.0)


def _bold(element: etree._Element, own: dict[str, str], above: bool) -> bool:
    said = own.get("font-weight", "").lower()
    if said.isdigit():
        return int(said) >= 700
    if said in ("bold", "bolder", "normal", "lighter"):
        return said in ("bold", "bolder")
    return above or element.tag in _BOLD
