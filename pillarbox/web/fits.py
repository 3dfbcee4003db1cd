"""A server that was left behind: while the database is a newer program's, it answers "later" and touches nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pillarbox.ground import logs
from pillarbox.ground.errors import StoreError
from pillarbox.store import migrate
from pillarbox.store.connect import Store

LOOK_SECONDS = 5.0
"""Between two looks at the database's version, however many requests come."""
RETRY_AFTER_SECONDS = 300
log = logs.get("web")


class Fits:
    """Wraps the application: 503 and "try again later" from the moment that a newer program upgraded the database.

    SendGrid posts its events again for 24 hours after any answer but 2xx (event webhook page, read 2026-11).
    """

    def __init__(self, app: ASGIApp, store: Store, later: Callable[[Request], Response]) -> None:
        self._app = app
        self._store = store
        self._later = later
        self._looked, self._left_behind = -LOOK_SECONDS, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or ask to come again."""
        if scope["type"] == "http" and await self._is_left_behind():
            response = self._later(Request(scope))
            response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _is_left_behind(self) -> bool:
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            before, self._left_behind = self._left_behind, await run_in_threadpool(self._look)
            if self._left_behind and not before:
                log.error("serve.left_behind")
        return self._left_behind

    def _look(self) -> bool:
        try:
            migrate.refuse_when_left_behind(self._store)
        except migrate.NewerDatabaseError:
            return True
        except StoreError:  # away, not newer: the request itself says so
            return self._left_behind
        return False
