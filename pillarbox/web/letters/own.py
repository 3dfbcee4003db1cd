"""The supporter's own copy of a letter, as it was sent."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pillarbox.content import images
from pillarbox.shape.bodies import body
from pillarbox.store import letters
from pillarbox.web.render import letter_page
from pillarbox.web.site import Site, key_of

# A letter has its own styles and pictures, and links that leave: no script, no frame, no form.
POLICY = ("default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; base-uri 'none'; "
          "form-action 'none'; frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox "
          "allow-top-navigation-by-user-activation")


IMAGES = "../i/"
"""Where a page at ``/v/…`` finds images, also where a proxy puts the whole site below a path."""


class OwnLetter:
    """``/v/{key}``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def view(self, request: Request) -> Response:
        """The letter that the key belongs to."""
        html = await run_in_threadpool(self._letter, key_of(request))
        if html is None:
            return self._site.pages.page("missing", status=404)
        return HTMLResponse(html, headers={"Content-Security-Policy": POLICY, "Cache-Control": "private, max-age=300"})

    def _letter(self, key: str) -> str | None:
        with self._site.visitors.reading() as connection:
            kept = letters.kept_by_key(connection, key)
        return images.at_home(letter_page(body(kept.shape, kept.values).html), IMAGES) if kept else None
