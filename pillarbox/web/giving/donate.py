"""The donate link of a letter: on to the donation page, wherever that is by now."""

from __future__ import annotations

import asyncio

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pillarbox.events.destinations import MONTHLY, ONCE, Destinations
from pillarbox.events.following import Followed, Links
from pillarbox.ground import logs
from pillarbox.ground.errors import StoreError
from pillarbox.model.records import Event
from pillarbox.web.site import Site

log = logs.get("web")


class DonateDoor:
    """``/d/{key}`` and ``/d/{key}/monthly``; ``?amount=25`` asks for a sum."""

    def __init__(self, site: Site) -> None:
        """Read the donation pages.

        Raises:
            SettingsError: one of them is no page that a letter may lead to.
        """
        self._pages = site.pages
        self._destinations = Destinations(site.settings)
        self._links = Links(site.visitors, self._destinations, secret=site.settings.secret)
        # Nobody waits for what is written down afterwards.
        self._notes = Links(site.store, self._destinations, secret=site.settings.secret)
        self._waiting: list[Event] = []
        self._writing = asyncio.Lock()

    async def once(self, request: Request) -> Response:
        """To the donation page."""
        return await self._onward(request, monthly=False)

    async def monthly(self, request: Request) -> Response:
        """To the page of regular gifts."""
        return await self._onward(request, monthly=True)

    async def _onward(self, request: Request, *, monthly: bool) -> Response:
        plain = self._links.plain(monthly=monthly)
        try:
            found = await run_in_threadpool(self._links.look_up, str(request.path_params["key"])[:100], monthly=monthly,
                                            user_agent=request.headers.get("user-agent", ""))
        except StoreError as fault:
            # Somebody wants to give: whose letter it was matters less.
            log.fault("donate.not-looked-up", fault)
            found = None
        page = found.to.url if found and found.to else plain if found is None else ""
        if not page:
            return self._pages.page("giving/unknown", status=404, page=plain)
        # Of all that a visitor could send, a sum alone goes on, and only digits make one.
        page = self._destinations.with_amount(MONTHLY if monthly else ONCE, page,
                                              request.query_params.get("amount", "")[:20])
        return RedirectResponse(page, status_code=303, background=self._noting(request, found))

    def _noting(self, request: Request, found: Followed | None) -> BackgroundTask | None:
        """What is written down once the visitor is on the way; a look ahead by a browser or mail program is nothing."""
        if found is None or found.click is None or request.method != "GET" or _looks_ahead(request):
            return None
        return BackgroundTask(self._note, found.click)

    async def _note(self, click: Event) -> None:
        """Write a click down, with all others that came while the last were being written: a commit costs the same."""
        self._waiting.append(click)
        async with self._writing:
            together, self._waiting = self._waiting, []
            try:
                await run_in_threadpool(self._notes.write_down, together)
            except StoreError as fault:
                log.fault("donate.not-noted", fault)


def _looks_ahead(request: Request) -> bool:
    """Whether a program asks before anybody has pressed: Sec-Purpose (Fetch standard), and its older names."""
    said = " ".join(request.headers.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz"))
    return "prefetch" in said.lower() or "prerender" in said.lower() or "preview" in said.lower()
