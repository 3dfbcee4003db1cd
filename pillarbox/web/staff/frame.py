"""The frame of the dashboard: how a page is made in it.

A door of any room of the dashboard looks like this::

    from pillarbox.web.staff.frame import render
    from pillarbox.web.staff.guard import require

    async def show(request: Request) -> Response:
        found = await run_in_threadpool(...)             # one call below the web
        return render(request, "insight/compare", found=found)

    Route("/staff/compare", require(Role.VIEW)(show), methods=["GET"])

and its template ``pages/insight/compare.html`` like this::

    {% extends "staff/base.html" %}
    {% import "staff/parts.html" as parts %}
    {% block title %}Compare mailings{% endblock %}
    {% block content %} … {% endblock %}

A page about one mailing extends ``staff/mailing.html`` instead and is given ``mailing=`` (``store.mailings.Mailing``):
name, state, PRACTICE and the strip of its pages then stand above it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pillarbox.ground.compiled import Compiled
from pillarbox.model.states import Role
from pillarbox.reports import words
from pillarbox.staff import sessions
from pillarbox.staff.sessions import Visitor
from pillarbox.web.site import Site
from pillarbox.web.staff import navigation
from pillarbox.web.staff.assets import Asset, tints

POLICY = ("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
          "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
"""What a page of the dashboard may use: files of its own, nothing inline, nothing from outside."""
# Under "no-referrer" browsers post forms with the origin "null" (Fetch, "append a request Origin header").
_HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
_PAGES = Path(__file__).parent.parent / "pages"
_COMMAND = re.compile(r"`([^`\n]+)`")


_compiled = Compiled()


class Frame:
    """The dashboard of one project. There is one an application, at ``app.state.frame``."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.zone = site.settings.project.zone
        self._environment = Environment(
            loader=FileSystemLoader(_PAGES), autoescape=select_autoescape(["html"]), undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, bytecode_cache=_compiled)
        self._environment.filters.update(
            moment=lambda at: words.moment(at, self.zone), clock=self._clock, number=lambda count: f"{count:,}",
            pounds=words.pounds, percent=words.percent, commands=commands, iso=lambda at: at.isoformat())
        style = self._environment.get_template("staff/style.css").render(theme=site.theme, tints=tints(site.theme))
        script = (_PAGES / "staff" / "live.js").read_text("utf-8")
        self.style = Asset.of("style", "css", style, "text/css")
        self.script = Asset.of("live", "js", script, "text/javascript")
        self._environment.globals.update(
            theme=site.theme, charity=site.theme.name, in_practice=site.settings.practice,
            zone_name=self.zone.rpartition("/")[2].replace("_", " "), style=self.style.path, script=self.script.path,
            state_words=words.MAILING_STATE, page_of=navigation.first_page, Role=Role, root=site.root)

    def page(self, request: Request, template: str, *, status: int, headers: Mapping[str, str] | None,
             values: Mapping[str, Any]) -> HTMLResponse:
        """See ``render``."""
        visitor = visitor_of(request)
        around: dict[str, Any] = {
            "visitor": visitor, "here": request.url.path, "flash": "", "flash_kind": "", "menu": [], "strip": [],
            "form_token": "", "crumbs": (), "reload_seconds": 0}
        if visitor:
            around |= {
                "flash": visitor.session.flash, "flash_kind": visitor.session.flash_kind,
                "menu": navigation.menu(visitor.user.role), "strip": navigation.strip(visitor.user.role),
                "form_token": sessions.form_token(self.site.settings, visitor.token)}
        body = self._environment.get_template(f"{template}.html").render(around | dict(values))
        return HTMLResponse(body, status_code=status, headers={**_HEADERS, **(headers or {})})

    def _clock(self, at: datetime) -> str:
        return words.moment(at, self.zone).rpartition(", ")[2]


def frame_of(request: Request) -> Frame:
    """The dashboard that a request is made to."""
    found: Frame = request.app.state.frame
    return found


def site_of(request: Request) -> Site:
    """The project's web application that a request is made to."""
    return frame_of(request).site


def visitor_of(request: Request) -> Visitor | None:
    """Who is logged in, on a page that is behind ``require``; None on others."""
    found: Visitor | None = getattr(request.state, "visitor", None)
    return found


def render(request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None,
           **values: Any) -> HTMLResponse:
    """The page ``pages/<template>.html`` in the frame.

    Every template has, beside ``values``: ``visitor`` (user, session), ``form_token`` (in every form:
    ``{{ parts.token(form_token) }}``), ``charity``, ``in_practice``, ``root`` (before every path in a page),
    ``here`` (the path, without it), ``page_of(name)`` (a mailing's path), ``state_words``, and the filters
    ``moment``, ``clock``, ``number``, ``pounds``, ``percent``, ``commands`` (backquoted commands as code).
    ``crumbs``: (label, path) pairs above the title. ``reload_seconds``: how often the page comes again in a browser
    without script.
    """
    return frame_of(request).page(request, template, status=status, headers=headers, values=values)


def refusal(request: Request, sentence: str, *, status: int, title: str = "This was not done",
            back: tuple[str, str] | None = None) -> Response:
    """A page that says why something was not done.

    Args:
        back: (label, path) of the page to go back to; the first page when not said.
    """
    return render(request, "staff/refused", status=status, sentence=sentence, heading=title, back=back)


def go(path: str) -> Response:
    """Go on to another page of ours (303), so that reloading it does nothing twice."""
    return RedirectResponse(own_path(path), status_code=303)


def own_path(wanted: str) -> str:
    """A path within the dashboard; ``/staff/`` for whatever else was asked (another site, a scheme, a trick)."""
    plain = wanted.strip()
    if len(plain) > 500 or not plain.isascii() or not plain.isprintable() or "\\" in plain or "//" in plain:
        return "/staff/"
    try:
        parts = urlsplit(plain)
    except ValueError:
        return "/staff/"
    inside = parts.path == "/staff" or parts.path.startswith("/staff/")
    if parts.scheme or parts.netloc or not inside or ".." in parts.path or "%" in parts.path:
        return "/staff/"
    return plain


def commands(sentence: str) -> Markup:
    """A sentence for staff as HTML: the commands in it, between backquotes, as code."""
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(sentence))))  # noqa: S704 - escaped just before
