"""How every plot looks: one accent, direct labels, no boxes; colours are CSS variables, so that dark mode needs no
second drawing, and letters are the reader's own system font."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pillarbox.reports import rendering
from pillarbox.reports.marks import Spec

# Stand-ins that survive drawing and then become CSS variables of the page (pages/report.html gives them values).
INK, MUTED, ACCENT, SOFT, TRACK, MACHINE, LINE, PAPER = (
    "#010101", "#020202", "#030303", "#040404", "#050505", "#060606", "#070707", "#080808")
_VARIABLES = {INK: "--ink", MUTED: "--muted", ACCENT: "--accent", SOFT: "--accent-soft", TRACK: "--track",
              MACHINE: "--machine", LINE: "--line", PAPER: "--paper"}

SMALL, SIZE, LARGE = 11.5, 13, 15
WIDE, NARROW = 760, 326
"""Widths in CSS pixels: a desk's column, and a phone of 360 less its margins."""

# Drawn with a font whose letters are as wide as the usual system fonts', then left to the page.
_FONT = "Arial, Liberation Sans, sans-serif"
_CONFIG: Mapping[str, Any] = {
    "aria": False,  # the page gives each plot one sentence and its numbers as a table
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {"domain": False, "ticks": False, "grid": False, "labelColor": MUTED, "labelFontSize": SMALL,
             "title": None, "labelPadding": 6},
    "text": {"font": _FONT, "fontSize": SMALL, "color": MUTED, "baseline": "middle"},
    "concat": {"spacing": 14},
}


_pen: ContextVar[Callable[[Spec], str]] = ContextVar("pen", default=rendering.render)


@contextmanager
def drawn_by(pen: Callable[[Spec], str]) -> Iterator[None]:
    """Within the block, and in its thread, charts are drawn by this pen: ``rendering.Beside().render``."""
    before = _pen.set(pen)
    try:
        yield
    finally:
        _pen.reset(before)


def draw(chart: Spec, *, label: str, kind: str) -> str:
    """A chart as inline SVG that scales with its column.

    Args:
        chart: the chart, coloured with this module's stand-ins.
        label: one sentence for people who do not see it.
        kind: CSS class.
    """
    return _for_the_page(_pen.get()({**chart, "config": dict(_CONFIG), "padding": 1}), label, kind)


def _for_the_page(svg: str, label: str, kind: str) -> str:
    for stand_in, variable in _VARIABLES.items():
        svg = svg.replace(f'"{stand_in}"', f'"var({variable})"')
    svg = re.sub(r' font-family="[^"]*"', "", svg)
    # Every plot's clip paths would share one page's ids.
    svg = re.sub(r' (?:clip-path|id)="[^"]*"', "", svg)
    svg = re.sub(r"<defs>.*?</defs>|<clipPath.*?</clipPath>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (?:class|role|aria-[a-z]+)="[^"]*"', "", svg)
    svg = re.sub(r"(\d\.\d{2})\d+", r"\1", svg)
    box = re.search(r'viewBox="[^"]*"', svg)
    assert box is not None, "a drawing has a viewBox"
    opening = (f'<svg {box.group()} class="plot {kind}" role="img" aria-label="{_attribute(label)}" '
               'xmlns="http://www.w3.org/2000/svg" preserveAspectRatio="xMinYMin meet">')
    return re.sub(r"<svg[^>]*>", lambda _: opening, svg, count=1)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
