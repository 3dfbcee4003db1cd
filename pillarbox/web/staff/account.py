"""A user's own account: another password, where they are logged in, and out everywhere."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground.errors import Refused
from pillarbox.staff import account, passwords, sessions
from pillarbox.web.site import Site
from pillarbox.web.staff import cookies
from pillarbox.web.staff.forms import form
from pillarbox.web.staff.frame import go, render
from pillarbox.web.staff.guard import ROLE_WORDS, visitor


class AccountDoors:
    """``/staff/account``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """The page."""
        return await self._shown(request)

    async def change_password(self, request: Request) -> Response:
        """Set another password: this session goes on under another token, all others end."""
        fields, here = await form(request), visitor(request)
        try:
            if fields.get("new", "") != fields.get("again", ""):
                raise Refused("The new password was not the same both times. Nothing was changed.")
            token = await run_in_threadpool(account.change_password, self._site.project, here,
                                            current=fields.get("current", ""), new=fields.get("new", ""))
        except Refused as fault:
            return await self._shown(request, fault=fault.sentence())
        await run_in_threadpool(sessions.tell, self._site.store, here,
                                "Your password is changed. Wherever else you were logged in, you are no more.")
        response = go("/staff/account")
        cookies.give_session(request, response, token)
        return response

    async def leave_everywhere(self, request: Request) -> Response:
        """End every session of this user."""
        await form(request)
        await run_in_threadpool(sessions.logout_everywhere, self._site.store, visitor(request))
        response = go("/staff/login")
        cookies.forget(request, response)
        return response

    async def _shown(self, request: Request, fault: str = "") -> Response:
        here = visitor(request)
        found = await run_in_threadpool(sessions.of_user, self._site.store, self._site.settings, here.user)
        return render(request, "staff/account", status=409 if fault else 200, fault=fault, sessions=found,
                      may=ROLE_WORDS[here.user.role], shortest=passwords.SHORTEST,
                      crumbs=(("Mailings", "/staff/"),))
