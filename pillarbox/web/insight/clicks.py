"""Where people clicked: a list of the links, and the letter itself with a badge beside each."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.reports import clickmap, details
from pillarbox.reports.clickmap import Map, Nameless
from pillarbox.store.mailings import Mailing
from pillarbox.web.insight import look
from pillarbox.web.insight.drawing import Kept
from pillarbox.web.insight.papers import paper
from pillarbox.web.site import Site
from pillarbox.web.staff.frame import site_of
from pillarbox.web.staff.mailings import mailing_of

_MOST_LETTERS = 32
_NOTHING = "<!DOCTYPE html><html lang=en><title>No letter</title><p>No form of this letter is without somebody’s words."


class ClickDoors:
    """``/staff/mailings/{name}/clicks``."""

    def __init__(self) -> None:
        # A planned mailing's letter never changes again; finding the form that most have looks at every message.
        self._letters: Kept[Nameless | None] = Kept(_MOST_LETTERS)

    async def show(self, request: Request) -> Response:
        """The page."""
        mailing = await mailing_of(request)
        found, nameless, clicked = await run_in_threadpool(self._found, site_of(request), mailing)
        return look.page(request, "clicks", mailing=mailing, map=found, clicked=clicked, nameless=nameless,
                         crumbs=(("Mailings", "/staff/"),))

    async def letter(self, request: Request) -> Response:
        """The letter with its badges, for the page's frame."""
        mailing = await mailing_of(request)
        found, nameless, _ = await run_in_threadpool(self._found, site_of(request), mailing)
        if nameless is None:
            raise HTTPException(404)
        return paper(found.html, root=site_of(request).root)

    def _found(self, site: Site, mailing: Mailing) -> tuple[Map, Nameless | None, int]:
        with site.store.snapshot() as connection:
            nameless = self._letters.get((site.project.id, mailing.id, mailing.content_hash),
                                         lambda: clickmap.nameless(connection, mailing.id))
            links = details.links(connection, mailing.id)
            clicked = clickmap.followers(connection, mailing.id)
            pages = details.donation_pages(connection, mailing.id)
        return clickmap.draw(nameless.html if nameless else _NOTHING, links, clicked, pages), nameless, clicked
