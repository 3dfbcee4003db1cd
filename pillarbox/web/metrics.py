"""/metrics for Prometheus, for who shows the token.

Loopback is no proof here: the proxy that does TLS speaks to us from this very machine, for the whole world. So without
a token in the settings there is no such page.
"""

from __future__ import annotations

import hmac

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.mailings import gauges
from pillarbox.model.config import Settings
from pillarbox.store.connect import Store


class MetricsDoor:
    """``/metrics``."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._token = settings.metrics.token.get_secret_value()
        self._registry = gauges.registry(store, settings)

    async def scrape(self, request: Request) -> Response:
        """The numbers; whoever does not show the token learns not even that there are any."""
        given = request.headers.get("authorization", "").partition(" ")
        shown = given[2].strip() if given[0].lower() == "bearer" else ""
        if not self._token or not hmac.compare_digest(shown.encode(), self._token.encode()):
            raise HTTPException(404)
        text = await run_in_threadpool(generate_latest, self._registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)
