"""Live progress of a mailing: server-sent events for the page's one script, of numbers counted once for all."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from threading import Lock

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from pillarbox.mailings import launch, outlook
from pillarbox.model.states import MailingState
from pillarbox.reports import words
from pillarbox.reports.glance import Progress, progress
from pillarbox.store import mailings, workers
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.web.site import Site
from pillarbox.web.staff.mailings import mailing_of

STREAM_SECONDS = 20.0
"""So long a stream lasts; the browser then asks again by itself. So a logout ends it, and the server can stop."""
LOOK_SECONDS = 1.0
_MOST_STREAMS = 60
_RETRY_MILLISECONDS = 1_000
# A count that takes long is not asked for all the time: at most a tenth of it is spent counting.
_REST = 10.0
_PACE_SECONDS = 60.0
_KEPT = 64
ALONE = ("No worker is there: unless somebody sends it in a terminal, nothing more leaves until one runs: `pillarbox "
         "worker`.")
"""Of a mailing that is being sent by nobody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """Where a mailing stands at a moment."""

    mailing: Mailing
    counts: Progress
    words: str
    """What it waits for, or how long it will take; may be empty."""

    @property
    def mark(self) -> str:
        """Changes when the page must be made anew: its buttons are others then."""
        one = self.mailing
        return f"{one.state.value}.{one.wave}.{int(one.watch_until is not None)}.{int(one.approved_by is not None)}"

    def to_json(self) -> dict[str, object]:
        """What the page's script reads."""
        counts = self.counts
        return {"mark": self.mark, "state": words.MAILING_STATE[self.mailing.state], "words": self.words,
                "planned": counts.planned, "settled": counts.settled, "accepted": counts.accepted,
                "remaining": counts.remaining, "in_doubt": counts.in_doubt, "failed": counts.failed,
                "withdrawn": counts.withdrawn, "cancelled": counts.cancelled,
                "over": self.mailing.state in (MailingState.SENT, MailingState.CANCELLED)}


@dataclass(kw_only=True, slots=True)
class _Watched:
    lock: Lock = field(default_factory=Lock)
    found: Snapshot | None = None
    until: float = 0.0
    """Of the monotonic clock: so long the snapshot serves."""
    pace: deque[tuple[float, int]] = field(default_factory=deque)
    """(moment, settled) of the last minute."""


class Counts:
    """How mailings stand, counted at most once a second however many look."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._watched: dict[int, _Watched] = {}
        self._lock = Lock()

    def snapshot(self, mailing_id: int, *, as_read: Mailing | None = None) -> Snapshot:
        """Where a mailing stands, now or a second ago.

        Args:
            as_read: the mailing as the caller read it: no older count than that serves.
        """
        with self._lock:
            if len(self._watched) >= _KEPT and mailing_id not in self._watched:
                self._watched.clear()
            watched = self._watched.setdefault(mailing_id, _Watched())
        if as_read is None and watched.found is not None and watched.lock.locked():
            return watched.found  # somebody counts: threads that only wait for them are missed elsewhere
        with watched.lock:
            began = time.monotonic()
            stale = as_read is not None and watched.found is not None and watched.found.mailing != as_read
            if watched.found is None or stale or began >= watched.until:
                watched.found = self._look(mailing_id, watched)
                ended = time.monotonic()
                watched.until = ended + max(LOOK_SECONDS * 0.9, _REST * (ended - began))
            return watched.found

    def _look(self, mailing_id: int, watched: _Watched) -> Snapshot:
        with self._project.store.reading() as connection:
            mailing = mailings.by_id(connection, mailing_id)
            counts = progress(connection, mailing)
            attended = mailing.state is not MailingState.SENDING or bool(workers.present(connection))
        pace = _pace(watched, mailing, counts)
        said = (outlook.said(self._project, mailing, commands=False)
                or _sentence(launch.words(mailing, self._project.settings.project.zone))
                or pace)
        if not attended and not pace:
            said = f"{said} {ALONE}".strip()
        return Snapshot(mailing=mailing, counts=counts, words=said)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _pace(watched: _Watched, mailing: Mailing, counts: Progress) -> str:
    """How long it will take, from how it went in the last minute; empty while nothing can be said."""
    if mailing.state is not MailingState.SENDING:
        watched.pace.clear()
        return ""
    now = time.monotonic()
    watched.pace.append((now, counts.settled))
    while watched.pace and now - watched.pace[0][0] > _PACE_SECONDS:
        watched.pace.popleft()
    since, before = watched.pace[0]
    done, seconds = counts.settled - before, now - since
    if done <= 0 or seconds < 3 or not counts.remaining:
        return ""
    left = counts.remaining * seconds / done
    about = "less than a minute" if left < 60 else f"about {round(left / 60)} minutes" if left < 5400 else \
        f"about {round(left / 3600)} hours"
    return f"{done / seconds * 60:,.0f} a minute, {about} to go."


class ProgressDoor:
    """``/staff/mailings/{name}/sending/progress``."""

    def __init__(self, site: Site) -> None:
        self.counts = Counts(site.project)
        self._streams = 0

    async def follow(self, request: Request) -> Response:
        """The stream of one mailing."""
        mailing = await mailing_of(request)
        if self._streams >= _MOST_STREAMS:
            return PlainTextResponse("Too many look on.\n", 503)
        return StreamingResponse(self._events(mailing.id), media_type="text/event-stream",
                                 headers={"X-Accel-Buffering": "no"})

    async def _events(self, mailing_id: int) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
            last, until = b"", time.monotonic() + STREAM_SECONDS
            while time.monotonic() < until:
                found = await run_in_threadpool(self.counts.snapshot, mailing_id)
                told = orjson.dumps(found.to_json())
                yield b"data: " + told + b"\n\n" if told != last else b": still here\n\n"
                last = told
                if found.to_json()["over"]:
                    return
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._streams -= 1
