"""Doors on the way to a gift: the donate links of letters."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from pillarbox.web.giving.donate import DonateDoor
from pillarbox.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Where donate links lead through."""
    donate = DonateDoor(site)
    return [
        Route("/d/{key}", donate.once, methods=["GET"]),
        Route("/d/{key}/monthly", donate.monthly, methods=["GET"]),
    ]
