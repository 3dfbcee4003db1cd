"""The dashboard's own files: a style sheet in the charity's colours and one small script, named by their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from pillarbox.web.theme import Theme

_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """One file."""

    body: bytes
    media_type: str
    path: str
    """Holds a hash of the content: another content has another path, so this one may be kept for ever."""

    @classmethod
    def of(cls, stem: str, ending: str, text: str, media_type: str) -> Asset:
        """A file of this content."""
        body = text.encode()
        return cls(body=body, media_type=media_type,
                   path=f"/staff/assets/{stem}-{hashlib.sha256(body).hexdigest()[:16]}.{ending}")

    async def serve(self, request: Request) -> Response:  # noqa: ARG002 - Starlette hands it over
        """The file; nothing secret is in it, and nobody need be logged in."""
        return Response(self.body, media_type=self.media_type, headers={
            "Cache-Control": _YEAR, "Cross-Origin-Resource-Policy": "same-origin"})


def tints(theme: Theme) -> dict[str, dict[str, str]]:
    """Colours that the dashboard needs beside the theme's: good, warning and bad, by day and by night.

    Each stands out from the paper by 4.5 to 1 (WCAG 2.2 AA) on the shipped themes.
    """
    del theme  # the same in every theme: what is red must be red
    return {"day": {"good": "#1d6b3c", "warn": "#8a4b00", "bad": "#a32020"},
            "night": {"good": "#7fd3a0", "warn": "#f0b968", "bad": "#ff9d94"}}
