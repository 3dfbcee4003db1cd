"""The dashboard's reading pages: what a mailing did, its letters and gifts, mailings compared, how the lists grow.

They change nothing. Whoever may view may see them; what names people is taken away by those who may prepare.
"""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from pillarbox.model.states import Role
from pillarbox.web.insight.clicks import ClickDoors
from pillarbox.web.insight.compare import compare
from pillarbox.web.insight.donations import donations
from pillarbox.web.insight.exports import ExportDoor
from pillarbox.web.insight.lists import ListDoors
from pillarbox.web.insight.look import script, style
from pillarbox.web.insight.mailing import MailingDoor
from pillarbox.web.insight.messages import MessageDoors
from pillarbox.web.site import Site
from pillarbox.web.staff import navigation
from pillarbox.web.staff.guard import require
from pillarbox.web.staff.navigation import Entry

_AT = "/staff/mailings/{name}"


def routes(site: Site) -> list[BaseRoute]:  # noqa: ARG001 - every room is made alike
    """Where the reading pages are."""
    for entry in (Entry(label="Compare", path="/staff/compare", order=20),
                  Entry(label="Lists", path="/staff/lists", order=30)):
        navigation.add_to_menu(entry)
    for entry in (Entry(label="Report", path="", order=10), Entry(label="Clicks", path="/clicks", order=20),
                  Entry(label="Messages", path="/messages", order=30),
                  Entry(label="Donations", path="/donations", order=40)):
        navigation.add_to_mailing(entry)
    view, prepare = require(Role.VIEW), require(Role.PREPARE)
    clicks, letters, lists = ClickDoors(), MessageDoors(), ListDoors()
    named, nameless = ExportDoor(named=True), ExportDoor(named=False)
    return [
        Route(style().path, style().serve, methods=["GET"]),
        Route(script().path, script().serve, methods=["GET"]),
        Route("/staff/compare", view(compare), methods=["GET"]),
        Route("/staff/lists", view(lists.show), methods=["GET"]),
        Route("/staff/lists/{number:int}", view(lists.one), methods=["GET"]),
        Route(_AT, view(MailingDoor().show), methods=["GET"]),
        Route(f"{_AT}/clicks", view(clicks.show), methods=["GET"]),
        Route(f"{_AT}/clicks/letter", view(clicks.letter), methods=["GET"]),
        Route(f"{_AT}/messages", view(letters.show), methods=["GET"]),
        Route(f"{_AT}/messages", view(letters.search), methods=["POST"]),
        Route(f"{_AT}/messages/{{number:int}}", view(letters.one), methods=["GET"]),
        Route(f"{_AT}/messages/{{number:int}}/letter", view(letters.copy), methods=["GET"]),
        Route(f"{_AT}/donations", view(donations), methods=["GET"]),
        Route(f"{_AT}/export", view(nameless.give), methods=["POST"]),
        Route(f"{_AT}/export/named", prepare(named.give), methods=["POST"]),
    ]
