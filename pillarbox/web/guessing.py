"""The door for those who guess keys: many misses from one network address, and nothing is looked up for it for a while.

A key has 130 random bits: nobody will ever guess one. What a flood of guesses could do is keep the database busy. The
way out stays open whatever happens: a POST to the unsubscribe page, which mail programs send for many supporters from
few addresses, is never held up.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pillarbox.ground import logs

log = logs.get("web")

DOORS = ("/u/", "/p/", "/v/", "/d/", "/details/", "/address/", "/join/confirm/")
"""Paths with a key in them."""
MOST_MISSES = 30
"""Unknown keys from one network address within ``SECONDS``: broken links are few, guesses are many."""
SECONDS = 600.0
ADDRESSES_KEPT = 10_000


class Guessing:
    """Wraps the application: 429 for a network address from which many unknown keys came."""

    def __init__(self, app: ASGIApp, slower: Callable[[Request], Response],
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._slower = slower
        self._clock = clock
        # Network address (a hash with a key of this process alone) → when its span began, and its misses since.
        self._misses: OrderedDict[bytes, tuple[float, int]] = OrderedDict()
        self._key = os.urandom(16)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or ask to come again later."""
        visitor = self._visitor(scope) if scope["type"] == "http" and scope["path"].startswith(DOORS) else b""
        if not visitor:
            await self._app(scope, receive, send)
            return
        is_way_out = scope["method"] == "POST" and scope["path"].startswith("/u/")
        if not is_way_out and (wait := self._wait(visitor)):
            response = self._slower(Request(scope))
            response.headers["Retry-After"] = str(wait)
            await response(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 404:
                self._missed(visitor)
            await send(message)

        await self._app(scope, receive, watched)

    def _visitor(self, scope: Scope) -> bytes:
        """What stands for the visitor's network; of IPv6 a /64 is one household.

        Empty for an address that is not of the open internet: a proxy that does not say who asks, behind which
        everybody would be held up for one.
        """
        try:
            found = ipaddress.ip_address((scope.get("client") or ("", 0))[0])
        except ValueError:
            return b""
        if isinstance(found, ipaddress.IPv6Address):
            found = found.ipv4_mapped or found
        if not found.is_global:
            return b""
        network = found.packed if found.version == 4 else found.packed[:8]
        return hashlib.blake2b(network, key=self._key, digest_size=12).digest()

    def _wait(self, visitor: bytes) -> int:
        """Seconds to wait; 0: come in."""
        began, misses = self._misses.get(visitor, (0.0, 0))
        left = began + SECONDS - self._clock()
        return max(1, round(left)) if misses >= MOST_MISSES and left > 0 else 0

    def _missed(self, visitor: bytes) -> None:
        now = self._clock()
        began, misses = self._misses.pop(visitor, (now, 0))
        if now - began >= SECONDS:
            began, misses = now, 0
        self._misses[visitor] = (began, misses + 1)
        if misses + 1 == MOST_MISSES:
            log.warning("keys.guessed", misses=MOST_MISSES)
        while len(self._misses) > ADDRESSES_KEPT:
            self._misses.popitem(last=False)
