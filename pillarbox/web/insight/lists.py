"""How the lists grow and how healthy they are: all of them, then each month by month."""

from __future__ import annotations

import threading
import time
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground import clock
from pillarbox.model.states import Basis
from pillarbox.reports import growing, growth
from pillarbox.reports.growth import Growth, Health
from pillarbox.reports.plots import Plot
from pillarbox.web.insight import drawing, look
from pillarbox.web.insight.drawing import Kept
from pillarbox.web.site import Site
from pillarbox.web.staff.frame import site_of

_FRESH_SECONDS = 60.0
"""Lists change slowly, and telling of a million supporters takes seconds: what was counted serves for so long."""
_LARGEST_ID = 2**53
_plots: Kept[tuple[Plot | None]] = Kept()
BASES = ((Basis.CONSENT, "Consent"), (Basis.SOFT_OPT_IN, "Soft opt-in"), (Basis.NONE, "None: not mailed"))


class ListDoors:
    """``/staff/lists``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: tuple[float, datetime, tuple[Health, ...]] | None = None

    async def show(self, request: Request) -> Response:
        """Every list."""
        at, lists = await run_in_threadpool(self._health, site_of(request))
        return look.page(request, "lists", lists=lists, bases=BASES, at=at)

    async def one(self, request: Request) -> Response:
        """One list, month by month."""
        number = int(request.path_params["number"])
        found = await run_in_threadpool(_growth, site_of(request), number) if number <= _LARGEST_ID else None
        if found is None:
            raise HTTPException(404)
        plot = await run_in_threadpool(_drawn, found)
        return look.page(request, "list", list=found.health, plot=plot, ever=bool(found.months), bases=BASES,
                         crumbs=(("Lists", "/staff/lists"),))

    def _health(self, site: Site) -> tuple[datetime, tuple[Health, ...]]:
        with self._lock:
            if self._counted is None or time.monotonic() - self._counted[0] > _FRESH_SECONDS:
                with site.store.snapshot() as connection:
                    self._counted = (time.monotonic(), clock.now(), growth.health(connection))
            return self._counted[1:]


def _drawn(found: Growth) -> Plot | None:
    """The picture of a list, kept by its months."""
    return drawing.now(_plots, found.months, lambda: (growing.draw(found),), (None,))[0]


def _growth(site: Site, number: int) -> Growth | None:
    with site.store.snapshot() as connection:
        return growth.growth(connection, number, site.settings.project.zone)
