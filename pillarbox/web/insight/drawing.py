"""Pictures, kept by what they show: a mailing that is done is drawn once.

One that goes on changes with every post of events, and drawing takes a good part of a second. So nobody waits for it:
a page comes with the pictures that there are and says when they are behind, and its script fetches those to come.
"""

from __future__ import annotations

import atexit
import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Generic, TypeVar

from pillarbox.ground import logs
from pillarbox.reports import bars, comparing, ink, plots, reading, variants
from pillarbox.reports.compare import Measure
from pillarbox.reports.details import Device
from pillarbox.reports.plots import Plot
from pillarbox.reports.rendering import Beside, Closed
from pillarbox.reports.report import Report

pen = Beside()
"""Draws for every page of this process, one picture at a time; not in it, where it would hold up all others."""
atexit.register(pen.close)
log = logs.get("web")
_T = TypeVar("_T")
_MOST, _NOTHING = 256, b""
FRESH_SECONDS, STALE_SECONDS = 20.0, 600.0
"""A picture whose numbers have changed is drawn again after the first; after the second the page waits for it."""


class Kept(Generic[_T]):
    """What was made last, by what it was made of."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._found: OrderedDict[Hashable, _T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """What belongs to the key, made when it is not there."""
        found = self.peek(key)
        if found is not None:
            return found
        made = make()
        self.put(key, made)
        return made

    def peek(self, key: Hashable) -> _T | None:
        """What belongs to the key; None when it is not there."""
        with self._lock:
            if key not in self._found:
                return None
            self._found.move_to_end(key)
            return self._found[key]

    def put(self, key: Hashable, made: _T) -> None:
        """Keep it, and let go of what was used longest ago."""
        with self._lock:
            self._found[key] = made
            self._found.move_to_end(key)
            while len(self._found) > self._most:
                self._found.popitem(last=False)


def now(kept: Kept[_T], key: Hashable, make: Callable[[], _T], instead: _T) -> _T:
    """What belongs to the key, drawn while the page waits; ``instead``, not kept, where it cannot be drawn."""
    def draw() -> _T:
        with ink.drawn_by(pen.render):
            return make()

    try:
        return kept.get(key, draw)
    except Closed:
        return instead
    except (ValueError, OSError) as fault:  # the page tells the same in words and numbers
        log.fault("insight.draw", fault)
        return instead


@dataclass(frozen=True, kw_only=True, slots=True)
class Hung:
    """A picture, and what it shows."""

    of: bytes
    """Empty: nothing could be drawn of what there was to show, and it is the picture before."""
    plot: Plot | None
    at: float
    """When it was drawn, or that was tried in vain (monotonic seconds)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """The pictures of a page."""

    plots: tuple[Plot, ...]
    behind: bool
    """Whether one of them is older than the figures beside it."""
    awaited: bool
    """Whether one is being drawn that is missed: there is none yet, or one that is long behind."""
    failed: bool
    """Whether one could not be drawn; what hangs there, if anything does, is older than the figures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where one picture hangs."""

    plot: Plot | None
    behind: bool = False
    awaited: bool = False
    failed: bool = False


class Gallery:
    """Places, each with the picture that was drawn for it last."""

    def __init__(self) -> None:
        self._hung: Kept[Hung] = Kept()
        self._at_work: set[Hashable] = set()
        self._lock = Lock()

    def show(self, place: Hashable, make: Callable[[], Plot | None], *of: object) -> Place:
        """The picture for a place as it is, at once; where it is behind, or there is none, it is drawn meanwhile.

        What could not be drawn is tried again by who looks ``FRESH_SECONDS`` later.

        Args:
            place: where it hangs: another mailing's is another place.
            make: draws it; tens of milliseconds.
            of: all that it shows; equal things are written equally by ``repr``.
        """
        wanted = hashlib.sha256(repr(of).encode("utf-8", "replace")).digest()
        hung = self._hung.peek(place)
        if hung is not None and hung.of == wanted:
            return Place(plot=hung.plot)
        age = time.monotonic() - hung.at if hung is not None else math.inf
        if age > FRESH_SECONDS:
            self._draw_beside(place, make, wanted)
        failed = hung is not None and hung.of == _NOTHING
        return Place(plot=hung.plot if hung else None, behind=hung is not None and not failed,
                     awaited=age >= STALE_SECONDS, failed=failed)

    def _draw_beside(self, place: Hashable, make: Callable[[], Plot | None], wanted: bytes) -> None:
        with self._lock:
            if place in self._at_work:
                return
            self._at_work.add(place)

        def work() -> None:
            before, plot, of = self._hung.peek(place), None, wanted
            try:
                with ink.drawn_by(pen.render):
                    plot = make()
            except Exception as fault:  # noqa: BLE001 - nobody waits for this thread, and the picture before stays
                if not isinstance(fault, Closed):
                    log.fault("insight.draw", fault)
                plot, of = before.plot if before else None, _NOTHING
            finally:
                self._hung.put(place, Hung(of=of, plot=plot, at=time.monotonic()))
                with self._lock:
                    self._at_work.discard(place)

        threading.Thread(target=work, name="draw", daemon=True).start()

    def of_variants(self, report: Report) -> tuple[tuple[Measure, Place], ...]:
        """What may be said of the variants' rates, each with its picture's place; none where all got the same."""
        if not report.variants:
            return ()
        labels = [one.label for one in report.variants.each]
        return tuple((measure, self.show((report.mailing.name, "variants", measure.key),
                                         partial(comparing.beside, "Variant", labels, measure), labels, measure))
                     for measure in variants.shown(report.variants))

    def of_report(self, report: Report, devices: tuple[Device, ...], also: Iterable[Place] = ()) -> Shown:
        """The pictures of a mailing's page; those that would be empty are left out.

        Args:
            also: places elsewhere on the page, which are waited for too.
        """
        found, name = report.figures, report.mailing.name
        made: list[Place] = []
        if found.planned:
            made.append(self.show((name, "funnel"), lambda: plots.funnel(report), bars.funnel_bars(report),
                                  found.planned))
        if report.timeline.buckets:
            made.append(self.show((name, "time"), lambda: plots.over_time(report.timeline), report.timeline.step,
                                  report.timeline.buckets))
        made.append(self.show((name, "devices"), lambda: reading.draw(devices, found.opened_human), devices,
                              found.opened_human))
        if found.donations.count:
            made.append(self.show((name, "raised"), lambda: plots.raised(report), report.timeline.step,
                                  report.timeline.gifts, _ends(report), found.donations))
        every = (*made, *also)
        return Shown(plots=tuple(one.plot for one in made if one.plot), behind=any(one.behind for one in every),
                     awaited=any(one.awaited for one in every), failed=any(one.failed for one in every))


def _ends(report: Report) -> object:
    """What of the time axis a picture of gifts shows: its ends, and the pounds between them."""
    buckets = report.timeline.buckets
    return (buckets[0].start, buckets[-1].start, [bucket.amount_pence for bucket in buckets]) if buckets else ()
