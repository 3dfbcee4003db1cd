"""Doors to joining: the form, in a page and in a frame, and the link that confirms."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from pillarbox.web.join.confirming import ConfirmingDoors
from pillarbox.web.join.form import FormDoors
from pillarbox.web.render import Pages
from pillarbox.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Where people join."""
    pages = Pages(site.theme, styles=["join/join.css"], root=site.root)
    form, confirming = FormDoors(site, pages), ConfirmingDoors(site, pages)
    return [
        Route("/join", form.page, methods=["GET"]),
        Route("/join", form.post, methods=["POST"]),
        Route("/join/form", form.frame, methods=["GET"]),
        Route("/join/form", form.post_in_frame, methods=["POST"]),
        Route("/join/confirm/{key}", confirming.ask, methods=["GET"]),
        Route("/join/confirm/{key}", confirming.confirm, methods=["POST"]),
    ]
