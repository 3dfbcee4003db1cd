"""What every hook of a payment provider does alike: read a bounded body in bounded time, and answer."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from pillarbox.ground import logs, metrics
from pillarbox.ground.errors import PillarboxError

log = logs.get("web")

SIZE_LIMIT = 1024 * 1024
"""Bytes of a post. Stripe's hold one event, GoCardless's 250 of about 500 bytes (their webhook pages, read 2026-11)."""
SECONDS = 20.0
"""How long a post may take to arrive."""
RETRY_SECONDS = 60


class UnreadError(Exception):
    """A body that is too large, or never comes."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


async def body(request: Request) -> bytes:
    """The body as it came.

    Raises:
        UnreadError: it is too large, or too slow.
    """
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 12 or int(length) > SIZE_LIMIT):
        raise UnreadError(413, "too-large")
    found = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                found += part
                if len(found) > SIZE_LIMIT:
                    raise UnreadError(413, "too-large")
    except (TimeoutError, ClientDisconnect):
        raise UnreadError(408, "too-slow") from None
    return bytes(found)


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
