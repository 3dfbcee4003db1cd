"""How long the server waits for a request: a client that dribbles must not hold a connection for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 30.0
"""For a whole request, head and body. The forms and hooks answer 408 sooner; this is for who never gets so far."""
_COMING = (h11.IDLE, h11.SEND_BODY)


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, which by itself waits for a request's head for ever (uvicorn 0.54, read 2026-11)."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there: their time runs."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._forget()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Something came; one more byte is no more time."""
        super().handle_events()
        self._watch()

    def _watch(self) -> None:
        if not self._waits:
            self._forget()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    @property
    def _waits(self) -> bool:
        state: Any = self.conn.their_state
        return state in _COMING

    def _give_up(self) -> None:
        self._deadline = None
        if self._waits:
            self.transport.abort()

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
