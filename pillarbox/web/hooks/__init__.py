"""Doors for what is posted from outside: a provider's events, payments."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from pillarbox.web.hooks.gocardless import GocardlessHook
from pillarbox.web.hooks.sendgrid import SendgridHook
from pillarbox.web.hooks.stripe import StripeHook
from pillarbox.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """Where the hooks are."""
    return [
        Route("/hooks/sendgrid", SendgridHook(site.store, site.settings, site.project.id).post, methods=["POST"]),
        Route("/hooks/stripe", StripeHook(site.store, site.settings).post, methods=["POST"]),
        Route("/hooks/gocardless", GocardlessHook(site.store, site.settings).post, methods=["POST"]),
    ]
