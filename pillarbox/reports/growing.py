"""A list's growth, drawn: how many are on it; below, who joined and who went, month by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pillarbox.reports import ink
from pillarbox.reports.growth import Growth, Month
from pillarbox.reports.marks import Spec, along, at, layer, mark, says, scale, stack, to
from pillarbox.reports.plots import Plot

_ON_IT, _MOVES, _LABEL = 150, 120, 62


def draw(growth: Growth) -> Plot | None:
    """The picture of a list; None for one that nobody ever joined."""
    months = growth.months
    if not months:
        return None
    joined, left = sum(month.joined for month in months), sum(month.left for month in months)
    bounced = sum(month.bounced for month in months)
    label = (f"{months[-1].on_it:,} on the list at the end of {when(months[-1].start)}, after {len(months)} "
             f"month{'' if len(months) == 1 else 's'} in which {joined:,} joined, {left:,} left and {bounced:,} "
             "addresses bounced.")
    return Plot(
        id="growth", title="Who is on it, month by month", says=label,
        wide=ink.draw(_chart(months, ink.WIDE), label=label, kind="wide"),
        narrow=ink.draw(_chart(months, ink.NARROW), label=label, kind="narrow"),
        head=("Month", "Joined", "Left", "Bounced", "On it at the end"),
        rows=tuple((when(month.start), f"{month.joined:,}", f"{month.left:,}", f"{month.bounced:,}",
                    f"{month.on_it:,}") for month in reversed(months)))


def when(start: date) -> str:
    """November 2026."""
    return f"{start:%B %Y}"


def _chart(months: Sequence[Month], width: int) -> Spec:
    return stack(_standing(months, width), _moves(months, width), _labels(months, width), spacing=14)


def _standing(months: Sequence[Month], width: int) -> Spec:
    top = max(month.on_it for month in months) or 1
    x, y = along("x", _span(months)), along("n", scale(0, top * 1.2))
    bars = [{"x": n + 0.1, "x2": n + 0.9, "n": month.on_it} for n, month in enumerate(months)]
    last = {"x": len(months), "n": months[-1].on_it, "says": f"{months[-1].on_it:,} on it"}
    return layer(
        mark("rect", bars, {"color": ink.SOFT}, x=x, x2=to("x2"), y=y, y2={"datum": 0}),
        mark("text", [last], {"align": "right", "baseline": "bottom", "dy": -4, "color": ink.INK, "fontSize": ink.SIZE,
                              "fontWeight": "bold"}, x=x, y=y, text=says("says")),
        width=width, height=_ON_IT)


def _moves(months: Sequence[Month], width: int) -> Spec:
    up = max(month.joined for month in months) or 1
    down = max(month.left + month.bounced for month in months) or 1
    # The smaller of the two sides keeps room for its own words.
    room = max(up, down) * 0.34
    x, y = along("x", _span(months)), along("a", scale(-down - room, up + room))

    def rects(values: list[dict[str, float]], colour: str) -> Spec:
        return mark("rect", [value for value in values if value["a"] != value["b"]], {"color": colour},
                    x=x, x2=to("x2"), y=y, y2=to("b"))

    def move(n: int, a: float, b: float) -> dict[str, float]:
        return {"x": n + 0.1, "x2": n + 0.9, "a": a, "b": b}

    words = [{"x": 0, "a": up + room * 0.62, "says": f"Joined: {sum(m.joined for m in months):,}"},
             {"x": 0, "a": -down - room * 0.62, "says": f"Left: {sum(m.left for m in months):,}, bounced (fainter): "
                                                        f"{sum(m.bounced for m in months):,}"}]
    return layer(
        rects([move(n, 0, month.joined) for n, month in enumerate(months)], ink.ACCENT),
        rects([move(n, 0, -month.left) for n, month in enumerate(months)], ink.MUTED),
        rects([move(n, -month.left, -month.left - month.bounced) for n, month in enumerate(months)], ink.TRACK),
        mark("rule", [{"x": 0, "x2": len(months), "a": 0}], {"color": ink.LINE}, x=x, x2=to("x2"), y=y),
        mark("text", words, {"align": "left", "color": ink.MUTED, "fontSize": ink.SMALL}, x=x, y=y, text=says("says")),
        width=width, height=_MOVES)


def _labels(months: Sequence[Month], width: int) -> Spec:
    every = max(1, -(-len(months) * _LABEL // width))
    shown = [{"x": n + 0.1, "says": f"{month.start:%b %Y}"} for n, month in enumerate(months)
             if n % every == 0 and (n / len(months) * width + _LABEL <= width or n == 0)]
    return layer(mark("text", shown, {"align": "left", "color": ink.MUTED, "fontSize": ink.SMALL},
                      x=along("x", _span(months)), y=at(8), text=says("says")), width=width, height=14)


def _span(months: Sequence[Month]) -> Spec:
    return scale(0, len(months), zero=False)
