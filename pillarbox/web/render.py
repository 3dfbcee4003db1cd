"""The pages: Jinja templates in ``pages/``, in the charity's theme, with no script and no outside resource."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse

from pillarbox.ground.compiled import Compiled
from pillarbox.web.theme import Theme

_compiled = Compiled()


def letter_page(html: str) -> str:
    """A letter as a page of its own: what mail programs are told is an article is a page's main part to who listens."""
    return html.replace('role="article"', 'role="main"', 1)


class Pages:
    """Makes pages in one theme.

    Args:
        theme: the charity's.
        styles: a room's own style sheets below ``pages/``, which come after the common one.
        root: what stands before every path of ours in a page; without a trailing slash.
    """

    def __init__(self, theme: Theme, *, styles: Sequence[str] = (), root: str = "") -> None:
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, bytecode_cache=_compiled)
        self._environment.globals["root"] = root
        self._theme = theme
        style = "\n".join(self._environment.get_template(name).render(theme=theme) for name in ("style.css", *styles))
        if "</" in style:
            raise ValueError("a theme's colours and fonts hold no tags")
        self._style = Markup(style)  # noqa: S704 - ours, and the project's own theme
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self._policy = (f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'self'; "
                        "frame-ancestors ")

    def page(self, name: str, *, status: int = 200, framed_by: Sequence[str] = (), **values: Any) -> HTMLResponse:
        """The page ``pages/<name>.html``.

        Args:
            name: which.
            status: of the answer.
            framed_by: websites that may show it in a frame; by default none.
            values: what its template reads.
        """
        body = self._environment.get_template(f"{name}.html").render(theme=self._theme, style=self._style, **values)
        return HTMLResponse(body, status_code=status, headers={
            "Content-Security-Policy": self._policy + (" ".join(framed_by) or "'none'")})
