"""What surrounds every answer: headers that keep a supporter's visit private, and faults that tell nothing.

A key stands in the path of a supporter's pages, so neither the path nor an error's words ever reach a log.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pillarbox.ground import logs

log = logs.get("web")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
    "Cache-Control": "private, no-store",
}
"""For every answer, unless the page says otherwise."""
HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
"""The same where we are reached by https: for a year (RFC 6797). Subdomains, and lists that browsers ship, are for the
charity to decide."""


class Shelter:
    """Wraps the application: adds ``HEADERS`` and answers for faults that nobody caught."""

    def __init__(self, app: ASGIApp, fault: Callable[[Request], Response], *, https: bool = False) -> None:
        self._app = app
        self._headers = HEADERS | (HTTPS if https else {})
        self._fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sheltered(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if "frame-ancestors 'none'" not in headers["Content-Security-Policy"]:
                    del headers["X-Frame-Options"]  # it cannot name a website; the policy does
            await send(message)

        try:
            await self._app(scope, receive, sheltered)
        except Exception as fault:  # noqa: BLE001 - whatever it is, its words may hold somebody's data
            log.fault("request.broke", fault)
            if not started:
                await self._fault(Request(scope))(scope, receive, sheltered)
