"""Letters to look at within the dashboard: shut in a box of their own, where nothing acts and nothing leads out."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from pillarbox.content import images
from pillarbox.web.render import letter_page

POLICY = ("default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; font-src https: data:; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox")
"""A letter has styles of its own, and pictures that lie at the charity's site; no script, form, frame or link."""


def paper(html: str, *, root: str = "") -> Response:
    """The letter, for a frame of a page of ours.

    Args:
        root: what stands before our paths.
    """
    return HTMLResponse(images.at_home(letter_page(html), f"{root}/i/"),
                        headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"})
