"""What the doors of supporters answer alike: nobody is there, nothing was read, nothing was saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground import logs
from pillarbox.ground.errors import StoreError
from pillarbox.people.holder import Standing
from pillarbox.web.render import Pages
from pillarbox.web.site import Site
from pillarbox.web.supporters import forms
from pillarbox.web.supporters.forms import Form, UnreadError

log = logs.get("web")

T = TypeVar("T")


class Doors:
    """What every room of doors for supporters stands on."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._pages = pages
        self._settings = site.settings.preferences
        self._sign_up = site.settings.links.sign_up

    async def _seen(self, look: Callable[[], T]) -> T:
        """What a look at the database gives.

        Raises:
            HTTPException: it cannot be looked at now.
        """
        try:
            return await run_in_threadpool(look)
        except StoreError as fault:
            log.fault("supporter.not-shown", fault)
            raise HTTPException(503) from None

    async def _saved(self, save: Callable[[], T]) -> T | None:
        """What saving gives; None when it was not saved: whatever stood in the way, a supporter must learn that."""
        try:
            return await run_in_threadpool(save)
        except Exception as fault:  # noqa: BLE001 - see above
            log.fault("supporter.not-saved", fault)
            return None

    async def _form(self, request: Request) -> Form | Response:
        try:
            return await forms.read(request)
        except UnreadError as fault:
            return self._unread(fault)

    def _unread(self, fault: UnreadError) -> Response:
        log.warning("supporter.not-read", status=fault.status)
        return self._pages.page("supporters/unread", status=fault.status)

    def _not_saved(self, again: Sequence[tuple[str, str]]) -> Response:
        """Nothing was saved; a button sends the same once more, to the address that it was sent to."""
        return self._pages.page("supporters/unsaved", status=500, again=again)

    def _nobody(self, standing: Standing) -> Response:
        """For those who are no readers."""
        match standing:
            case Standing.PROOF:
                return self._pages.page("supporters/proof")
            case Standing.LEFT:
                return self._pages.page("supporters/done", sign_up=self._sign_up)
            case _:
                return self._pages.page("missing", status=404)
