"""Horizontal bars: from sent to gave, each with its own honest denominator; and what each kind of evidence raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pillarbox.model.states import Attribution
from pillarbox.reports import ink, words
from pillarbox.reports.marks import Spec, along, at, layer, mark, says, scale, to
from pillarbox.reports.report import Report

_GAP, _THICK = 50, 13


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One horizontal bar: a part (strong) of what it could have been (pale), and what cannot be known (outline)."""

    label: str
    says: str
    """Numbers, right of the label."""
    part: float
    whole: float
    unknown: float = 0

    def fitting(self, width: int) -> str:
        """The numbers, shorter where they would run into the label (about 7 and 6 pixels a letter)."""
        fits = len(self.label) * 7.4 + len(self.says) * 6.4 + 8 <= width
        return self.says if fits else self.says.replace(" who agreed", "")


def funnel_bars(report: Report) -> tuple[Bar, ...]:
    """The steps, with their numbers in words."""
    found, rates = report.figures, report.figures.rates
    opened, clicked, gave, delivered = (rates[name] for name in ("opened", "clicked", "gave", "delivered"))
    untracked = found.delivered - found.tracked_delivered
    bars = [Bar(label=words.handed(report.mailing.transport), part=found.accepted, whole=found.planned,
                says=f"{found.accepted:,} of {found.planned:,} planned")]
    if delivered and found.heard_until is not None:
        bars.append(Bar(label="Delivered", part=found.delivered, whole=found.accepted,
                        says=f"{delivered.part:,} of {delivered.of:,} · {words.percent(delivered.value)}"))
    for label, rate in (("Opened by people", opened), ("Clicked", clicked)):
        if rate:
            bars.append(Bar(label=label, part=rate.part, whole=rate.of, unknown=untracked,
                            says=f"{rate.part:,} of {rate.of:,} who agreed · {words.percent(rate.value)}"))
        elif found.delivered:
            bars.append(Bar(label=label, part=0, whole=0, unknown=untracked, says="nobody agreed to tracking"))
    if gave:
        bars.append(Bar(label="Gave", part=gave.part, whole=gave.of,
                        says=f"{gave.part:,} of {gave.of:,} · {words.percent(gave.value)}"))
    return tuple(bars)


def evidence_bars(report: Report) -> tuple[Bar, ...]:
    """What each kind of evidence accounts for; unused kinds are left out."""
    money = report.figures.donations
    return tuple(
        Bar(label=words.EVIDENCE[kind][0], part=max(0, part.amount_pence), whole=0,
            says=f"{words.pounds(part.amount_pence)} · {part.count:,} gift{'' if part.count == 1 else 's'}")
        for kind in Attribution if (part := money.attribution[kind]).count)


def draw(bars: Sequence[Bar], top: float, width: int) -> Spec:
    """A chart of bars below each other; the longest possible is ``top``, as wide as the column."""
    height, thick = len(bars) * _GAP, _THICK
    across = along("a", scale(0, top or 1, pixels=(0, width)))
    down = along("y", {"domain": [0, height], "range": [0, height]})

    def rects(values: list[Spec], **look: Any) -> Spec:
        return mark("rect", values, {"cornerRadius": 2, **look}, x=across, x2=to("b"), y=down, y2=to("y2"))

    def bar_at(n: int, a: float, b: float) -> Spec:
        return {"a": a, "b": b, "y": n * _GAP + 22, "y2": n * _GAP + 22 + thick}

    least = (top or 1) * 2.5 / width  # a gift among thousands is still a line that can be seen
    shown = [
        rects([bar_at(n, bar.whole, bar.whole + bar.unknown) for n, bar in enumerate(bars) if bar.unknown],
              fill=None, stroke=ink.MACHINE, strokeDash=[3, 3], strokeWidth=1),
        rects([bar_at(n, 0, bar.whole) for n, bar in enumerate(bars) if bar.whole], fill=ink.TRACK),
        rects([bar_at(n, 0, max(bar.part, least)) for n, bar in enumerate(bars) if bar.part], fill=ink.ACCENT),
    ]
    texts = [{"y": n * _GAP + 9, "label": bar.label, "says": bar.fitting(width)} for n, bar in enumerate(bars)]
    return layer(
        *shown,
        mark("text", texts, {"align": "left", "color": ink.INK, "fontSize": ink.SIZE, "fontWeight": "bold"},
             x=at(0), y=down, text=says("label")),
        mark("text", texts, {"align": "right", "color": ink.MUTED, "fontSize": ink.SMALL + 0.5},
             x=at(width), y=down, text=says("says")),
        width=width, height=height - _GAP + 22 + thick)
