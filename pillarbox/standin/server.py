"""The stand-in's HTTP server, on 127.0.0.1 only.

A thread a connection over the standard library's ``http.server``: the few connections of a sender live long (HTTP/1.1
keep-alive), a 1 MB body is one ``recv_into`` that holds no interpreter lock, and a blocking socket is the plainest way
to break a connection at an exact stage. An ASGI server would hide that stage, and copies a large body in 64 KB pieces.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import socket
import sys
import threading
from base64 import urlsafe_b64encode
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from pillarbox.ground import clock
from pillarbox.standin.behaviour import Behaviour
from pillarbox.standin.handler import Handler
from pillarbox.standin.mailbox import Kept, Mailbox
from pillarbox.standin.scheduled import Scheduled
from pillarbox.standin.search import Limit
from pillarbox.standin.suppressions import Suppressions


class Server(ThreadingHTTPServer):
    """The listening socket, and what all its connections share."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, port: int, behaviour: Behaviour, mailbox: Mailbox, suppressions: Suppressions,
                 scheduled: Scheduled) -> None:
        self.behaviour = behaviour
        self.mailbox = mailbox
        self.scheduled = scheduled
        self.suppressions = suppressions
        self.activity = Limit()
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._posts = 0
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the host's name that ``HTTPServer`` does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def counts(self) -> dict[str, Any]:
        """What was sent here so far, and what waits for its time."""
        return self.mailbox.counts() | {"held": self.scheduled.held, "discarded": self.scheduled.discarded}

    def next_post(self) -> int:
        """The number of a POST to /v3/mail/send, from 1, counted as soon as its headers are here."""
        with self._lock:
            self._posts += 1
            return self._posts

    def request_id(self, number: int) -> str:
        """What X-Message-Id says: 22 URL-safe characters, repeatable when the behaviour has a seed."""
        seed = self.behaviour.seed
        raw = secrets.token_bytes(16) if seed is None else hashlib.sha256(f"{seed}:{number}".encode()).digest()[:16]
        return urlsafe_b64encode(raw).decode().rstrip("=")

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, unless it is only that the client went away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """End every connection, idle or hanging."""
        self.stopping.set()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class Standin:
    """A local SendGrid in a thread of this process; a context manager.

    Args:
        behaviour: how it answers; faithful by default.
        port: 0 takes a free one.
    """

    def __init__(self, behaviour: Behaviour | None = None, *, port: int = 0) -> None:
        self.behaviour = behaviour or Behaviour()
        self.mailbox = Mailbox(keep=self.behaviour.keep, letters=self.behaviour.letters, journal=self.behaviour.journal)
        self.suppressions = Suppressions()
        self.scheduled = Scheduled(self.mailbox.add)
        self._port = port
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, e.g. ``http://127.0.0.1:41234``; only while it runs."""
        if self._server is None:
            raise RuntimeError("the stand-in has not been started")
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def messages(self) -> list[Kept]:
        """The accepted messages whose time has come, oldest first."""
        self.scheduled.release(clock.now())
        return self.mailbox.messages

    def counts(self) -> dict[str, Any]:
        """The same as ``GET /_standin/counts``."""
        self.scheduled.release(clock.now())
        return self.mailbox.counts() | {"held": self.scheduled.held, "discarded": self.scheduled.discarded}

    def start(self) -> Self:
        """Listen, in a thread.

        Raises:
            OSError: when the port is taken.
        """
        if self._server is not None:
            raise RuntimeError("the stand-in runs already")
        self._server = Server(self._port, self.behaviour, self.mailbox, self.suppressions,
                              self.scheduled)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="stand-in", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and end every connection. What was accepted can still be read."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()
        self.mailbox.close()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()
