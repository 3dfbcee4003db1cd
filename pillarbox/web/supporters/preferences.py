"""What a supporter wishes to get: a form, its saving, and taking back."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground.keys import new_key
from pillarbox.model.states import Frequency
from pillarbox.people import preferences, values
from pillarbox.people.holder import Standing
from pillarbox.people.preferences import Chosen, Membership, Preferences
from pillarbox.web.render import Pages
from pillarbox.web.site import Site, key_of
from pillarbox.web.supporters.answers import Doors
from pillarbox.web.supporters.forms import Form


class PreferencesDoors(Doors):
    """``/p/{key}``."""

    def __init__(self, site: Site, pages: Pages) -> None:
        super().__init__(site, pages)
        # A form that was shown with other words than now must not become a consent to these.
        self._wording = hashlib.sha256(self._settings.tracking_wording.encode()).hexdigest()[:16]

    async def show(self, request: Request) -> Response:
        """The form, as it stands. Nothing personal is on it, and nothing is changed."""
        key = key_of(request)
        found = await self._seen(partial(preferences.look, self._site.visitors, key, self._settings))
        if found.standing is not Standing.READER:
            return self._nobody(found.standing)
        return self._shown(key, found.preferences)

    async def save(self, request: Request) -> Response:
        """The form as it was sent."""
        key, form = key_of(request), await self._form(request)
        if isinstance(form, Response):
            return form
        if form.one("frequency") not in list(Frequency):
            return self._pages.page("supporters/unread", status=400)
        until, wrong = _pause(form.one("pause"))
        asked = bool(form.one("wording"))
        tracking = form.one("tracking") == "yes"
        if wrong or (tracking and form.one("wording") != self._wording):
            return await self._again(key, form, wrong)
        chosen = Chosen(frequency=Frequency(form.one("frequency")), paused_until=until, offered=form.all("offered"),
                        lists=form.all("list"), tracking=tracking if asked else None)
        found = await self._saved(partial(preferences.save, self._site.visitors, key, chosen, self._settings,
                                          once=form.one("once")))
        if found is None:
            return self._not_saved(form.pairs)
        if found.standing is not Standing.READER:
            return self._nobody(found.standing)
        return self._pages.page("supporters/saved", key=key, wishes=found.preferences, undo=found.undo, instead=False)

    async def undo(self, request: Request) -> Response:
        """Take back what was just changed, on this page or by leaving."""
        key, form = key_of(request), await self._form(request)
        if isinstance(form, Response):
            return form
        found = await self._saved(partial(preferences.undo, self._site.visitors, key, form.one("undo"), self._settings))
        if found is None:
            return self._not_saved(form.pairs)
        if found.standing in (Standing.UNKNOWN, Standing.PROOF):
            return self._nobody(found.standing)
        left = found.standing is Standing.LEFT
        if not found.gone_back:
            return self._pages.page("supporters/late", status=409, sign_up=self._sign_up, left=left, key=key)
        return self._pages.page("supporters/undone", key=key, left=left, wishes=found.preferences)

    async def _again(self, key: str, form: Form, wrong: str) -> Response:
        """The form once more, as it was filled in, with what is to be mended."""
        found = await self._seen(partial(preferences.look, self._site.visitors, key, self._settings))
        if found.standing is not Standing.READER:
            return self._nobody(found.standing)
        ticked, offered = form.all("list"), form.all("offered")
        lists = tuple(preferences.Choice(name=choice.name, words=choice.words, membership=(
            choice.membership if choice.name not in offered or choice.membership is Membership.LEFT else
            Membership.ON if choice.name in ticked else Membership.NEVER)) for choice in found.preferences.lists)
        # Other words than those that were ticked: they are to be read first.
        tracking = form.one("tracking") == "yes" if form.one("wording") == self._wording else found.preferences.tracking
        asked = Preferences(frequency=Frequency(form.one("frequency")), lists=lists, tracking=tracking)
        return self._shown(key, asked, status=422, pause=form.one("pause")[:40], wrong=wrong, news=not wrong)

    def _shown(self, key: str, wishes: Preferences, *, status: int = 200, pause: str | None = None, wrong: str = "",
               news: bool = False) -> Response:
        shown: dict[str, Any] = {
            "key": key, "wishes": wishes, "wrong": wrong, "news": news, "once": new_key(), "Frequency": Frequency,
            "pause": pause if pause is not None else (wishes.paused_until or ""),
            "first": preferences.first_pause_day(), "last": preferences.last_pause_day(), "wording": self._wording,
            "tracking_wording": self._settings.tracking_wording}
        return self._pages.page("supporters/preferences", status=status, **shown)


def _pause(text: str) -> tuple[date | None, str]:
    """The day that was typed (None: none was), and what is wrong with it."""
    said = values.one_line(text[:40])
    if not said:
        return None, ""
    day = values.day(said)
    if day is None:
        return None, "We could not read this date. Please write it like 31/12/2026."
    if day < preferences.first_pause_day():
        return None, "This day is over. Please choose one from tomorrow on, or leave it empty for no pause."
    if day > preferences.last_pause_day():
        return None, "A pause can last a year at most. Please choose an earlier day."
    return day, ""
