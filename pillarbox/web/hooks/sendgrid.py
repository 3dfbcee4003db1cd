"""The door for SendGrid's event webhook."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pillarbox.deliver.sendgrid import events as sendgrid
from pillarbox.deliver.sendgrid.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify
from pillarbox.events.taking import Intake
from pillarbox.ground import clock, logs, metrics
from pillarbox.ground.errors import PillarboxError, Refused, SettingsError, SignatureError, StoreError
from pillarbox.model.config import Settings
from pillarbox.store.connect import Store
from pillarbox.web.hooks.lane import Lane
from pillarbox.web.hooks.post import UNREAD, Shelf, UnreadError, answer

log = logs.get("web")

SIZE_LIMIT = 2 * 1024 * 1024
"""Bytes of a post: SendGrid's reach 768 KB (event webhook page, read 2026-11)."""


class SendgridHook:
    """Takes in signed posts of events. 2xx only after the commit: whatever else, SendGrid sends them again."""

    def __init__(self, store: Store, settings: Settings, project: str) -> None:
        self._settings = settings
        self._project = project
        self._intake = Intake(store, settings.secret)
        self._lane, self._shelf = Lane(), Shelf()

    async def post(self, request: Request) -> Response:
        """Verify, parse, apply, answer."""
        with metrics.timed(metrics.WEBHOOK_SECONDS):
            return await self._answered(request)

    async def _answered(self, request: Request) -> Response:
        if not self._settings.sendgrid.webhook_key.get_secret_value():
            _not_taken("no-key")
            return answer(503, "Not set up.", later=True)
        signature = request.headers.get(SIGNATURE_HEADER, "")
        timestamp = request.headers.get(TIMESTAMP_HEADER, "")
        try:
            async with self._shelf.post(request, SIZE_LIMIT) as raw:
                await self._lane.run(self._take_in, raw, signature, timestamp)
        except UnreadError as fault:
            _not_taken(fault.reason)
            return answer(fault.status, UNREAD[fault.status], later=fault.status == 503)
        except SignatureError as fault:
            _not_taken("unsigned", fault)
            return answer(403, "Not signed by SendGrid, or too old.")
        except Refused as fault:
            _not_taken("unreadable", fault)
            return answer(400, "Not SendGrid's events.")
        except (StoreError, SettingsError) as fault:
            _not_taken("store", fault)
            return answer(503, "Try again later.", later=True)
        return Response(status_code=204)

    def _take_in(self, raw: bytes, signature: str, timestamp: str) -> None:
        options = self._settings.sendgrid
        verify(raw, signature=signature, timestamp=timestamp, public_key=options.webhook_key.get_secret_value(),
               now=clock.now(), max_age_seconds=options.webhook_max_age_seconds)
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
