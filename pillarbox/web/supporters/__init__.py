"""Doors that a supporter opens with the key of a letter: leaving, and what they wish."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from pillarbox.web.site import Site
from pillarbox.web.supporters.leaving import LeavingDoors


def routes(site: Site) -> list[BaseRoute]:
    """Where supporters' pages are."""
    leaving = LeavingDoors(site)
    return [
        Route("/u/{key}", leaving.ask, methods=["GET"]),
        Route("/u/{key}", leaving.leave, methods=["POST"]),
    ]
