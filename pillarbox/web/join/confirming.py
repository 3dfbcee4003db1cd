"""The link that confirms a sign-up: a page with one button, and the button."""

from __future__ import annotations

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground import logs
from pillarbox.people import joining
from pillarbox.people.joining import Confirmed, Standing
from pillarbox.web.render import Pages
from pillarbox.web.sending import sent_soon
from pillarbox.web.site import Site, key_of

log = logs.get("web")


class ConfirmingDoors:
    """``/join/confirm/{key}``."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._pages = pages

    async def ask(self, request: Request) -> Response:
        """The page with the button. Nothing is changed: link scanners and previews follow every link."""
        return self._shown(await run_in_threadpool(joining.standing, self._site.visitors, key_of(request)))

    async def confirm(self, request: Request) -> Response:
        """The button."""
        settings = self._site.settings
        try:
            found = await run_in_threadpool(partial(
                joining.confirm, self._site.visitors, key_of(request), settings=settings.join,
                zone=settings.project.zone))
        except Exception as fault:  # noqa: BLE001 - whatever stood in the way, who confirms must learn that it did
            log.fault("join.not-confirmed", fault)
            return self._pages.page("join/unsaved", status=503, form="page")
        if found is Confirmed.JOINED and settings.join.welcome:
            await sent_soon(self._site)
        return self._shown(Standing(state=found))

    def _shown(self, standing: Standing) -> Response:
        match standing.state:
            case Confirmed.UNKNOWN:
                return self._pages.page("join/expired", status=404, open=bool(self._site.settings.join.lists))
            case Confirmed.WAITING:
                return self._pages.page("join/confirm", standing=standing)
            case Confirmed.JOINED:
                return self._pages.page("join/joined")
            case Confirmed.LEFT:
                return self._pages.page("join/left", open=bool(self._site.settings.join.lists))
            case Confirmed.KEPT_OUT:
                return self._pages.page("join/kept")
