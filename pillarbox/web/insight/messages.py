"""A mailing's messages: a list to turn over, a search by address, one message with its events and the supporter's copy.

An address never stands in a URL: the search is a form that posts, and its pages are turned by posting again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground.errors import Refused
from pillarbox.reports import clickmap, register, words
from pillarbox.reports.gifts import money
from pillarbox.reports.register import Entry, Told
from pillarbox.shape.bodies import body
from pillarbox.store.mailings import Mailing
from pillarbox.web import cursors
from pillarbox.web.insight import look
from pillarbox.web.insight.papers import paper
from pillarbox.web.site import Site
from pillarbox.web.staff.forms import form
from pillarbox.web.staff.frame import site_of
from pillarbox.web.staff.mailings import mailing_of

_MOST = 25
_LARGEST_ID = 2**53
_T = TypeVar("_T")


class MessageDoors:
    """``/staff/mailings/{name}/messages``."""

    async def show(self, request: Request) -> Response:
        """A page of the list; ``?show=`` narrows it, ``?from=`` goes on."""
        mailing, asked = await mailing_of(request), request.query_params
        shown = asked.get("show", "all")
        if shown not in register.SHOWN:
            raise HTTPException(404)
        of = f"messages {mailing.id} {shown}"
        after = _after(request, of, asked.get("from", ""))
        found = await _read(request, lambda connection: register.page(
            connection, mailing.id, shown=shown, after=after, most=_MOST + 1))
        return _listed(request, mailing, found, of, shown=shown, first=not after)

    async def search(self, request: Request) -> Response:
        """The messages whose address is, or holds, what was typed."""
        fields, mailing = await form(request), await mailing_of(request)
        wanted = fields.get("address", "").replace("\0", "").strip()[:register.LONGEST_SEARCH]
        of = f"search {mailing.id} {wanted}"
        after = _after(request, of, fields.get("from", ""))
        secret = site_of(request).project.secret
        found = await _read(request, lambda connection: register.search(
            connection, mailing.id, wanted, secret, after=after, most=_MOST + 1))
        return _listed(request, mailing, found, of, wanted=wanted, searched=True, first=not after)

    async def one(self, request: Request) -> Response:
        """One message."""
        mailing, number = await mailing_of(request), _number(request)
        found = await _read(request, lambda connection: register.told(connection, mailing.id, number))
        if found is None:
            raise HTTPException(404)
        return _one(request, mailing, found)

    async def copy(self, request: Request) -> Response:
        """The supporter's copy as it was sent, for the page's frame; its links are dead."""
        mailing, number = await mailing_of(request), _number(request)
        kept = await _read(request, lambda connection: register.kept(connection, mailing.id, number))
        if kept is None:
            raise HTTPException(404)
        return paper(await run_in_threadpool(clickmap.inert, body(kept.shape, kept.values).html),
                     root=site_of(request).root)


def _listed(request: Request, mailing: Mailing, found: list[Entry], of: str, *, first: bool, shown: str = "all",
            wanted: str = "", searched: bool = False) -> Response:
    entries = found[:_MOST]
    more = cursors.seal(site_of(request).settings, of, entries[-1].id) if len(found) > _MOST else ""
    return look.page(
        request, "messages", mailing=mailing, entries=entries, more=more, shown=shown, wanted=wanted, first=first,
        searched=searched, choices=[(key, label) for key, (label, _, _) in register.SHOWN.items()],
        longest=register.LONGEST_SEARCH, crumbs=(("Mailings", "/staff/"),))


def _one(request: Request, mailing: Mailing, found: Told) -> Response:
    gifts = [(gift, money(gift.amount_minor, gift.currency), words.EVIDENCE[gift.attribution][0])
             for gift in found.gifts]
    return look.page(request, "message", mailing=mailing, told=found, entry=found.entry, gifts=gifts,
                     most_events=register.MOST_EVENTS, crumbs=(
                         ("Mailings", "/staff/"), (mailing.title, f"/staff/mailings/{mailing.name}"),
                         ("Messages", f"/staff/mailings/{mailing.name}/messages")))


def _after(request: Request, of: str, word: str) -> int:
    try:
        place = cursors.place(site_of(request).settings, of, word)
    except Refused:
        raise HTTPException(404) from None
    return int(place[0]) if place else 0


def _number(request: Request) -> int:
    number = int(request.path_params["number"])
    if number > _LARGEST_ID:
        raise HTTPException(404)
    return number


async def _read(request: Request, ask: Callable[[Connection], _T]) -> _T:
    return await run_in_threadpool(_ask, site_of(request), ask)


def _ask(site: Site, ask: Callable[[Connection], Any]) -> Any:
    with site.store.reading() as connection:
        return ask(connection)
