"""The dashboard: doors for staff, behind login. Other rooms build upon its ``frame``, ``guard`` and ``forms``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pillarbox.model.states import Role
from pillarbox.web.site import Site
from pillarbox.web.staff import audit, navigation
from pillarbox.web.staff.account import AccountDoors
from pillarbox.web.staff.deeds import DEEDS
from pillarbox.web.staff.frame import frame_of, go
from pillarbox.web.staff.guard import require
from pillarbox.web.staff.home import home
from pillarbox.web.staff.login import LoginDoors
from pillarbox.web.staff.navigation import Entry
from pillarbox.web.staff.progress import ProgressDoor
from pillarbox.web.staff.schedules import ScheduleDoors
from pillarbox.web.staff.sending import SendingDoors


def routes(site: Site) -> list[BaseRoute]:
    """Where the dashboard's own pages are."""
    navigation.add_to_menu(Entry(label="Mailings", path="/staff/", order=10))
    navigation.add_to_menu(Entry(label="Schedules", path="/staff/schedules", order=60))
    navigation.add_to_menu(Entry(label="Audit", path="/staff/audit", order=90))
    navigation.add_to_mailing(Entry(label="Sending", path="/sending", order=50))
    login, account, schedules = LoginDoors(site), AccountDoors(site), ScheduleDoors(site)
    view, send = require(Role.VIEW), require(Role.SEND)
    return [
        Route("/staff", _enter, methods=["GET"]),
        Route("/staff/login", login.ask, methods=["GET"]),
        Route("/staff/login", login.enter, methods=["POST"]),
        Route("/staff/logout", view(login.leave), methods=["POST"]),
        Route("/staff/assets/{file}", _asset, methods=["GET"]),
        Route("/staff/", view(home), methods=["GET"]),
        *_sending(site),
        Route("/staff/schedules", view(schedules.show), methods=["GET"]),
        Route("/staff/schedules/{number:int}/remove", send(schedules.ask), methods=["GET"]),
        Route("/staff/schedules/{number:int}/remove", send(schedules.remove), methods=["POST"]),
        Route("/staff/calendar.ics", view(schedules.calendar), methods=["GET"]),
        Route("/staff/audit", view(audit.show), methods=["GET"]),
        Route("/staff/account", view(account.show), methods=["GET"]),
        Route("/staff/account/password", view(account.change_password), methods=["POST"]),
        Route("/staff/account/leave-everywhere", view(account.leave_everywhere), methods=["POST"]),
    ]


def _sending(site: Site) -> list[BaseRoute]:
    progress = ProgressDoor(site)
    doors, at = SendingDoors(site, progress.counts), "/staff/mailings/{name}/sending"
    found: list[BaseRoute] = [
        Route(at, require(Role.VIEW)(doors.show), methods=["GET"]),
        Route(f"{at}/progress", require(Role.VIEW, asks_by_itself=True)(progress.follow), methods=["GET"]),
    ]
    for deed in DEEDS.values():
        guarding = require(deed.role)
        found += [Route(f"{at}/{deed.name}", guarding(doors.ask(deed)), methods=["GET"]),
                  Route(f"{at}/{deed.name}", guarding(doors.do(deed)), methods=["POST"])]
    return found


async def _enter(request: Request) -> Response:  # noqa: ARG001 - Starlette hands it over
    return go("/staff/")


async def _asset(request: Request) -> Response:
    frame = frame_of(request)
    for asset in (frame.style, frame.script):
        if asset.path == request.url.path:
            return await asset.serve(request)
    return Response("Not found.\n", 404, media_type="text/plain")
