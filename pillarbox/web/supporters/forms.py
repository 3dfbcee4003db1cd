"""A supporter's form, read from a request: its size, its time and its fields are bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

SIZE_LIMIT = 32 * 1024
"""Bytes; a form takes some hundred."""
SECONDS = 15.0
"""For all of it, from a client that is slow."""
_FIELDS = 200
_TYPE = "application/x-www-form-urlencoded"


class UnreadError(Exception):
    """The form cannot be read; ``status`` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent, by name, in its order."""

    fields: Mapping[str, tuple[str, ...]]

    def one(self, name: str) -> str:
        """A field's first value; empty when it is not there."""
        return next(iter(self.fields.get(name, ())), "")

    def all(self, name: str) -> frozenset[str]:
        """Every value of a field that may come more than once."""
        return frozenset(self.fields.get(name, ()))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Everything again, to be sent once more."""
        return [(name, value) for name, values in self.fields.items() for value in values]


EMPTY = Form({})


async def read(request: Request) -> Form:
    """The form that was sent.

    Raises:
        UnreadError: too large, too slow, or no form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise UnreadError(415)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > SIZE_LIMIT:
                    raise UnreadError(413)
                parts.append(part)
        pairs = parse_qsl(b"".join(parts).decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS,
                          errors="replace")
    except TimeoutError:
        raise UnreadError(408) from None
    except (ClientDisconnect, ValueError):
        raise UnreadError(400) from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return Form({name: tuple(values) for name, values in found.items()})


async def glimpse(request: Request) -> Form:
    """The form if there is one that can be read; what is odd about it must not keep anybody from leaving.

    Raises:
        UnreadError: far too large: no mail program and no page of ours sends that.
    """
    try:
        return await read(request)
    except UnreadError as fault:
        if fault.status == 413:
            raise
        return EMPTY
