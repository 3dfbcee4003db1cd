"""What is drawn is what Vega-Lite's own schema calls a specification."""

from __future__ import annotations

from datetime import date
from typing import Any

import altair
import pytest

from pillarbox.reports import comparing, growing, ink, plots, reading, rendering
from pillarbox.reports.compare import Measure
from pillarbox.reports.details import devices
from pillarbox.reports.growth import Month
from pillarbox.reports.rates import proportion
from pillarbox.reports.report import gather
from pillarbox.store.connect import Store
from tests.reports.samples import sample_mailing


def test_every_picture_keeps_to_the_schema(store: Store) -> None:
    """The renderer leaves out what it does not know: a word misspelt would be a mark that is not there."""
    drawn: list[dict[str, Any]] = []

    def kept(spec: dict[str, Any]) -> str:
        drawn.append(spec)
        return rendering.render(spec)

    with ink.drawn_by(kept), store.writing() as connection:
        mailing_id = sample_mailing(connection, 200)
        report = gather(connection, mailing_id)
        assert len(plots.draw_all(report)) == 3
        assert reading.draw(devices(connection, mailing_id), report.figures.opened_human)
        months = [Month(start=date(2026, n, 1), joined=n, left=n % 3, bounced=n % 2, on_it=n * 9) for n in range(1, 8)]
        for width in (ink.WIDE, ink.NARROW):
            ink.draw(growing._chart(months, width), label="growth", kind="wide")
        rates = tuple(proportion(n, 90) for n in (9, 20, 31))
        measure = Measure(key="opened", name="Opened", of="agreed", verdict="", rates=rates)
        assert comparing.beside("Mailing", "ABC", measure)
    assert len(drawn) == 12
    for spec in drawn:
        altair.Chart.from_dict({name: part for name, part in spec.items() if name != "config"})
    spoilt = {"layer": [{**drawn[-1]["layer"][0], "mark": {"type": "rectangle"}}]}
    with pytest.raises(Exception, match="rectangle"):
        altair.Chart.from_dict(spoilt)
