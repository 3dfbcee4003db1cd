"""The look, served to this machine alone, and told anew as files change."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from watchfiles import awatch

from pillarbox.ground import logs
from pillarbox.ground.ending import quiet_end
from pillarbox.ground.errors import LetterError, PillarboxError, Refused
from pillarbox.ground.resources import shipped
from pillarbox.seeing.page import page, policy
from pillarbox.seeing.sight import Sight, told

log = logs.get("seeing")

HOST = "127.0.0.1"
_DEBOUNCE_MS, _STEP_MS = 40, 20
"""How long further changes are waited for: an editor may write several files, or one in two steps."""
_SEEK_MS = 500
"""How often the folders are looked for, besides: one that was deleted and made anew is another one."""
_AGAIN_SECONDS = 1.0
_SETTLE_SECONDS = 1
_BEAT_SECONDS = 1.0
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


class Looking:
    """The web application of one look.

    Args:
        sight: the letter.
    """

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self._hearers: set[asyncio.Queue[bytes]] = set()
        # Other people of this machine can reach its ports, and a look may show a real supporter's words.
        self.path = f"/{secrets.token_urlsafe(9)}/"
        self.ending = asyncio.Event()

    def app(self) -> Starlette:
        """The application: the page, its copies, what a check finds, and news."""
        routes = [Route("/", self._page), Route("/copy/{number:int}", self._copy), Route("/findings", self._findings),
                  Route("/events", self._events)]
        return Starlette(routes=[Mount(self.path.rstrip("/"), routes=routes)], lifespan=self._watching,
                         middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])])

    async def _page(self, request: Request) -> Response:  # noqa: ARG002 - Starlette hands it over
        frame = await run_in_threadpool(self._sight.frame)
        return HTMLResponse(page(frame, live=self.path), headers={
            **_HEADERS, "Content-Security-Policy": f"{policy()}; frame-ancestors 'none'"})

    async def _copy(self, request: Request) -> Response:
        copy = await run_in_threadpool(self._sight.copy, int(request.path_params["number"]))
        if copy is None:
            raise HTTPException(404)
        return _json(copy)

    async def _findings(self, request: Request) -> Response:  # noqa: ARG002
        version = self._sight.version
        found = await run_in_threadpool(self._sight.findings, version)
        return _json({"version": version, "findings": [told(each) for each in found]})

    async def _events(self, request: Request) -> Response:  # noqa: ARG002
        return StreamingResponse(self._news(), media_type="text/event-stream", headers=_HEADERS)

    async def _news(self) -> AsyncIterator[bytes]:
        hearer: asyncio.Queue[bytes] = asyncio.Queue()
        self._hearers.add(hearer)
        try:
            yield b"retry: 500\n\n" + _event(await run_in_threadpool(self._sight.frame))
            while not self.ending.is_set():
                try:
                    yield await asyncio.wait_for(hearer.get(), _BEAT_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._hearers.discard(hearer)

    @asynccontextmanager
    async def _watching(self, app: Starlette) -> AsyncIterator[None]:  # noqa: ARG002
        watching = asyncio.create_task(self._watch())
        yield
        self.ending.set()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching

    async def _watch(self) -> None:
        """Tell of every change, until the end.

        A folder that is deleted and comes back under its old name (another branch of git, a synced folder) is another
        one to the system, and nothing more would be heard of it: then the watch begins anew.
        """
        there, anew = watched(self._sight), False
        while not self.ending.is_set():
            try:
                async for changes in awatch(*there.values(), stop_event=self.ending, debounce=_DEBOUNCE_MS,
                                            step=_STEP_MS, rust_timeout=_SEEK_MS, yield_on_timeout=True):
                    now = watched(self._sight)
                    if changes or anew or now != there:  # anew: what was saved before it was watched is seen too
                        await self._tell()
                    anew = now != there
                    if anew:
                        there = now
                        break
            except Exception as fault:  # noqa: BLE001 - or staff would look at an old letter and take it for theirs
                log.fault("seeing.not-watched", fault)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.ending.wait(), _AGAIN_SECONDS)
                there, anew = watched(self._sight), True

    async def _tell(self) -> None:
        try:
            await run_in_threadpool(self._sight.look_again)
            news = _event(await run_in_threadpool(self._sight.frame))
        except (PillarboxError, OSError) as fault:  # a file that an editor just holds: its next change is looked at
            log.fault("seeing.not-looked", fault)
            return
        for hearer in self._hearers:
            hearer.put_nowait(news)


Folders = dict[tuple[int, int], Path]
"""Device and number of a folder on it → where it lies."""


def watched(sight: Sight) -> Folders:
    """The folders in which a change changes the letter."""
    folder = sight.project.folder
    found: Folders = {}
    for place in (folder / "appeals" / sight.slug, folder / "templates", shipped("templates"), folder / "lists"):
        with suppress(OSError, RuntimeError):  # it is not there, or no longer; a link that leads to itself
            status = place.stat()
            if stat.S_ISDIR(status.st_mode):
                found[status.st_dev, status.st_ino] = place.resolve()
    return found


def serve(sight: Sight, *, port: int = 0, ready: Callable[[str], None]) -> None:
    """Serve the look until SIGTERM or Ctrl-C. A letter with faults is served too: they are shown until they are mended.

    Args:
        sight: the letter.
        port: 0 picks a free one.
        ready: called with the page's address when it can be opened.

    Raises:
        LetterError: there is no such appeal.
        Refused: the port cannot be had, or nobody is there to look at it with.
    """
    sight.look_again()
    if not (sight.is_service or (sight.project.folder / "appeals" / sight.slug).is_dir()):
        raise LetterError(f"There is no appeal {sight.slug}.", findings=sight.findings())
    looking = Looking(sight)
    listening = _listen(port)
    server = _Server(uvicorn.Config(looking.app(), host=HOST, access_log=False, log_config=None, server_header=False,
                                    timeout_graceful_shutdown=_SETTLE_SECONDS), looking)
    server.ready = lambda: ready(f"http://{HOST}:{listening.getsockname()[1]}{looking.path}")
    with quiet_end():
        server.run([listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, looking: Looking) -> None:
        super().__init__(config)
        self._looking = looking
        self.ready: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._looking.ending.set()  # or those who listen for news would be waited for
        await super().shutdown(sockets)


def _listen(port: int) -> socket.socket:
    try:
        listening = socket.create_server((HOST, port))
    except (OSError, OverflowError) as fault:
        why = os.strerror(fault.errno) if isinstance(fault, OSError) and fault.errno else str(fault)
        raise Refused(f"Nobody can listen on {HOST}, port {port}: {why}.",
                      todo="Leave --port out, and a free one is taken.") from None
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _json(data: object) -> Response:
    return Response(orjson.dumps(data), media_type="application/json", headers=_HEADERS)


def _event(data: object) -> bytes:
    return b"event: look\ndata: " + orjson.dumps(data) + b"\n\n"
