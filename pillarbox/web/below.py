"""What the base URL says of our pages: whether https leads to them, and where only a path of the charity's website is
ours (https://charity.example/appeals).

Inside the application every path begins at our own root. What a browser is told begins at the website's: links in pages
(``root`` in their templates), the path of cookies, and redirects, which are put right here for all doors.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pillarbox.model.config import Settings


def root_of(settings: Settings) -> str:
    """The path of the base URL, without a trailing slash; empty where a whole name is ours, or none is set."""
    try:
        parts = urlsplit(settings.project.base_url)
    except ValueError:  # no address at all, which the doctor tells, and every live mailing
        return ""
    return parts.path.rstrip("/") if parts.scheme and parts.netloc else ""


def is_secure(settings: Settings) -> bool:
    """Whether our pages are reached by https, as far as the settings tell."""
    return settings.project.base_url.startswith("https://")


class Below:
    """Wraps the application: redirects stay below ``root``, and a path that came with it loses it.

    Whether the proxy before us takes the root off is never guessed from a request: what forbids ``/appeals/staff/``
    there would be passed by ``/appeals/appeals/staff/``.

    Args:
        root: what lies before our paths for a browser; ``/appeals``.
        kept: the proxy hands paths on with it.
    """

    def __init__(self, app: ASGIApp, root: str, *, kept: bool = False) -> None:
        self._app = app
        self._root = root
        self._kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def onward(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if (to := headers.get("location", "")).startswith("/"):
                    headers["location"] = self._root + to
            await send(message)

        await self._app(self._within(scope) if self._kept else scope, receive, onward)

    def _within(self, scope: Scope) -> Scope:
        path = str(scope["path"])
        if path != self._root and not path.startswith(f"{self._root}/"):
            return scope  # asked for on this machine, e.g. /health by whoever looks whether we are there
        return {**scope, "path": path[len(self._root):] or "/",
                "raw_path": bytes(scope.get("raw_path") or b"").removeprefix(self._root.encode())}
