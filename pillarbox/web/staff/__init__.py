"""The dashboard: doors for staff, behind login. Other rooms build upon its ``frame``, ``guard`` and ``forms``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pillarbox.model.states import Role
from pillarbox.web.site import Site
from pillarbox.web.staff import navigation
from pillarbox.web.staff.frame import frame_of, go
from pillarbox.web.staff.guard import require
from pillarbox.web.staff.home import home
from pillarbox.web.staff.login import LoginDoors
from pillarbox.web.staff.navigation import Entry


def routes(site: Site) -> list[BaseRoute]:
    """Where the dashboard's own pages are."""
    navigation.add_to_menu(Entry(label="Mailings", path="/staff/", order=10))
    login = LoginDoors(site)
    return [
        Route("/staff", _enter, methods=["GET"]),
        Route("/staff/login", login.ask, methods=["GET"]),
        Route("/staff/login", login.enter, methods=["POST"]),
        Route("/staff/logout", require(Role.VIEW)(login.leave), methods=["POST"]),
        Route("/staff/assets/{file}", _asset, methods=["GET"]),
        Route("/staff/", require(Role.VIEW)(home), methods=["GET"]),
    ]


async def _enter(request: Request) -> Response:  # noqa: ARG001 - Starlette hands it over
    return go("/staff/")


async def _asset(request: Request) -> Response:
    frame = frame_of(request)
    for asset in (frame.style, frame.script):
        if asset.path == request.url.path:
            return await asset.serve(request)
    return Response("Not found.\n", 404, media_type="text/plain")
