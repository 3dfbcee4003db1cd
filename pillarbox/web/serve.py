"""Serve the application until told to stop; requests under way are finished first."""

from __future__ import annotations

import gc
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from pillarbox.ground import logs
from pillarbox.ground.ending import quiet_end
from pillarbox.ground.errors import Refused
from pillarbox.model.config import Settings
from pillarbox.store.connect import Store
from pillarbox.web.app import create
from pillarbox.web.patience import PatientProtocol
from pillarbox.web.theme import Theme

log = logs.get("web")

GRACE_SECONDS = 30
"""How long requests under way may take to finish after a SIGTERM."""
HOST, PORT = "127.0.0.1", 8025
_ALLOCATIONS = 20_000
"""Objects more than were freed before Python looks for rubbish (its own default is 700): a post makes many at once."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[int], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._ready and self.started:
            self._ready(self.servers[0].sockets[0].getsockname()[1])


def serve(store: Store, settings: Settings, project: str, *, host: str = HOST, port: int = PORT,
          theme: Theme | None = None, ready: Callable[[int], None] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C, then return when the last request is answered.

    The access log is off: a supporter's key stands in the path. The caller starts the log (``ground.logs``).

    Args:
        store: the open database; the caller closes it.
        settings: the project's.
        project: its public id.
        host: address to listen at; behind a proxy that does TLS, this machine alone.
        port: 0 picks a free one.
        theme: how the pages look.
        ready: called once with the port, when requests are answered.

    Raises:
        Refused: the address or port cannot be had.
    """
    listening = _listen(host, port)
    app = create(store, settings, project, theme=theme)
    config = uvicorn.Config(app, host=host, port=port, access_log=False, log_config=None, server_header=False,
                            http=PatientProtocol, timeout_graceful_shutdown=GRACE_SECONDS, lifespan="off")
    _settle_memory()
    with quiet_end():
        log.info("serve.began", port=listening.getsockname()[1])
        _Server(config, ready).run([listening])
    log.info("serve.ended")


def _settle_memory() -> None:
    """What was loaded stays to the end: Python need not look through it for rubbish with every post of events."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)


def _listen(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET,
                                         backlog=2048)
    except OSError as fault:
        raise Refused(f"Nobody can listen on {host}, port {port}: {fault.strerror or 'no such address'}.",
                      todo="Another server may run there already: end it, or name another --port or --host.") from None
    # asyncio does this for sockets that it made itself. Without it an answer's body waits up to 40 ms for the other
    # side's word that its head has come; accepted connections inherit it.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


@contextmanager
def background(store: Store, settings: Settings, project: str, *, theme: Theme | None = None) -> Iterator[str]:
    """The same in a thread, on a free port of this machine, for as long as the block lasts.

    Yields:
        Where it answers, without a trailing slash.
    """
    config = uvicorn.Config(create(store, settings, project, theme=theme), host=HOST, port=0, access_log=False,
                            log_config=None, server_header=False, lifespan="off", http=PatientProtocol)
    ready: queue.Queue[int] = queue.Queue()
    server = _Server(config, ready.put)
    thread = threading.Thread(target=server.run, name="serve", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{ready.get(timeout=GRACE_SECONDS)}"
    finally:
        server.should_exit = True
        thread.join(GRACE_SECONDS)
