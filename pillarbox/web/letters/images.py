"""Images of letters, for whoever has their address: no cookie, no log, no question who asks."""

from __future__ import annotations

import re
from collections import OrderedDict
from threading import Lock

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.content import images
from pillarbox.store import images as kept
from pillarbox.web.site import Site

_NAME = re.compile(images.NAME)
_ENDINGS = images.KINDS
HEADERS = {
    # The name is a hash of the content: what was once fetched never changes.
    "Cache-Control": "public, max-age=31536000, immutable",
    # Webmail and the charity's own site show them.
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_KEPT_BYTES = 32 * 1024 * 1024


class Images:
    """``/i/{name}``."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = Lock()
        # A mailing's images are asked for by thousands within minutes.
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    async def image(self, request: Request) -> Response:
        """An image of a letter that was planned or published."""
        name = str(request.path_params["name"])
        content = await run_in_threadpool(self._content, name) if _NAME.fullmatch(name) else None
        if content is None:
            return self._site.pages.page("missing", status=404)
        headers = {**HEADERS, "ETag": f'"{name}"'}
        if f'"{name}"' in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=_ENDINGS[name.rpartition(".")[2]], headers=headers)

    def _content(self, name: str) -> bytes | None:
        with self._lock:
            if (found := self._recent.get(name)) is not None:
                self._recent.move_to_end(name)
                return found
        with self._site.visitors.reading() as connection:
            found = kept.content(connection, name)
        if found is not None:
            self._remember(name, found)
        return found

    def _remember(self, name: str, content: bytes) -> None:
        with self._lock:
            if name not in self._recent:
                self._recent[name] = content
                self._bytes += len(content)
            while self._bytes > _KEPT_BYTES:
                _, old = self._recent.popitem(last=False)
                self._bytes -= len(old)
