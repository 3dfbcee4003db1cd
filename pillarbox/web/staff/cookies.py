"""The dashboard's two cookies: the session's, and before there is one the visit's, to which the login form is bound."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from pillarbox.model.config import Settings
from pillarbox.web.below import is_secure, root_of
from pillarbox.web.staff.frame import site_of

_SESSION, _VISIT = "pillarbox", "pillarbox-visit"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_VISIT_SECONDS = 3600


def name_of(settings: Settings, plain: str = _SESSION) -> str:
    """A cookie's name. Browsers take ``__Host-`` from this very host alone, over https, for its whole site.

    Where only a path of the site is ours, the rest of it is not shown our cookies: of that they take ``__Secure-``.
    """
    if not is_secure(settings):
        return plain
    return f"__Secure-{plain}" if root_of(settings) else f"__Host-{plain}"


def token_of(request: Request) -> str:
    """The session's token that the browser shows; empty when it shows none that could be one."""
    return _shown(request, _SESSION)


def visit_of(request: Request) -> str:
    """The same of a visit that has not logged in."""
    return _shown(request, _VISIT)


def give_session(request: Request, response: Response, token: str) -> None:
    """Have the browser show this session from now on, until it is closed."""
    _give(request, response, _SESSION, token, seconds=None)


def give_visit(request: Request, response: Response, token: str) -> None:
    """Have the browser show this visit, for an hour."""
    _give(request, response, _VISIT, token, seconds=_VISIT_SECONDS)


def forget(request: Request, response: Response) -> None:
    """Have the browser forget the session."""
    _give(request, response, _SESSION, "", seconds=0)


def _give(request: Request, response: Response, plain: str, token: str, *, seconds: int | None) -> None:
    site = site_of(request)
    response.set_cookie(name_of(site.settings, plain), token, max_age=seconds, path=f"{site.root}/",
                        secure=is_secure(site.settings), httponly=True, samesite="lax")


def _shown(request: Request, plain: str) -> str:
    found = request.cookies.get(name_of(site_of(request).settings, plain), "")
    return found if _TOKEN.fullmatch(found) else ""
