"""Three plots: what happened over time; from sent to delivered to read to clicked to gave; what it raised.

Each is drawn twice, for a desk and for a phone, and carries its numbers as a table. Altair and the SVG renderer are
loaded only when something is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pillarbox.reports import bars, ink, words
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
    says = ", ".join(f"{name.lower()} {timeline.total(series):,}" for series, name in present)
    label = f"By the {timeline.step.value}, each with a scale of its own: {says}."
    return Plot(
        id="over-time", title="What happened over time", says=label,
        wide=_drawn(lambda width: _rows(timeline, present, width), ink.WIDE, label, "wide"),
        narrow=_drawn(lambda width: _rows(timeline, present, width), ink.NARROW, label, "narrow"),
        head=("From", *(name for _, name in _SERIES)),
        rows=tuple((when(bucket.start, timeline.step), *(f"{bucket.counts[series]:,}" for series, _ in _SERIES))
                   for bucket in timeline.buckets if any(bucket.counts.values())))


def _rows(timeline: Timeline, present: Sequence[tuple[Series, str]], width: int) -> Any:
    import altair as alt

    rows = [_row(timeline.buckets, series, f"{name}\u2002{timeline.total(series):,}", width,
                 ink.MACHINE if series is Series.OPENED_MACHINE else ink.ACCENT) for series, name in present]
    ticks = _ticks([bucket.start for bucket in timeline.buckets], timeline.step, width)
    return alt.vconcat(*rows, _labels(ticks, len(timeline.buckets), width), spacing=12)


def _row(buckets: Sequence[Bucket], series: Series, title: str, width: int, colour: str) -> Any:
    import altair as alt

    values = [{"x": n + 0.08, "x2": n + 0.92, "n": bucket.counts[series]} for n, bucket in enumerate(buckets)]
    top = max(values, key=lambda value: value["n"])
    x = alt.X("x:Q", scale=_span(len(buckets)), axis=None)
    y = alt.Y("n:Q", scale=alt.Scale(domain=[0, top["n"] * 1.36], nice=False), axis=None)
    columns = alt.Chart(ink.data([value for value in values if value["n"]])).mark_rect(color=colour).encode(
        x=x, x2="x2:Q", y=y, y2=alt.datum(0))
    line = alt.Chart(ink.data([{"x": 0, "x2": len(buckets)}])).mark_rule(color=ink.LINE).encode(
        x=x, x2="x2:Q", y=alt.value(_ROW))
    # Above its bar, and within the plot at either edge.
    share = top["x"] / len(buckets)
    align: Literal["left", "center", "right"]
    align, at = ("left", "x") if share < 0.1 else ("right", "x2") if share > 0.9 else ("center", "middle")
    peak = alt.Chart(ink.data([{**top, "middle": top["x"] + 0.42, "says": f"{top['n']:,}"}])).mark_text(
        align=align, baseline="bottom", dy=-3, color=ink.MUTED, fontSize=ink.SMALL).encode(
        x=alt.X(f"{at}:Q", scale=_span(len(buckets)), axis=None), y=y, text="says:N")
    return alt.layer(line, columns, peak).properties(width=width, height=_ROW, title=alt.Title(
        title, anchor="start", frame="group", fontSize=ink.SIZE, fontWeight="bold", offset=4,
        color=ink.MUTED if colour == ink.MACHINE else ink.INK))


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


def _labels(ticks: Sequence[tuple[float, str]], span: float, width: int) -> Any:
    import altair as alt

    data = ink.data([{"x": x, "says": says} for x, says in ticks])
    x = alt.X("x:Q", scale=_span(span), axis=None)
    marks = alt.Chart(data).mark_tick(color=ink.LINE, size=5, thickness=1, orient="vertical").encode(
        x=x, y=alt.value(-4))
    text = alt.Chart(data).mark_text(align="left", dx=0, color=ink.MUTED, fontSize=ink.SMALL).encode(
        x=x, y=alt.value(8), text="says:N")
    return alt.layer(marks, text).properties(width=width, height=14)


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


def _money(report: Report, width: int) -> Any:
    import altair as alt

    kinds = bars.evidence_bars(report)
    by_evidence = bars.draw(kinds, max(bar.part for bar in kinds), width)
    if not report.timeline.gifts:
        return by_evidence
    return alt.vconcat(_rising(report.timeline, width), by_evidence, spacing=26)


def _rising(timeline: Timeline, width: int) -> Any:
    import altair as alt

    height, begin = 190, timeline.buckets[0].start
    hours = (timeline.buckets[-1].start - begin + _length(timeline.step)) / timedelta(hours=1)
    total, points = 0, [{"x": 0.0, "sum": 0.0, "pence": 0}]
    for gift in timeline.gifts:
        total += gift.pence
        points.append({"x": (gift.at - begin) / timedelta(hours=1), "sum": total / 100, "pence": gift.pence})
    top = max(point["sum"] for point in points) or 1
    x = alt.X("x:Q", scale=_span(hours), axis=None)
    y = alt.Y("sum:Q", scale=alt.Scale(domain=[0, top * 1.12], nice=False), axis=None)
    lines = [{"sum": at, "says": words.pounds(round(at * 100))} for at in _round_amounts(top)
             if abs(at - total / 100) > top * 0.12]
    grid = alt.Chart(ink.data(lines))
    step = alt.Chart(ink.data([*points, {**points[-1], "x": hours}]))
    end = alt.Chart(ink.data([{"x": hours, "sum": total / 100, "says": words.pounds(total)}]))
    shown = [
        grid.mark_rule(color=ink.LINE).encode(y=y),
        # Gifts of a file often have a day and no hour: what came at one moment must not be put on top of each other.
        step.mark_area(interpolate="step-after", color=ink.SOFT).encode(x=x, y=y.stack(None)),
        step.mark_line(interpolate="step-after", color=ink.ACCENT, strokeWidth=2).encode(x=x, y=y),
        grid.mark_text(align="right", dy=-8, color=ink.MUTED, fontSize=ink.SMALL).encode(
            x=alt.value(width), y=y, text="says:N"),
        end.mark_text(align="right", dy=-12, color=ink.ACCENT, fontSize=ink.LARGE, fontWeight="bold").encode(
            x=x, y=y, text="says:N"),
    ]
    if timeline.gifts[0].attribution is not None:
        # A dot's area is its amount; the largest is 14 pixels wide.
        largest = max(abs(gift.pence) for gift in timeline.gifts) or 1
        areas = [max(16.0, 154 * abs(point["pence"]) / largest) for point in points[1:]]
        dots = [{**point, "area": area, "rim": 1 if area > 40 else 0}
                for point, area in zip(points[1:], areas, strict=True)]
        shown.insert(-1, alt.Chart(ink.data(dots)).mark_circle(color=ink.ACCENT, stroke=ink.PAPER, opacity=1).encode(
            x=x, y=y, size=alt.Size("area:Q", scale=None), strokeWidth=alt.StrokeWidth("rim:Q", scale=None)))
    drawn = alt.layer(*shown).properties(width=width, height=height)
    ticks = [(n * (_length(timeline.step) / timedelta(hours=1)), says) for n, says in
             _ticks([bucket.start for bucket in timeline.buckets], timeline.step, width)]
    return alt.vconcat(drawn, _labels(ticks, hours, width), spacing=8)


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


def _span(size: float) -> Any:
    import altair as alt

    return alt.Scale(domain=[0, size], nice=False, zero=False)


def _length(step: Step) -> timedelta:
    return {Step.HOUR: timedelta(hours=1), Step.DAY: timedelta(days=1), Step.WEEK: timedelta(weeks=1)}[step]


def _drawn(make: Callable[[int], Any], width: int, label: str, kind: str) -> str:
    return ink.draw(make(width), label=label, kind=kind)
