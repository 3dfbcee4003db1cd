"""Letters for anybody: the letter, its picture, the archive. The only pages that search engines may keep."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pillarbox.content.appeal import SLUG
from pillarbox.mailings.publishing import HOME, site
from pillarbox.store import public_letters
from pillarbox.web.letters import feeds
from pillarbox.web.render import Pages
from pillarbox.web.site import Site

POLICY = ("default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; base-uri 'none'; "
          "form-action 'none'; frame-ancestors 'none'")
_CACHE = "public, max-age=300"
_FEEDS = {"rss": "application/rss+xml", "atom": "application/atom+xml"}


class PublicLetters:
    """``/letters`` and what lies below."""

    def __init__(self, project: Site, pages: Pages) -> None:
        self._site = project
        self._pages = pages
        self._practice = project.settings.practice

    async def archive(self, request: Request) -> Response:
        """Every published letter, newest first."""
        found = await run_in_threadpool(self._published)
        answer = self._pages.page("letters/archive", letters=found, home=HOME, practice=self._practice,
                                  join=bool(self._site.settings.join.lists))
        return self._open(request, answer)

    async def letter(self, request: Request) -> Response:
        """One letter; 410 when it was withdrawn."""
        row = await run_in_threadpool(partial(self._row, public_letters.page, _slug(request)))
        if row is None:
            return self._pages.page("missing", status=404)
        if row.withdrawn_at is not None:
            return self._pages.page("letters/withdrawn", status=410, home=HOME)
        answer = HTMLResponse(row.html, headers={"Content-Security-Policy": POLICY})
        return self._open(request, answer, row.updated_at)

    async def card(self, request: Request) -> Response:
        """The letter's picture."""
        row = await run_in_threadpool(partial(self._row, public_letters.card, _slug(request)))
        if row is None or row.withdrawn_at is not None:
            return self._pages.page("missing", status=404 if row is None else 410)
        answer = Response(row.card, media_type=row.card_kind, headers={"Cross-Origin-Resource-Policy": "cross-origin"})
        return self._open(request, answer, row.updated_at)

    async def rss(self, request: Request) -> Response:
        """The archive for feed readers."""
        return await self._feed(request, "rss")

    async def atom(self, request: Request) -> Response:
        """The same as Atom."""
        return await self._feed(request, "atom")

    async def _feed(self, request: Request, kind: str) -> Response:
        found = await run_in_threadpool(self._published)
        whole = await run_in_threadpool(partial(feeds.feed, found, kind=kind, charity=self._site.theme.name,
                                                base_url=site(self._site.settings)))
        return self._open(request, Response(whole, media_type=_FEEDS[kind]))

    def _published(self) -> list[public_letters.PublicLetter]:
        with self._site.visitors.reading() as connection:
            return public_letters.published(connection, practice_too=self._practice)

    def _row(self, query: Any, slug: str) -> Any:
        if not slug:
            return None
        with self._site.visitors.reading() as connection:
            row = query(connection, slug)
        # What was practised on this site before it went live is nobody's letter.
        return None if row is not None and row.practice and not self._practice else row

    def _open(self, request: Request, answer: Response, changed: datetime | None = None) -> Response:
        """For search engines and caches; on a practice site for neither."""
        if not self._practice:
            answer.headers["X-Robots-Tag"] = "all"
            answer.headers["Cache-Control"] = _CACHE
        if changed is not None:
            answer.headers["ETag"] = tag = f'"{int(changed.timestamp() * 1_000_000):x}"'
            if request.headers.get("if-none-match") == tag:
                kept = ("etag", "cache-control", "x-robots-tag", "content-security-policy")
                return Response(status_code=304, headers={
                    name: value for name, value in answer.headers.items() if name in kept})
        return answer


def _slug(request: Request) -> str:
    slug = str(request.path_params["slug"])
    return slug if len(slug) <= 120 and SLUG.fullmatch(slug) else ""
