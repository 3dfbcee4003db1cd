"""The few pages and hooks that the outside world reaches. A door: it parses, calls one function, answers."""

from __future__ import annotations

import re
from urllib.parse import quote

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Match, Route

from pillarbox.ground.errors import StoreError
from pillarbox.model.config import Settings
from pillarbox.store.connect import Store
from pillarbox.store.project import Project
from pillarbox.web import api, giving, hooks, insight, join, letters, staff, supporters
from pillarbox.web.below import Below, is_secure, root_of
from pillarbox.web.fits import Fits
from pillarbox.web.guessing import Guessing
from pillarbox.web.metrics import MetricsDoor
from pillarbox.web.render import Pages
from pillarbox.web.shelter import Shelter
from pillarbox.web.site import Site
from pillarbox.web.staff.frame import Frame
from pillarbox.web.staff.guard import turned_away
from pillarbox.web.theme import Theme

_NONCE = re.compile(r"[A-Za-z0-9_-]{8,64}")


def create(store: Store, settings: Settings, project: str, *, theme: Theme | None = None) -> Starlette:
    """The web application of one project.

    Args:
        store: the open database.
        settings: sender, webhook key, secret key.
        project: the project's public id, 8 characters.
        theme: how the pages look; by default the sender's name in quiet colours.

    Raises:
        SettingsError: the project has no secret key.
    """
    settings.secret  # noqa: B018 - say now, not at the first visitor, that the key is missing
    theme = theme or Theme(name=settings.sender.name, website=settings.links.website,
                           contact=settings.sender.unsubscribe_mailto or settings.sender.reply_to
                           or settings.sender.email)
    root = root_of(settings)
    pages = Pages(theme, root=root)
    site = Site(project=Project(id=project, folder=settings.folder, settings=settings, store=store), theme=theme,
                pages=pages, root=root)

    async def health(request: Request) -> Response:  # noqa: ARG001 - Starlette hands it over
        return await run_in_threadpool(_health, site.visitors)

    async def probe(request: Request) -> Response:
        nonce = str(request.path_params["nonce"])
        if not _NONCE.fullmatch(nonce):
            raise HTTPException(404)
        return JSONResponse({"project": project, "nonce": nonce})

    async def refused(request: Request, fault: Exception) -> Response:
        if request.url.path.startswith("/staff/") and isinstance(fault, HTTPException):
            return turned_away(request, fault)
        status = fault.status_code if isinstance(fault, HTTPException) else 500
        if status == 404 and (here := _without_slash(request)):
            return RedirectResponse(here)
        response = pages.page("missing" if status in (404, 405) else "fault", status=status)
        if isinstance(fault, HTTPException) and fault.headers:
            response.headers.update(fault.headers)
        return response

    app = Starlette(
        routes=[
            *hooks.routes(site),
            *supporters.routes(site),
            *letters.routes(site),
            *join.routes(site),
            *staff.routes(site),
            *giving.routes(site),
            *insight.routes(site),
            *api.routes(site),
            Route("/metrics", MetricsDoor(store, settings).scrape, methods=["GET"]),
            Route("/health", health, methods=["GET"]),
            Route("/pillarbox-probe/{nonce}", probe, methods=["GET"]),
        ],
        middleware=[*([Middleware(Below, root=root, kept=settings.project.base_path == "kept")] if root else []),
                    Middleware(Shelter, fault=lambda _request: pages.page("fault", status=500),
                               https=is_secure(settings)),
                    Middleware(Guessing, slower=lambda _request: pages.page("slower", status=429)),
                    Middleware(Fits, store=site.visitors, later=lambda _request: pages.page("fault", status=503))],
        exception_handlers={HTTPException: refused},
    )
    app.router.redirect_slashes = False  # it would lead to whatever host the request names
    app.state.frame = Frame(site)
    return app


def _without_slash(request: Request) -> str:
    """The same address without slashes at its path's end, when there is a page; never one at another host."""
    given = str(request.scope["path"])
    path = given.rstrip("/")
    if path == given:
        return ""
    asked = {**request.scope, "path": path}
    if not any(route.matches(asked)[0] is Match.FULL for route in request.app.routes):
        return ""
    # A donate link's sum stands there.
    query = request.scope["query_string"].decode("latin-1")
    return f"{quote(path)}?{query}" if query else quote(path)


def _health(store: Store) -> Response:
    try:
        with store.reading() as connection:
            connection.execute(text("SELECT 1"))
    except StoreError:
        return JSONResponse({"ok": False}, status_code=503)
    return JSONResponse({"ok": True})
