"""The page: one file with its own style and script, which fetches nothing but, when served, the letter itself.

A letter stands in it in frames without scripts (``sandbox``, and the page's policy, which frames inherit). How it would
look in the dark, inverted, or without images is emulated by its own script (``pages/preview.js``), for a frame cannot
choose its scheme.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_PAGES = Path(__file__).parent / "pages"


@cache
def _script() -> str:
    return (_PAGES / "preview.js").read_text("utf-8")


def policy() -> str:
    """What the page may do: run its own script, and show letters' styles and images."""
    digest = base64.b64encode(hashlib.sha256(_script().encode()).digest()).decode()
    return (f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; connect-src 'self'; "
            "img-src https: http: data:; font-src https: data:; base-uri 'none'; form-action 'none'")


def page(frame: Mapping[str, Any], *, copies: list[dict[str, Any]] | None = None,
         findings: list[Mapping[str, Any]] | None = None, live: str = "") -> str:
    """The page as HTML.

    Args:
        frame: what is the same for every copy (``Sight.frame``).
        copies: every copy; None when the page is to fetch them.
        findings: what a check found; None when the page is to fetch them.
        live: where it fetches what changes, with a slash at the end; empty for a file.
    """
    environment = Environment(loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)
    data = orjson.dumps({**frame, "copies": copies, "findings": findings, "live": live}).decode()
    # A letter's own "</script>" must not end ours; < and & are the same in JSON when they are written so.
    safe = data.replace("&", "\\u0026").replace("<", "\\u003c")
    return environment.get_template("preview.html").render(
        title=frame["title"], policy=policy(), style=Markup((_PAGES / "preview.css").read_text("utf-8")),  # noqa: S704 - ours
        script=Markup(_script()), data=Markup(safe))  # noqa: S704 - ours; and JSON without < and &
