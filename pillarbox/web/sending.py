"""A service letter that somebody waits for, sent on its way."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from pillarbox.ground import logs
from pillarbox.mailings import service
from pillarbox.web.site import Site

log = logs.get("web")


async def sent_soon(site: Site) -> None:
    """Have what was asked for delivered. It is kept already: what fails here, a worker makes good."""
    try:
        await run_in_threadpool(service.soon, site.project)
    except Exception as fault:  # noqa: BLE001 - what was saved must not be called unsaved
        log.fault("service.letter-waits", fault)
