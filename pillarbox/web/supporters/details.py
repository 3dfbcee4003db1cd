"""Name and address: asked for with a letter's key, opened by the link that is then mailed, and a new one confirmed."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from pillarbox.mailings import envelopes
from pillarbox.people import details
from pillarbox.people.details import Details, Saved
from pillarbox.people.holder import Standing
from pillarbox.web.render import Pages
from pillarbox.web.sending import OTHER_LETTERS, ascii_mailboxes, has_other_letters, sent_soon
from pillarbox.web.site import Site, key_of
from pillarbox.web.supporters.answers import Doors

_BAD_ADDRESS = "This is no email address that we can write to. It should look like name@example.org."


class DetailsDoors(Doors):
    """``/p/{key}/link``, ``/details/{key}`` and ``/address/{key}``."""

    def __init__(self, site: Site, pages: Pages) -> None:
        super().__init__(site, pages)
        project = site.settings.project
        # Never from the request: a forged Host must not lead a supporter's link astray.
        self._base_url = envelopes.base_url({"home": project.home, "base_url": project.base_url},
                                            practice=site.settings.practice)

    async def ask(self, request: Request) -> Response:
        """Have the link mailed. The answer is the same, however many were asked for."""
        key = key_of(request)
        if not self._base_url:
            return self._pages.page("missing", status=404)
        found = await self._saved(partial(details.ask, self._site.visitors, key, base_url=self._base_url))
        if found is None:
            return self._not_saved([("link", "yes")])
        if found is not Standing.READER:
            return self._nobody(found)
        await sent_soon(self._site)
        return self._pages.page("supporters/link-sent", key=key)

    async def show(self, request: Request) -> Response:
        """The form behind the link. Looking does not use the link up: scanners look before their owners do."""
        found = await self._seen(partial(details.look, self._site.visitors, key_of(request), self._settings))
        return self._expired() if found is None else self._shown(found)

    async def save(self, request: Request) -> Response:
        """The form as it was sent; now the link is used up."""
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        wanted = Details(title=form.one("title"), first_name=form.one("first_name"), last_name=form.one("last_name"),
                         salutation=form.one("salutation"), email=form.one("email"))
        found = await self._saved(partial(
            details.save, self._site.visitors, key_of(request), wanted, form.all("back"), self._settings,
            secret=self._site.settings.secret, base_url=self._base_url, ascii_mailboxes=ascii_mailboxes(self._site)))
        match found:
            case None:
                return self._not_saved(form.pairs)
            case Saved.EXPIRED:
                return self._expired()
            case Saved.BAD_ADDRESS:
                wrong = OTHER_LETTERS if has_other_letters(self._site, wanted.email) else _BAD_ADDRESS
                return self._shown(wanted, wrong=wrong, status=422)
            case _:
                if found is Saved.TO_CONFIRM:
                    await sent_soon(self._site)
                return self._pages.page("supporters/details-saved", to_confirm=found is Saved.TO_CONFIRM)

    async def new_address(self, request: Request) -> Response:
        """A page with one button; looking changes nothing."""
        found = await self._seen(partial(details.new_address, self._site.visitors, key_of(request)))
        return self._expired() if found is None else self._pages.page("supporters/address", address=found)

    async def confirm(self, request: Request) -> Response:
        """The button."""
        found = await self._saved(partial(details.confirm, self._site.visitors, key_of(request)))
        match found:
            case None:
                return self._not_saved([("confirm", "yes")])
            case Saved.EXPIRED:
                return self._expired()
            case Saved.NOT_POSSIBLE:
                return self._pages.page("supporters/address-not", status=409)
            case _:
                return self._pages.page("supporters/address-done")

    def _shown(self, found: Details, *, wrong: str = "", status: int = 200) -> Response:
        return self._pages.page("supporters/details", status=status, details=found, wrong=wrong)

    def _expired(self) -> Response:
        return self._pages.page("supporters/expired", status=404)
