"""How the reading pages look: a style sheet beside the dashboard's own, and a small script; named by their content."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from pillarbox.web.staff.assets import Asset
from pillarbox.web.staff.frame import render

_PAGES = Path(__file__).parent.parent / "pages" / "insight"


@lru_cache(maxsize=1)
def style() -> Asset:
    """The style sheet; its colours are the dashboard's, which lie in the other."""
    return _asset("style.css", "text/css")


@lru_cache(maxsize=1)
def script() -> Asset:
    """The script that fetches pictures which were still being drawn."""
    return _asset("pictures.js", "text/javascript")


def _asset(name: str, media_type: str) -> Asset:
    body = (_PAGES / name).read_bytes()
    return Asset(body=body, media_type=media_type,
                 path=f"/staff/insight/{hashlib.sha256(body).hexdigest()[:16]}.{name.rpartition('.')[2]}")


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """``pages/insight/<template>.html`` in the dashboard's frame."""
    return render(request, f"insight/{template}", status=status, insight_style=style().path, **values)
