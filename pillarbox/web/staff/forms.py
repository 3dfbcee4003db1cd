"""Forms of the dashboard: read within bounds, and believed only when a page of ours, of this session, sent them."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from pillarbox.staff import sessions
from pillarbox.web.staff.cookies import visit_of
from pillarbox.web.staff.frame import site_of, visitor_of

FIELD = "form_token"
"""The field that carries the token."""
MOST_BYTES = 64 * 1024
SECONDS = 15.0
"""A form that is not here whole by then is let go: whoever sends a byte a minute keeps nobody waiting."""
_MOST_FIELDS = 100
_KEPT = "staff_form"


class Foreign(HTTPException):
    """A form that no page of this session sent."""

    def __init__(self) -> None:
        super().__init__(403)


async def form(request: Request) -> Mapping[str, str]:
    """The fields of a posted form, once it is sure that a page of this session sent it.

    ``require`` has called it before any door of a POST runs; a door calls it again for the fields.

    Raises:
        Foreign: from another site, or without this session's token.
        HTTPException: 400, 408, 413 or 415: no form, too slow, too large, of another kind.
    """
    kept: Mapping[str, str] | None = getattr(request.state, _KEPT, None)
    if kept is None:
        refuse_foreign(request)
        kept = await _read(request)
        _refuse_forged(request, kept.get(FIELD, ""))
        setattr(request.state, _KEPT, kept)
    return kept


def refuse_foreign(request: Request) -> None:
    """See that a request comes from a page of ours, by what the browser itself says of it.

    Raises:
        Foreign: it does not.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Foreign
    origin = request.headers.get("origin")
    if origin is not None and origin.lower() not in _own_origins(request):
        raise Foreign


def _own_origins(request: Request) -> set[str]:
    found = {f"{request.url.scheme}://{request.headers.get('host', '')}".lower()}
    if base := site_of(request).settings.project.base_url:
        parts = urlsplit(base)
        found.add(f"{parts.scheme}://{parts.netloc}".lower())
    return found


def _refuse_forged(request: Request, given: str) -> None:
    token = visitor.token if (visitor := visitor_of(request)) else visit_of(request)
    if not token or not hmac.compare_digest(
            given.encode(), sessions.form_token(site_of(request).settings, token).encode()):
        raise Foreign


async def _read(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        raise HTTPException(413)
    try:
        async with asyncio.timeout(SECONDS):
            raw = await _body(request)
    except TimeoutError:
        raise HTTPException(408, headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:  # of which UnicodeDecodeError is one
        raise HTTPException(400) from None
    return dict(pairs)


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise HTTPException(413)
        parts.append(part)
    return b"".join(parts)
