"""What every hook does alike: read a bounded body in bounded time and room, and answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from pillarbox.ground import logs, metrics
from pillarbox.ground.errors import PillarboxError

log = logs.get("web")

SIZE_LIMIT = 1024 * 1024
"""Bytes of a post. Stripe's hold one event, GoCardless's 250 of about 500 bytes (their webhook pages, read 2026-11)."""
ROOM = 64 * 1024 * 1024
"""Bytes of all posts of one hook that are held at a time: eighty of SendGrid's largest."""
SECONDS = 20.0
"""How long a post may take to arrive."""
RETRY_SECONDS = 60


class UnreadError(Exception):
    """A body that is too large, never comes, or finds no room."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


UNREAD = {413: "Too large.", 408: "It did not arrive whole.", 503: "Too much at a time: come again later."}
"""What is answered, by status."""


class Shelf:
    """Room for posts that are arriving or wait for a thread: of what anybody may send, no more than so much is held.

    Args:
        most: bytes of all posts together, signed or not; who finds no room is told to come again.
    """

    def __init__(self, most: int = ROOM) -> None:
        self._most = most
        self._held = 0

    @asynccontextmanager
    async def post(self, request: Request, limit: int = SIZE_LIMIT) -> AsyncIterator[bytes]:
        """The body as it came, held as long as the block lasts.

        Args:
            request: whose.
            limit: bytes that a post may have.

        Raises:
            UnreadError: it is too large, or too slow, or there is no room for it.
        """
        length = request.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and (len(length) > 12 or int(length) > limit):
            raise UnreadError(413, "too-large")
        found = bytearray()
        try:
            await self._read(request, limit, found)
            yield bytes(found)
        finally:
            self._held -= len(found)

    async def _read(self, request: Request, limit: int, found: bytearray) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                async for part in request.stream():
                    if self._held + len(part) > self._most:
                        raise UnreadError(503, "no-room")
                    self._held += len(part)
                    found += part
                    if len(found) > limit:
                        raise UnreadError(413, "too-large")
        except (TimeoutError, ClientDisconnect):
            raise UnreadError(408, "too-slow") from None


def answer(status: int, words: str = "", *, later: bool = False) -> Response:
    """A line for the provider's own log; nothing of the post."""
    if status == 204:
        return Response(status_code=204)
    return PlainTextResponse(words + "\n", status, headers={"Retry-After": str(RETRY_SECONDS)} if later else None)


def not_taken(provider: str, reason: str, fault: PillarboxError | None = None) -> None:
    """Note that a post was turned away, and why."""
    metrics.WEBHOOK_FAILURES.labels(reason).inc()
    if reason == "store" and fault is not None:
        log.fault("hook.not-taken", fault, provider=provider, reason=reason)
    else:
        log.warning("hook.not-taken", provider=provider, reason=reason)
