"""Doors that a supporter opens with the key of a letter, or with a link mailed to them: leaving, and what they wish."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from pillarbox.web.render import Pages
from pillarbox.web.site import Site
from pillarbox.web.supporters.details import DetailsDoors
from pillarbox.web.supporters.leaving import LeavingDoors
from pillarbox.web.supporters.preferences import PreferencesDoors


def routes(site: Site) -> list[BaseRoute]:
    """Where supporters' pages are."""
    pages = Pages(site.theme, styles=["supporters/supporters.css"], root=site.root)
    leaving, preferences, details = LeavingDoors(site, pages), PreferencesDoors(site, pages), DetailsDoors(site, pages)
    return [
        Route("/u/{key}", leaving.ask, methods=["GET"]),
        Route("/u/{key}", leaving.leave, methods=["POST"]),
        Route("/u/{key}/fewer", leaving.fewer, methods=["POST"]),
        Route("/u/{key}/undo", preferences.undo, methods=["POST"]),
        Route("/p/{key}", preferences.show, methods=["GET"]),
        Route("/p/{key}", preferences.save, methods=["POST"]),
        Route("/p/{key}/undo", preferences.undo, methods=["POST"]),
        Route("/p/{key}/link", details.ask, methods=["POST"]),
        Route("/details/{key}", details.show, methods=["GET"]),
        Route("/details/{key}", details.save, methods=["POST"]),
        Route("/address/{key}", details.new_address, methods=["GET"]),
        Route("/address/{key}", details.confirm, methods=["POST"]),
    ]
