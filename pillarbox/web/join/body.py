"""A small form, read from a request: its size, its time and its fields are bounded."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

SIZE_LIMIT = 16 * 1024
"""Bytes; a sign-up takes a few hundred."""
SECONDS = 15.0
"""For all of it, from a client that is slow."""
_FIELDS = 40
_TYPE = "application/x-www-form-urlencoded"


class UnreadError(Exception):
    """The form cannot be read; ``status`` and a sentence say why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


async def read(request: Request) -> dict[str, str]:
    """The form's fields; of a field that comes twice, the first.

    Raises:
        UnreadError: too large, too slow, or no form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise UnreadError(415, "It did not come as a form.")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > SIZE_LIMIT:
                    raise UnreadError(413, "It was too large.")
                parts.append(part)
        pairs = parse_qsl(b"".join(parts).decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS,
                          errors="replace")
    except TimeoutError:
        raise UnreadError(408, "It took too long to arrive.") from None
    except ClientDisconnect:
        raise UnreadError(400, "It was broken off.") from None
    except ValueError:
        raise UnreadError(400, "It was not in the right form.") from None
    return dict(reversed(pairs))
