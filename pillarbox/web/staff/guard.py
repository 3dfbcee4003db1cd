"""Who may pass: ``require(role)`` stands before every door of the dashboard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pillarbox.ground import logs
from pillarbox.ground.errors import PillarboxError, Refused, StoreError
from pillarbox.model.states import Role
from pillarbox.staff import sessions
from pillarbox.staff.sessions import Visitor
from pillarbox.store import audit
from pillarbox.web.staff.cookies import forget, token_of
from pillarbox.web.staff.forms import form
from pillarbox.web.staff.frame import go, refusal, site_of, visitor_of

log = logs.get("web")

Door = Callable[[Request], Awaitable[Response]]
SAFE = ("GET", "HEAD")
ROLE_WORDS = {
    Role.VIEW: "look at what is there",
    Role.PREPARE: "look at what is there, hold mailings back, and take supporters' own data out",
    Role.SEND: "do everything, sending too",
}


def require(role: Role, *, asks_by_itself: bool = False) -> Callable[[Door], Door]:
    """Let a door be reached only by somebody who is logged in and has at least this role.

    What it sees to, before the door runs: the session stands and its user may log in; a form (any method but GET and
    HEAD) comes from a page of this session; the role suffices. Whoever is not logged in goes to the login page and
    comes back; whose role is too small gets 403, and of an attempted deed the audit log is told.

    A ``Refused`` that the door raises becomes a page with its sentence (409), what the database cannot do one that
    says so (503). ``visitor(request)`` in the door is who is there.

    Args:
        role: the least.
        asks_by_itself: the page's script asks, not a person: it does not keep the session from running out, and gets
            401 where others are sent to the login page.
    """
    def guarding(door: Door) -> Door:
        @wraps(door)
        async def guarded(request: Request) -> Response:
            try:
                return await _pass(request, door, role, asks_by_itself=asks_by_itself)
            except HTTPException as fault:
                if asks_by_itself:
                    raise
                return _turned_away(request, fault)
            except Refused as fault:
                return refusal(request, fault.sentence(), status=409)
            except StoreError as fault:
                log.fault("staff.store", fault)
                return refusal(request, fault.sentence(), status=503, title="The database cannot do it now")
            except PillarboxError as fault:
                log.fault("staff.refused", fault)
                return refusal(request, fault.sentence(), status=409)
        return guarded
    return guarding


def visitor(request: Request) -> Visitor:
    """Who is logged in; only in doors behind ``require``."""
    found = visitor_of(request)
    assert found is not None, "this door is not behind require()"
    return found


async def _pass(request: Request, door: Door, role: Role, *, asks_by_itself: bool) -> Response:
    site, token = site_of(request), token_of(request)
    found = None
    if token:
        found = await run_in_threadpool(sessions.visitor, site.store, site.settings, token,
                                        touch=not asks_by_itself and request.method in SAFE)
    if found is None:
        return _to_login(request, asks_by_itself=asks_by_itself)
    request.state.visitor = found
    if request.method not in SAFE:
        await form(request)
        # A form may take its time: who was disabled or given a smaller role meanwhile does nothing more.
        found = await run_in_threadpool(sessions.visitor, site.store, site.settings, token, touch=False)
        if found is None:
            return _to_login(request, asks_by_itself=asks_by_itself)
        request.state.visitor = found
    if not found.user.role.includes(role):
        if request.method not in SAFE:
            await run_in_threadpool(_note_refused, request, found, role)
        raise HTTPException(403, detail=f"{found.user.name} may {ROLE_WORDS[found.user.role]}. This needs the role "
                                        f"“{role.value}”. Whoever looks after Pillarbox gives it, with `pillarbox "
                                        "users role`.")
    return await door(request)


def _to_login(request: Request, *, asks_by_itself: bool) -> Response:
    if asks_by_itself:
        return PlainTextResponse("Not logged in.\n", 401)
    path = request.url.path
    if request.method in SAFE and request.url.query:
        path += f"?{request.url.query}"
    answer = go(f"/staff/login?next={quote(path, safe='/')}" if request.method in SAFE else "/staff/login")
    if token_of(request):
        forget(request, answer)
    return answer


def _note_refused(request: Request, found: Visitor, role: Role) -> None:
    with site_of(request).store.writing() as connection:
        audit.record(connection, actor=found.user.name, action="refused",
                     subject=str(request.path_params.get("name", request.url.path))[:120],
                     detail={"deed": request.url.path.rpartition("/")[2][:60], "role": found.user.role.value,
                             "needs": role.value, "path": request.url.path[:200]})


_WORDS = {
    400: ("This could not be read", "The form did not arrive whole. Go back, reload the page, and try again."),
    403: ("You may not do this", "The page that you came from is too old, or is not ours. Nothing was changed: open "
                                 "the dashboard anew, and try again."),
    404: ("There is no such page", "It may have been moved, or its address is not complete."),
    405: ("There is no such page", "It may have been moved, or its address is not complete."),
    408: ("This took too long", "The form did not arrive in time. Nothing was changed."),
    413: ("This is too large", "Nothing was changed."),
    415: ("This could not be read", "Nothing was changed."),
}


def _turned_away(request: Request, fault: HTTPException) -> Response:
    title, sentence = _WORDS.get(fault.status_code, ("Something went wrong", "Nothing was changed."))
    if fault.status_code == 403 and " " in fault.detail:
        sentence = fault.detail
    answer = refusal(request, sentence, status=fault.status_code, title=title)
    answer.headers.update(fault.headers or {})
    return answer


def turned_away(request: Request, fault: HTTPException) -> Response:
    """The page for a request that no door answered: a path that is none, a form that was not ours."""
    return _turned_away(request, fault)
