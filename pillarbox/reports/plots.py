"""Three plots: what happened over time; from sent to delivered to read to clicked to gave; what it raised.

Each is drawn twice, for a desk and for a phone, and carries its numbers as a table. The renderer is loaded only when
something is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pillarbox.reports import bars, ink, words
from pillarbox.reports.marks import Spec, along, as_it_is, at, layer, mark, says, scale, stack, to
from pillarbox.reports.report import Report
from pillarbox.reports.timeline import Bucket, Series, Step, Timeline

_ROW = 58
_LABEL = 68
"""Room for the longest label of the time axis, ``Wed 25 Nov``."""
_SERIES = ((Series.DELIVERED, "Delivered"), (Series.OPENED_HUMAN, "Opened by people"), (Series.CLICKED, "Clicked"),
           (Series.DONATIONS, "Gifts"), (Series.OPENED_MACHINE, "Opened by machines only"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """A picture, in words and in numbers."""

    id: str
    title: str
    says: str
    """One sentence: what the picture shows."""
    wide: str
    """SVG for 760 pixels."""
    narrow: str
    """SVG for 326 pixels."""
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The numbers, as a table."""


def draw_all(report: Report) -> tuple[Plot, ...]:
    """The plots of a report; those that would be empty are left out."""
    made = [funnel(report)] if report.figures.planned else []
    if report.timeline.buckets:
        made.insert(0, over_time(report.timeline))
    if report.figures.donations.count:
        made.append(raised(report))
    return tuple(made)


# ------------------------------------------------------------------------------------------------ over time


def over_time(timeline: Timeline) -> Plot:
    """A row for each thing that happens, over one time axis; machine opens apart and muted."""
    present = [(series, name) for series, name in _SERIES if timeline.total(series)]
    totals = ", ".join(f"{name.lower()} {timeline.total(series):,}" for series, name in present)
    label = f"By the {timeline.step.value}, each with a scale of its own: {totals}."
    return Plot(
        id="over-time", title="What happened over time", says=label,
        wide=_drawn(lambda width: _rows(timeline, present, width), ink.WIDE, label, "wide"),
        narrow=_drawn(lambda width: _rows(timeline, present, width), ink.NARROW, label, "narrow"),
        head=("From", *(name for _, name in _SERIES)),
        rows=tuple((when(bucket.start, timeline.step), *(f"{bucket.counts[series]:,}" for series, _ in _SERIES))
                   for bucket in timeline.buckets if any(bucket.counts.values())))


def _rows(timeline: Timeline, present: Sequence[tuple[Series, str]], width: int) -> Spec:
    rows = [_row(timeline.buckets, series, f"{name}\u2002{timeline.total(series):,}", width,
                 ink.MACHINE if series is Series.OPENED_MACHINE else ink.ACCENT) for series, name in present]
    ticks = _ticks([bucket.start for bucket in timeline.buckets], timeline.step, width)
    return stack(*rows, _labels(ticks, len(timeline.buckets), width), spacing=12)


def _row(buckets: Sequence[Bucket], series: Series, title: str, width: int, colour: str) -> Spec:
    values = [{"x": n + 0.08, "x2": n + 0.92, "n": bucket.counts[series]} for n, bucket in enumerate(buckets)]
    top = max(values, key=lambda value: value["n"])
    span = scale(0, len(buckets), zero=False)
    x, y = along("x", span), along("n", scale(0, top["n"] * 1.36))
    columns = mark("rect", [value for value in values if value["n"]], {"color": colour},
                   x=x, x2=to("x2"), y=y, y2={"datum": 0})
    line = mark("rule", [{"x": 0, "x2": len(buckets)}], {"color": ink.LINE}, x=x, x2=to("x2"), y=at(_ROW))
    # Above its bar, and within the plot at either edge.
    share = top["x"] / len(buckets)
    align, place = ("left", "x") if share < 0.1 else ("right", "x2") if share > 0.9 else ("center", "middle")
    peak = mark("text", [{**top, "middle": top["x"] + 0.42, "says": f"{top['n']:,}"}],
                {"align": align, "baseline": "bottom", "dy": -3, "color": ink.MUTED, "fontSize": ink.SMALL},
                x=along(place, span), y=y, text=says("says"))
    return layer(line, columns, peak, width=width, height=_ROW, title={
        "text": title, "anchor": "start", "frame": "group", "fontSize": ink.SIZE, "fontWeight": "bold", "offset": 4,
        "color": ink.MUTED if colour == ink.MACHINE else ink.INK})


def _ticks(starts: Sequence[datetime], step: Step, width: int) -> list[tuple[float, str]]:
    """Where the time axis is labelled: midnights, then round hours, as many as fit."""
    fits = [(n, start) for n, start in enumerate(starts) if n == 0 or n / len(starts) * width + _LABEL <= width]
    if step is not Step.HOUR:
        every = max(1, -(-len(starts) * _LABEL // width))
        return [(n, f"{start.day} {start:%b}") for n, start in fits if n % every == 0]
    for hours in (1, 2, 3, 6, 12, 24):
        found = [(n, start) for n, start in fits if start.hour % hours == 0] or fits[:1]
        if len(starts) / hours * (_LABEL + 12) <= width or hours == 24:
            break
    return [(n, f"{start:%a} {start.day} {start:%b}" if start.hour == 0 or len(found) < 2
             else f"{start:%H:%M}") for n, start in found]


def _labels(ticks: Sequence[tuple[float, str]], span: float, width: int) -> Spec:
    values = [{"x": place, "says": label} for place, label in ticks]
    x = along("x", scale(0, span, zero=False))
    return layer(
        mark("tick", values, {"color": ink.LINE, "size": 5, "thickness": 1, "orient": "vertical"}, x=x, y=at(-4)),
        mark("text", values, {"align": "left", "dx": 0, "color": ink.MUTED, "fontSize": ink.SMALL},
             x=x, y=at(8), text=says("says")),
        width=width, height=14)


# ------------------------------------------------------------------------------------------------ funnel


def funnel(report: Report) -> Plot:
    """From sent to gave, each bar with its own honest denominator; those not asked are outlined, not counted as no."""
    steps = bars.funnel_bars(report)
    label = "; ".join(f"{bar.label}: {bar.says}" for bar in steps) + "."
    top = report.figures.planned
    return Plot(
        id="funnel", title="From sent to gave", says=label,
        wide=_drawn(lambda width: bars.draw(steps, top, width), ink.WIDE, label, "wide"),
        narrow=_drawn(lambda width: bars.draw(steps, top, width), ink.NARROW, label, "narrow"),
        head=("Step", "Letters"), rows=tuple((bar.label, bar.says) for bar in steps))


# ------------------------------------------------------------------------------------------------ what it raised


def raised(report: Report) -> Plot:
    """Pounds as they came in, gift by gift, and by what ties them to this mailing."""
    money = report.figures.donations
    label = (f"{words.pounds(money.amount_pence)} from {money.donors:,} {'person' if money.donors == 1 else 'people'}; "
             + "; ".join(f"{bar.label.lower()}: {bar.says}" for bar in bars.evidence_bars(report)) + ".")
    return Plot(
        id="raised", title="What it raised", says=label,
        wide=_drawn(lambda width: _money(report, width), ink.WIDE, label, "wide"),
        narrow=_drawn(lambda width: _money(report, width), ink.NARROW, label, "narrow"),
        head=("From", "Gifts", "Received", "Raised by then"), rows=tuple(_money_rows(report.timeline)))


def _money(report: Report, width: int) -> Spec:
    kinds = bars.evidence_bars(report)
    by_evidence = bars.draw(kinds, max(bar.part for bar in kinds), width)
    if not report.timeline.gifts:
        return by_evidence
    return stack(_rising(report.timeline, width), by_evidence, spacing=26)


def _rising(timeline: Timeline, width: int) -> Spec:
    height, begin = 190, timeline.buckets[0].start
    hours = (timeline.buckets[-1].start - begin + _length(timeline.step)) / timedelta(hours=1)
    total, points = 0, [{"x": 0.0, "sum": 0.0, "pence": 0}]
    for gift in timeline.gifts:
        total += gift.pence
        points.append({"x": (gift.at - begin) / timedelta(hours=1), "sum": total / 100, "pence": gift.pence})
    top = max(point["sum"] for point in points) or 1
    x, y = along("x", scale(0, hours, zero=False)), along("sum", scale(0, top * 1.12))
    lines = [{"sum": pounds, "says": words.pounds(round(pounds * 100))} for pounds in _round_amounts(top)
             if abs(pounds - total / 100) > top * 0.12]
    steps = [*points, {**points[-1], "x": hours}]
    end = [{"x": hours, "sum": total / 100, "says": words.pounds(total)}]
    shown = [
        mark("rule", lines, {"color": ink.LINE}, y=y),
        # Gifts of a file often have a day and no hour: what came at one moment must not be put on top of each other.
        mark("area", steps, {"interpolate": "step-after", "color": ink.SOFT}, x=x, y={**y, "stack": None}),
        mark("line", steps, {"interpolate": "step-after", "color": ink.ACCENT, "strokeWidth": 2}, x=x, y=y),
        mark("text", lines, {"align": "right", "dy": -8, "color": ink.MUTED, "fontSize": ink.SMALL},
             x=at(width), y=y, text=says("says")),
        mark("text", end, {"align": "right", "dy": -12, "color": ink.ACCENT, "fontSize": ink.LARGE,
                           "fontWeight": "bold"}, x=x, y=y, text=says("says")),
    ]
    if timeline.gifts[0].attribution is not None:
        # A dot's area is its amount; the largest is 14 pixels wide.
        largest = max(abs(gift.pence) for gift in timeline.gifts) or 1
        areas = [max(16.0, 154 * abs(point["pence"]) / largest) for point in points[1:]]
        dots = [{**point, "area": area, "rim": 1 if area > 40 else 0}
                for point, area in zip(points[1:], areas, strict=True)]
        shown.insert(-1, mark("circle", dots, {"color": ink.ACCENT, "stroke": ink.PAPER, "opacity": 1}, x=x, y=y,
                              size=as_it_is("area"), strokeWidth=as_it_is("rim")))
    drawn = layer(*shown, width=width, height=height)
    ticks = [(n * (_length(timeline.step) / timedelta(hours=1)), label) for n, label in
             _ticks([bucket.start for bucket in timeline.buckets], timeline.step, width)]
    return stack(drawn, _labels(ticks, hours, width), spacing=8)


def _money_rows(timeline: Timeline) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    total = 0
    for bucket in timeline.buckets:
        total += bucket.amount_pence
        if bucket.counts[Series.DONATIONS]:
            rows.append((when(bucket.start, timeline.step), f"{bucket.counts[Series.DONATIONS]:,}",
                         words.pounds(bucket.amount_pence), words.pounds(total)))
    return rows


def _round_amounts(top: float) -> list[float]:
    """Two or three round amounts within reach of ``top`` pounds."""
    size = 10.0 ** (len(str(int(top))) - 1)
    step = next(step for step in (size / 2, size, size * 2, size * 2.5, size * 5) if top / step <= 3.5)
    return [step * n for n in range(1, int(top / step) + 1)]


# ------------------------------------------------------------------------------------------------ shared


def when(start: datetime, step: Step) -> str:
    """The name of a bucket: ``Mon 23 Nov, 10:00`` or ``Mon 23 Nov 2026``."""
    day = f"{start:%a} {start.day} {start:%b}"
    return f"{day}, {start:%H:%M}" if step is Step.HOUR else f"{day} {start:%Y}"


def _length(step: Step) -> timedelta:
    return {Step.HOUR: timedelta(hours=1), Step.DAY: timedelta(days=1), Step.WEEK: timedelta(weeks=1)}[step]


def _drawn(make: Callable[[int], Spec], width: int, label: str, kind: str) -> str:
    return ink.draw(make(width), label=label, kind=kind)
