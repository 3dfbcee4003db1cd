"""What the stand-in keeps until its time: batch ids, letters with ``send_at``, and their cancelling.

Rules: https://www.twilio.com/docs/sendgrid/api-reference/cancel-scheduled-sends, read 2026-11: a batch is cancelled or
paused no later than 10 minutes before its time, at most 10 batches at a time; a cancelled one is discarded at its time;
a paused one is kept, and discarded 72 hours after it. A second status for the same batch is refused.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pillarbox.standin.limits import Refusal
from pillarbox.standin.mailbox import Kept

BATCH = "/v3/mail/batch"
SCHEDULED = "/v3/user/scheduled_sends"
MOST_STOPPED = 10
LAST_STOP = timedelta(minutes=10)
EXPIRES = timedelta(hours=72)
_STATUSES = ("cancel", "pause")

Answer = tuple[int, Any]
"""Status, and what is to stand in the body: data, refusals (a list of ``Refusal``), or None."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiting:
    batch: str
    at: datetime
    message: Kept


class Scheduled:
    """Batches and the letters that wait; safe to use from many threads.

    Args:
        deliver: takes the letters whose time has come.
    """

    def __init__(self, deliver: Callable[[list[Kept]], None]) -> None:
        self._deliver = deliver
        self._lock = threading.Lock()
        self._batches: dict[str, datetime | None] = {}
        """Batch id → the earliest time of a letter that bears it."""
        self._stopped: dict[str, str] = {}
        self._waiting: list[_Waiting] = []
        self.discarded = 0
        """Letters thrown away at their time, for their batch was cancelled."""

    @property
    def held(self) -> int:
        """Letters that wait."""
        with self._lock:
            return len(self._waiting)

    def take(self, messages: list[Kept], request: dict[str, Any], now: datetime) -> list[Kept]:
        """Keep those of a request's letters whose time is to come; returns the others."""
        at_once = []
        for number, message in enumerate(messages):
            moment = request["personalizations"][number].get("send_at") or request.get("send_at") or 0
            if moment <= now.timestamp():
                at_once.append(message)
                continue
            at, batch = datetime.fromtimestamp(moment, UTC), request.get("batch_id") or ""
            with self._lock:
                self._waiting.append(_Waiting(batch=batch, at=at, message=message))
                if batch:
                    self._batches[batch] = min(self._batches[batch] or at, at)
        return at_once

    def release(self, now: datetime) -> None:
        """Deliver, or throw away, what has waited long enough."""
        ready: list[Kept] = []
        with self._lock:
            staying = []
            for one in self._waiting:
                status = self._stopped.get(one.batch) if one.batch else None
                if one.at > now or (status == "pause" and one.at + EXPIRES > now):
                    staying.append(one)
                elif status is None:
                    ready.append(replace(one.message, accepted_at=one.at))
                else:
                    self.discarded += 1
            self._waiting = staying
        if ready:
            self._deliver(ready)

    def refusals(self, request: Any) -> list[Refusal]:
        """What is wrong with a Mail Send body's batch id."""
        batch = request.get("batch_id") if isinstance(request, dict) else None
        with self._lock:
            known = batch is None or (isinstance(batch, str) and batch in self._batches)
        return [] if known else [Refusal(message="invalid batch id", field="batch_id", anchor="batch_id")]

    # ------------------------------------------------------------------------------------------ the API

    def post(self, path: str, data: Any, now: datetime) -> Answer | None:
        """Answer a POST; None: there is no such page."""
        if path == BATCH:
            batch = secrets.token_urlsafe(36)
            with self._lock:
                self._batches[batch] = None
            return 201, {"batch_id": batch}
        if path == SCHEDULED:
            given = data if isinstance(data, dict) else {}
            return self._stop(given.get("batch_id"), given.get("status"), now)
        return None

    def get(self, path: str) -> Answer | None:
        """Answer a GET; None: there is no such page."""
        with self._lock:
            stopped = [{"batch_id": batch, "status": status} for batch, status in self._stopped.items()]
            if path == SCHEDULED:
                return 200, stopped
            head, _, batch = path.rpartition("/")
            if head == SCHEDULED:
                return 200, [one for one in stopped if one["batch_id"] == batch]
            if head == BATCH:
                return (200, {"batch_id": batch}) if batch in self._batches else (400, [_invalid()])
        return None

    def delete(self, path: str) -> Answer | None:
        """Take a cancel or pause off a batch; None: there is no such page."""
        head, _, batch = path.rpartition("/")
        if head != SCHEDULED:
            return None
        with self._lock:
            return (204, None) if self._stopped.pop(batch, None) else (404, [Refusal(message="not found", field=None)])

    def _stop(self, batch: Any, status: Any, now: datetime) -> Answer:
        if status not in _STATUSES:
            return 400, [Refusal(message="status must be cancel or pause", field="status")]
        with self._lock:
            if batch not in self._batches:
                return 400, [_invalid()]
            if batch in self._stopped:
                return 400, [Refusal(message="a status has been set for this batch already", field=None)]
            if len(self._stopped) >= MOST_STOPPED:
                return 400, [Refusal(message="too many batches are cancelled or paused", field=None)]
            if (at := self._batches[batch]) and now > at - LAST_STOP:
                return 400, [Refusal(message="too late to stop this batch", field=None)]
            self._stopped[batch] = status
        return 201, {"batch_id": batch, "status": status}


def _invalid() -> Refusal:
    return Refusal(message="invalid batch id", field=None)
