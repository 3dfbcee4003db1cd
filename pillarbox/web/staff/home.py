"""Mailings at a glance."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pillarbox.web.staff.frame import render


async def home(request: Request) -> Response:
    """The first page."""
    return render(request, "staff/home")
