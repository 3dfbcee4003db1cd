"""The doors that a letter's key opens: reading that letter, and leaving."""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pillarbox.events import leaving
from pillarbox.events.leaving import Standing
from pillarbox.ground import logs
from pillarbox.ground.errors import StoreError
from pillarbox.model.config import Settings
from pillarbox.shape.bodies import body
from pillarbox.store import letters
from pillarbox.store.connect import Store
from pillarbox.web.render import Pages

log = logs.get("web")

# As ground.keys makes them; whatever else stands in the path never reaches the database.
_KEY = re.compile(r"[a-z2-7]{30}")

# A letter has its own styles and pictures, and links that leave: no script, no frame, no form.
_POLICY = ("default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; base-uri 'none'; "
           "form-action 'none'; frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox "
           "allow-top-navigation-by-user-activation")


class LetterDoors:
    """``/v/{key}`` and ``/u/{key}``."""

    def __init__(self, store: Store, settings: Settings, pages: Pages) -> None:
        self._store = store
        self._settings = settings
        self._pages = pages

    async def view(self, request: Request) -> Response:
        """The supporter's own letter, as it was sent."""
        html = await run_in_threadpool(self._letter, _key(request))
        if html is None:
            return self._pages.page("missing", status=404)
        return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "private, max-age=300"})

    async def ask(self, request: Request) -> Response:
        """The page with the button. Nothing is changed: link scanners and previews follow every link."""
        try:
            found = await run_in_threadpool(leaving.standing, self._store, _key(request))
        except StoreError as fault:
            log.fault("unsubscribe.not-shown", fault)
            return self._pages.page("fault", status=503)
        return self._shown(found)

    async def leave(self, request: Request) -> Response:
        """The button, or a mail program's one click (RFC 8058): done when this answers, no cookies, no redirect."""
        try:
            found = await run_in_threadpool(leaving.leave, self._store, _key(request), secret=self._settings.secret)
        except Exception as fault:  # noqa: BLE001 - whatever stood in the way, a supporter must learn that it did
            log.fault("unsubscribe.not-saved", fault)
            return self._pages.page("unsaved", status=500, again=True)
        return self._shown(found)

    def _shown(self, found: Standing) -> Response:
        match found:
            case Standing.UNKNOWN:
                return self._pages.page("missing", status=404)
            case Standing.READER:
                return self._pages.page("ask")
            case Standing.LEFT:
                return self._pages.page("done")
            case Standing.PROOF:
                return self._pages.page("proof")

    def _letter(self, key: str) -> str | None:
        with self._store.reading() as connection:
            kept = letters.kept_by_key(connection, key)
        return body(kept.shape, kept.values).html if kept else None


def _key(request: Request) -> str:
    key = str(request.path_params["key"]).lower()
    return key if _KEY.fullmatch(key) else ""
