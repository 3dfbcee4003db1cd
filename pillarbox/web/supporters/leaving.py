"""Leaving: a page with one button, and a mail program's one click; and what may be had instead."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from pillarbox.events import leaving
from pillarbox.ground.keys import new_key
from pillarbox.people import preferences
from pillarbox.people.holder import Standing
from pillarbox.people.preferences import Fewer
from pillarbox.web.site import key_of
from pillarbox.web.supporters import forms
from pillarbox.web.supporters.answers import Doors
from pillarbox.web.supporters.forms import UnreadError


class LeavingDoors(Doors):
    """``/u/{key}``."""

    async def ask(self, request: Request) -> Response:
        """The page with the button. Nothing is changed: link scanners and previews follow every link."""
        key = key_of(request)
        found = await self._seen(partial(leaving.standing, self._site.visitors, key))
        if found is not Standing.READER:
            return self._nobody(found)
        return self._pages.page("supporters/ask", key=key, once=new_key())

    async def leave(self, request: Request) -> Response:
        """The button, or a mail program's one click (RFC 8058): done when this answers, no cookies, no redirect."""
        key = key_of(request)
        try:
            form = await forms.glimpse(request)
        except UnreadError as fault:
            return self._unread(fault)
        found = await self._saved(partial(leaving.leave, self._site.visitors, key, secret=self._site.settings.secret,
                                          settings=self._settings, once=form.one("once")))
        if found is None:
            return self._not_saved([("leave", "yes"), ("once", form.one("once"))])
        if found.standing is not Standing.LEFT or not found.undo:
            return self._nobody(found.standing)
        return self._pages.page("supporters/left", key=key, undo=found.undo, lists=found.lists, sign_up=self._sign_up)

    async def fewer(self, request: Request) -> Response:
        """Less instead of nothing, for those who just left and were shown the pass."""
        key, form = key_of(request), await self._form(request)
        if isinstance(form, Response):
            return form
        token, kept = form.one("undo"), form.all("list")
        if form.one("fewer") not in list(Fewer):
            return self._pages.page("supporters/unread", status=400)
        choice = Fewer(form.one("fewer"))
        if choice is Fewer.LISTS and not kept & self._settings.lists.keys():
            return self._pages.page("supporters/no-list", status=422)
        found = await self._saved(partial(preferences.fewer, self._site.visitors, key, token, choice, kept,
                                          self._settings))
        if found is None:
            return self._not_saved(form.pairs)
        if not found.gone_back:
            return self._pages.page("supporters/late", status=409, sign_up=self._sign_up, left=True, key=key)
        if found.standing is not Standing.READER:
            return self._nobody(found.standing)
        return self._pages.page("supporters/saved", key=key, wishes=found.preferences, undo="", instead=True)
