"""Mailings beside each other, drawn: a dot for each rate, a line for its range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pillarbox.reports import ink
from pillarbox.reports.compare import Comparison, Measure
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


def _chart(rows: Sequence[tuple[str, float, float, float, str]], width: int) -> Any:
    import altair as alt

    said = max(_SAYS, max(len(row[4]) for row in rows) * _LETTER)
    below = _BELOW if width - said - _NAME < _LEAST else 0  # what is said has no room beside the lines
    row_height, end = _ROW + below, width - (_ROW / 2 if below else said)
    height = len(rows) * row_height
    top = max(row[3] for row in rows) or 1
    across = alt.Scale(domain=[0, top * 1.04], range=[_NAME, end], nice=False)
    down = alt.Scale(domain=[0, height], range=[0, height])
    data = ink.data([{"y": n * row_height + _ROW / 2, "said": n * row_height + _ROW / 2 + below, "name": name,
                      "low": low, "value": value, "high": high, "says": says}
                     for n, (name, low, value, high, says) in enumerate(rows)])
    chart = alt.Chart(data)
    y = alt.Y("y:Q", scale=down, axis=None)
    return alt.layer(
        alt.Chart(ink.data([{"x": 0}])).mark_rule(color=ink.LINE).encode(x=alt.X("x:Q", scale=across, axis=None)),
        chart.mark_rule(color=ink.SOFT, strokeWidth=7, strokeCap="round").encode(
            x=alt.X("low:Q", scale=across, axis=None), x2="high:Q", y=y),
        chart.mark_circle(color=ink.ACCENT, size=90, opacity=1).encode(
            x=alt.X("value:Q", scale=across, axis=None), y=y),
        chart.mark_text(align="left", color=ink.INK, fontSize=ink.SIZE, fontWeight="bold").encode(
            x=alt.value(0), y=y, text="name:N"),
        chart.mark_text(align="right", color=ink.MUTED, fontSize=ink.SMALL + 0.5).encode(
            x=alt.value(width), y=alt.Y("said:Q", scale=down, axis=None), text="says:N"),
    ).properties(width=width, height=height)
