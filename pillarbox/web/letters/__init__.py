"""Doors to letters in the browser."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from pillarbox.web.letters.own import OwnLetter
from pillarbox.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Where letters can be read."""
    return [Route("/v/{key}", OwnLetter(site).view, methods=["GET"])]
