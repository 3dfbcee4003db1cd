"""The door for SendGrid's event webhook."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from pillarbox.deliver.sendgrid import events as sendgrid
from pillarbox.events.taking import Intake
from pillarbox.ground import clock, logs, metrics
from pillarbox.ground.errors import PillarboxError, Refused, SettingsError, SignatureError, StoreError
from pillarbox.model.config import Settings
from pillarbox.store.connect import Store
from pillarbox.web.hooks.lane import Lane

log = logs.get("web")

SIZE_LIMIT = 2 * 1024 * 1024
"""Bytes of a post: SendGrid's reach 768 KB (event webhook page, read 2026-11)."""
SECONDS = 20.0
"""For all of a post to arrive; SendGrid comes again."""
RETRY_SECONDS = 60


class _TooLarge(Exception):
    pass


class SendgridHook:
    """Takes in signed posts of events. 2xx only after the commit: whatever else, SendGrid sends them again."""

    def __init__(self, store: Store, settings: Settings, project: str) -> None:
        self._settings = settings
        self._project = project
        self._intake = Intake(store, settings.secret)
        self._lane = Lane()

    async def post(self, request: Request) -> Response:
        """Verify, parse, apply, answer."""
        with metrics.timed(metrics.WEBHOOK_SECONDS):
            return await self._answered(request)

    async def _answered(self, request: Request) -> Response:
        if not self._settings.sendgrid.webhook_key.get_secret_value():
            _not_taken("no-key")
            return _answer(503, "Not set up.", retry=True)
        try:
            raw = await _body(request)
        except _TooLarge:
            _not_taken("too-large")
            return _answer(413, "Too large.")
        except (TimeoutError, ClientDisconnect):
            _not_taken("broken-off")
            return _answer(408, "It did not arrive whole.")
        signature = request.headers.get(sendgrid.SIGNATURE_HEADER, "")
        timestamp = request.headers.get(sendgrid.TIMESTAMP_HEADER, "")
        try:
            await self._lane.run(self._take_in, raw, signature, timestamp)
        except SignatureError as fault:
            _not_taken("unsigned", fault)
            return _answer(403, "Not signed by SendGrid, or too old.")
        except Refused as fault:
            _not_taken("unreadable", fault)
            return _answer(400, "Not SendGrid's events.")
        except (StoreError, SettingsError) as fault:
            _not_taken("store", fault)
            return _answer(503, "Try again later.", retry=True)
        return Response(status_code=204)

    def _take_in(self, raw: bytes, signature: str, timestamp: str) -> None:
        options = self._settings.sendgrid
        sendgrid.verify(raw, signature=signature, timestamp=timestamp,
                        public_key=options.webhook_key.get_secret_value(), now=clock.now(),
                        max_age_seconds=options.webhook_max_age_seconds)
        parsed = sendgrid.read(raw, project=self._project)
        if parsed.faults:
            # The others are good, and this post would never get better by coming again.
            log.warning("events.unreadable", faults=len(parsed.faults), events=len(parsed.events))
        self._intake.take_in(parsed.events)


def _not_taken(reason: str, fault: PillarboxError | None = None) -> None:
    """What `doctor` and the numbers tell in words and counts; here, that it happened."""
    metrics.WEBHOOK_FAILURES.labels(reason).inc()
    if reason == "store" and fault is not None:
        log.fault("webhook.not-taken", fault, reason=reason)
    else:
        log.warning("webhook.not-taken", reason=reason)


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(SECONDS):
        async for part in request.stream():
            size += len(part)
            if size > SIZE_LIMIT:
                raise _TooLarge
            parts.append(part)
    return b"".join(parts)


def _answer(status: int, words: str, *, retry: bool = False) -> Response:
    return PlainTextResponse(words + "\n", status, headers={"Retry-After": str(RETRY_SECONDS)} if retry else None)
