"""Logging in and out."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground import logs
from pillarbox.ground.errors import Refused, StoreError
from pillarbox.staff import login, passwords, sessions
from pillarbox.web.site import Site
from pillarbox.web.staff import cookies
from pillarbox.web.staff.forms import form
from pillarbox.web.staff.frame import go, own_path, render
from pillarbox.web.staff.guard import turned_away, visitor

log = logs.get("web")

_THREADS, _MOST_WAITING = 4, 40
WRONG = "Name and password do not belong together. Look at both, and try again."
"""The same whether or not somebody of that name may log in."""


class LoginDoors:
    """``/staff/login`` and ``/staff/logout``."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._threads = CapacityLimiter(_THREADS)

    async def ask(self, request: Request) -> Response:
        """The form; who is logged in already goes on."""
        onward = own_path(request.query_params.get("next", ""))
        token = cookies.token_of(request)
        if not token:
            return self._form(request, onward)
        known = await run_in_threadpool(sessions.visitor, self._site.store, self._site.settings, token, touch=False)
        return go(onward) if known else self._form(request, onward)

    async def enter(self, request: Request) -> Response:
        """Try name and password."""
        try:
            fields = await form(request)
        except HTTPException as fault:
            return turned_away(request, fault)
        onward, name = own_path(fields.get("next", "")), fields.get("name", "")
        try:
            answer = await self._try(partial(
                login.attempt, self._site.project, name=name, password=fields.get("password", ""),
                place=request.client.host if request.client else "", agent=request.headers.get("user-agent", ""),
                shown=cookies.token_of(request)))
        except Refused as fault:
            return self._form(request, onward, status=503, name=name, fault=fault.sentence())
        except StoreError as fault:
            log.fault("login.store", fault)
            return self._form(request, onward, status=503, name=name, fault=fault.sentence())
        if answer.wait_seconds:
            seconds = math.ceil(answer.wait_seconds)
            wait = f"{seconds} seconds" if seconds < 90 else f"{math.ceil(seconds / 60)} minutes"
            response = self._form(request, onward, status=429, name=name, fault=f"Too many tries. Wait {wait}, and try "
                                  "again.")
            response.headers["Retry-After"] = str(seconds)
            return response
        if not answer.token:
            return self._form(request, onward, status=403, name=name, fault=WRONG)
        response = go(onward)
        cookies.give_session(request, response, answer.token)
        return response

    async def _try(self, attempt: Callable[[], login.Answer]) -> login.Answer:
        """Compare in threads of its own: a crowd at this door must not keep a supporter from unsubscribing.

        Raises:
            Refused: too many others are at it at this moment.
        """
        if self._threads.statistics().tasks_waiting >= _MOST_WAITING:
            raise passwords.crowded()
        return await to_thread.run_sync(attempt, limiter=self._threads)

    async def leave(self, request: Request) -> Response:
        """End this session."""
        await run_in_threadpool(sessions.logout, self._site.store, self._site.settings, visitor(request))
        response = go("/staff/login")
        cookies.forget(request, response)
        return response

    def _form(self, request: Request, onward: str, *, status: int = 200, name: str = "", fault: str = "") -> Response:
        """The login form, bound to this visit: nobody can be logged in by a form of another site."""
        visit = cookies.visit_of(request)
        token = visit or sessions.new_token()
        response = render(request, "staff/login", status=status, onward=onward, name=name[:100], fault=fault,
                          form_token=sessions.form_token(self._site.settings, token))
        if not visit:
            cookies.give_visit(request, response, token)
        return response
