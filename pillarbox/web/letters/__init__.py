"""Doors to letters in the browser: the supporter's own, and those for anybody."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from pillarbox.web.letters.images import Images
from pillarbox.web.letters.own import OwnLetter
from pillarbox.web.letters.public import PublicLetters
from pillarbox.web.render import Pages
from pillarbox.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Where letters can be read."""
    public = PublicLetters(site, Pages(site.theme, styles=["letters/letters.css"], root=site.root))
    return [
        Route("/i/{name}", Images(site).image, methods=["GET"]),
        Route("/v/{key}", OwnLetter(site).view, methods=["GET"]),
        Route("/letters", public.archive, methods=["GET"]),
        Route("/letters/feed.rss", public.rss, methods=["GET"]),
        Route("/letters/feed.atom", public.atom, methods=["GET"]),
        Route("/letters/{slug}", public.letter, methods=["GET"]),
        Route("/letters/{slug}/card", public.card, methods=["GET"]),
    ]
