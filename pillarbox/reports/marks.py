"""The marks of a drawing, as Vega-Lite's specification writes them (https://vega.github.io/vega-lite/docs/, v6, read
2026-11): plain values, so that a page's pictures cost what drawing them costs and nothing before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]
"""A part of a Vega-Lite specification."""


def mark(kind: str, values: Sequence[Mapping[str, Any]], look: Mapping[str, Any], **channels: Spec) -> Spec:
    """One mark for each of the values.

    Args:
        kind: ``rect``, ``rule``, ``text``, ``circle``, ``area``, ``line`` or ``tick``.
        values: rows of numbers and texts, kept inside the drawing.
        look: the mark's properties: colour, size, alignment.
        channels: what places it: ``x``, ``y``, ``x2``, ``y2``, ``text``, ``size``.
    """
    return {"data": {"values": list(values)}, "mark": {"type": kind, **look}, "encoding": channels}


def layer(*marks: Spec, width: int, height: float, **more: Any) -> Spec:
    """Marks on top of each other, the first at the bottom; in CSS pixels."""
    return {"layer": list(marks), "width": width, "height": height, **more}


def stack(*charts: Spec, spacing: int) -> Spec:
    """Charts below each other."""
    return {"vconcat": list(charts), "spacing": spacing}


def scale(least: float, most: float, *, pixels: tuple[float, float] | None = None, **more: Any) -> Spec:
    """From values to pixels, to the very ends; by default as many pixels as the chart has."""
    return {"domain": [least, most], "nice": False, **({"range": list(pixels)} if pixels else {}), **more}


def along(field: str, by: Spec, **more: Any) -> Spec:
    """The place that a number has on a scale; no axis is drawn."""
    return {"field": field, "type": "quantitative", "scale": by, "axis": None, **more}


def to(field: str) -> Spec:
    """The other end, on the same scale."""
    return {"field": field}


def at(pixels: float) -> Spec:
    """A fixed place."""
    return {"value": pixels}


def says(field: str) -> Spec:
    """The text of a mark."""
    return {"field": field, "type": "nominal"}


def as_it_is(field: str) -> Spec:
    """A number taken as pixels, or square pixels."""
    return {"field": field, "type": "quantitative", "scale": None}
