"""Leaving: a page with one button, and a mail program's one click."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.events import leaving
from pillarbox.events.leaving import Standing
from pillarbox.ground import logs
from pillarbox.ground.errors import StoreError
from pillarbox.web.site import Site, key_of

log = logs.get("web")


class LeavingDoors:
    """``/u/{key}``."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._pages = site.pages

    async def ask(self, request: Request) -> Response:
        """The page with the button. Nothing is changed: link scanners and previews follow every link."""
        try:
            found = await run_in_threadpool(leaving.standing, self._site.store, key_of(request))
        except StoreError as fault:
            log.fault("unsubscribe.not-shown", fault)
            return self._pages.page("fault", status=503)
        return self._shown(found)

    async def leave(self, request: Request) -> Response:
        """The button, or a mail program's one click (RFC 8058): done when this answers, no cookies, no redirect."""
        try:
            found = await run_in_threadpool(leaving.leave, self._site.store, key_of(request),
                                            secret=self._site.settings.secret)
        except Exception as fault:  # noqa: BLE001 - whatever stood in the way, a supporter must learn that it did
            log.fault("unsubscribe.not-saved", fault)
            return self._pages.page("supporters/unsaved", status=500, again=True)
        return self._shown(found)

    def _shown(self, found: Standing) -> Response:
        match found:
            case Standing.UNKNOWN:
                return self._pages.page("missing", status=404)
            case Standing.READER:
                return self._pages.page("supporters/ask")
            case Standing.LEFT:
                return self._pages.page("supporters/done")
            case Standing.PROOF:
                return self._pages.page("supporters/proof")
