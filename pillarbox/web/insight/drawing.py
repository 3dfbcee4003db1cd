"""Pictures, kept by what they show: a mailing that is done is drawn once, one that goes on whenever numbers change."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from pillarbox.reports import bars, plots, reading
from pillarbox.reports.details import Device
from pillarbox.reports.plots import Plot
from pillarbox.reports.report import Report

_T = TypeVar("_T")
_MOST = 256


class Kept(Generic[_T]):
    """What was made last, by what it was made of."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._found: OrderedDict[Hashable, _T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """What belongs to the key, made when it is not there."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        made = make()
        with self._lock:
            self._found[key] = made
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return made


_plots: Kept[Plot | None] = Kept()


def drawn(make: Callable[[], Plot | None], *of: object) -> Plot | None:
    """A picture.

    Args:
        make: draws it; tens of milliseconds.
        of: all that it shows; equal things are written equally by ``repr``.
    """
    key = hashlib.sha256(repr(of).encode("utf-8", "replace")).digest()
    return _plots.get(key, make)


def of_report(report: Report, devices: tuple[Device, ...]) -> tuple[Plot, ...]:
    """The pictures of a mailing's page; those that would be empty are left out."""
    found = report.figures
    made: list[Plot | None] = []
    if found.planned:
        made.append(drawn(lambda: plots.funnel(report), "funnel", bars.funnel_bars(report), found.planned))
    if report.timeline.buckets:
        made.append(drawn(lambda: plots.over_time(report.timeline), "over time", report.timeline))
    made.append(drawn(lambda: reading.draw(devices, found.opened_human), "devices", devices, found.opened_human))
    if found.donations.count:
        made.append(drawn(lambda: plots.raised(report), "raised", report.timeline, found.donations))
    return tuple(plot for plot in made if plot)
