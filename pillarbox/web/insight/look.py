"""How the reading pages look: a style sheet beside the dashboard's own, named by its content."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from pillarbox.web.staff.assets import Asset
from pillarbox.web.staff.frame import render

_STYLE = Path(__file__).parent.parent / "pages" / "insight" / "style.css"


@lru_cache(maxsize=1)
def style() -> Asset:
    """The style sheet; its colours are the dashboard's, which lie in the other."""
    body = _STYLE.read_bytes()
    return Asset(body=body, media_type="text/css", path=f"/staff/insight/{hashlib.sha256(body).hexdigest()[:16]}.css")


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """``pages/insight/<template>.html`` in the dashboard's frame."""
    return render(request, f"insight/{template}", status=status, insight_style=style().path, **values)
