"""Mailings beside each other, drawn: a dot for each rate, a line for its range."""

from __future__ import annotations

from collections.abc import Sequence

from pillarbox.reports import ink
from pillarbox.reports.compare import Comparison, Measure
from pillarbox.reports.marks import Spec, along, at, layer, mark, says, scale, to
from pillarbox.reports.plots import Plot

_ROW, _NAME, _SAYS = 26, 26, 132
_LETTER, _BELOW, _LEAST = 6.5, 18, 90
"""Pixels: of a digit of what is said; of a line of it below its row; that a row keeps for its line at the least."""


def draw(comparison: Comparison, measure: Measure) -> Plot | None:
    """One measure of all mailings, on one scale; None where fewer than two can tell."""
    return beside("Mailing", [column.letter for column in comparison.columns], measure)


def beside(what: str, names: Sequence[str], measure: Measure) -> Plot | None:
    """The same of anything that has one-letter names: ``what`` heads their column in the table."""
    known = [(name, rate) for name, rate in zip(names, measure.rates, strict=True) if rate]
    if len(known) < 2:
        return None
    rows = [(letter, rate.low, rate.value, rate.high, "{} ({})".format(*measure.says(rate))) for letter, rate in known]
    label = f"{measure.name}: " + "; ".join(f"{row[0]} {row[4]}" for row in rows) + "."
    return Plot(
        id=f"compare-{measure.key}", title=measure.name, says=label,
        wide=ink.draw(_chart(rows, ink.WIDE), label=label, kind="wide"),
        narrow=ink.draw(_chart(rows, ink.NARROW), label=label, kind="narrow"),
        head=(what, "Rate", "Range", "Counted"), rows=tuple(
            (letter, *measure.says(rate), f"{rate.part:,} of {rate.of:,}" if measure.key != "pounds_per_letter"
             else f"of {rate.of:,}") for letter, rate in known))


def _chart(rows: Sequence[tuple[str, float, float, float, str]], width: int) -> Spec:
    said = max(_SAYS, max(len(row[4]) for row in rows) * _LETTER)
    below = _BELOW if width - said - _NAME < _LEAST else 0  # what is said has no room beside the lines
    row_height, end = _ROW + below, width - (_ROW / 2 if below else said)
    height = len(rows) * row_height
    top = max(row[3] for row in rows) or 1
    across = scale(0, top * 1.04, pixels=(_NAME, end))
    down = {"domain": [0, height], "range": [0, height]}
    values = [{"y": n * row_height + _ROW / 2, "said": n * row_height + _ROW / 2 + below, "name": name,
                      "low": low, "value": value, "high": high, "says": say}
              for n, (name, low, value, high, say) in enumerate(rows)]
    y = along("y", down)
    return layer(
        mark("rule", [{"x": 0}], {"color": ink.LINE}, x=along("x", across)),
        mark("rule", values, {"color": ink.SOFT, "strokeWidth": 7, "strokeCap": "round"},
             x=along("low", across), x2=to("high"), y=y),
        mark("circle", values, {"color": ink.ACCENT, "size": 90, "opacity": 1}, x=along("value", across), y=y),
        mark("text", values, {"align": "left", "color": ink.INK, "fontSize": ink.SIZE, "fontWeight": "bold"},
             x=at(0), y=y, text=says("name")),
        mark("text", values, {"align": "right", "color": ink.MUTED, "fontSize": ink.SMALL + 0.5},
             x=at(width), y=along("said", down), text=says("says")),
        width=width, height=height)
