"""Mailings beside each other: chosen from a list, then told with ranges and honest words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.model.states import Kind
from pillarbox.reports import compare as reports
from pillarbox.reports import comparing
from pillarbox.reports.compare import Comparison, Measure
from pillarbox.reports.plots import Plot
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.web.insight import drawing, look
from pillarbox.web.insight.drawing import Kept
from pillarbox.web.site import Site
from pillarbox.web.staff.frame import site_of

_CHOICES = 60
_plots: Kept[tuple[Plot | None]] = Kept()


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One measure with its picture."""

    measure: Measure
    plot: Plot | None


async def compare(request: Request) -> Response:
    """The page; ``?m=NAME`` two to six times."""
    names = list(dict.fromkeys(name[:200].replace("\0", "") for name in request.query_params.getlist("m")))
    values = await run_in_threadpool(_look, site_of(request), names)
    return look.page(request, "compare", fewest=reports.FEWEST, most=reports.MOST, **values)


def _look(site: Site, names: list[str]) -> dict[str, Any]:
    with site.store.snapshot() as connection:
        choices = [one for one in mailings.newest_first(connection, _CHOICES)
                   if one.kind is not Kind.PROOF and one.started_at is not None]
        chosen = [one for name in names[:reports.MOST + 1] if (one := mailings.named(connection, name))]
        if not reports.FEWEST <= len(chosen) <= reports.MOST:
            return {"choices": choices, "chosen": {one.name for one in chosen}, "found": None, "shown": (),
                    "fault": _fault(names, chosen)}
        found = reports.compare(connection, chosen)
    older = [one for one in chosen if one.name not in {choice.name for choice in choices}]
    return {"choices": [*choices, *older], "chosen": {one.name for one in chosen}, "found": found, "fault": "",
            "shown": [_drawn(found, measure) for measure in found.measures]}


def _drawn(found: Comparison, measure: Measure) -> Shown:
    letters = [column.letter for column in found.columns]
    return Shown(measure=measure, plot=drawing.now(
        _plots, repr((letters, measure)), lambda: (comparing.draw(found, measure),), (None,))[0])


def _fault(names: list[str], chosen: list[Mailing]) -> str:
    if not names:
        return ""
    if len(names) > reports.MOST:
        return f"Choose {reports.MOST} at most: more cannot be told apart."
    if len(chosen) < len(names):
        return "One of these mailings is not there (any more). Choose again."
    return "Choose two at least."
