"""The API: read-only JSON under ``/api/`` for the charity's web site and spreadsheets; nothing in it is about one
supporter."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from pillarbox.ground import logs
from pillarbox.ground.errors import StoreError
from pillarbox.web.api import problems
from pillarbox.web.api.doors import Described, Door
from pillarbox.web.api.guard import Guard
from pillarbox.web.api.operations import OPERATIONS
from pillarbox.web.api.problems import Unanswered
from pillarbox.web.site import Site

log = logs.get("web")
_DAY_SECONDS = 86_400
_WORDS = {404: "Nothing lies at this address. {root}/api/openapi.json says what there is.",
          405: "Only GET is answered here."}


def routes(site: Site) -> list[BaseRoute]:
    """Where the API is."""
    guard = Guard(site)
    inner = Starlette(
        routes=[Route("/openapi.json", Described(site, guard).show, methods=["GET"]),
                *(Route(operation.path.replace("{number}", "{number:int}"), Door(site, guard, operation).answer,
                        methods=["GET"]) for operation in OPERATIONS)],
        middleware=_cors(site.settings.api.allowed_origins),
        exception_handlers={HTTPException: _refused, Unanswered: _unanswered, StoreError: _no_database,
                            Exception: _broken})
    inner.router.redirect_slashes = False
    inner.state.root = site.root
    mount = Mount("/api", app=inner)
    # Whatever stands below /api is ours to answer; Starlette's own pattern ends at a line's end in the path.
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return [mount]


def _cors(origins: tuple[str, ...]) -> list[Middleware]:
    """What lets pages of these web sites ask by script; nothing at all when there are none."""
    if not origins:
        return []
    return [Middleware(CORSMiddleware, allow_origins=list(origins), allow_methods=["GET"],
                       allow_headers=["Authorization", "If-None-Match"],
                       expose_headers=["ETag", "Retry-After"], max_age=_DAY_SECONDS)]


async def _refused(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    words = _WORDS.get(fault.status_code, "This request is not answered.")
    return problems.answer(fault.status_code, words.format(root=request.app.state.root), fault.headers)


async def _unanswered(request: Request, fault: Exception) -> Response:  # noqa: ARG001 - Starlette hands it over
    assert isinstance(fault, Unanswered)
    return problems.answer(fault.status, fault.detail, fault.headers)


async def _no_database(request: Request, fault: Exception) -> Response:  # noqa: ARG001
    assert isinstance(fault, StoreError)
    log.fault("api.store", fault)
    return problems.answer(503, "The database cannot answer at this moment. Try again in a minute.",
                           {"Retry-After": "60"})


async def _broken(request: Request, fault: Exception) -> Response:  # noqa: ARG001 - logged by what surrounds every answer
    return problems.answer(500, "Something broke inside Pillarbox. Nothing was changed; the log says more.")
