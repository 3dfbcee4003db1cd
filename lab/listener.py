"""``python -m lab.listener``: the counting server as a process of its own, so that nothing that befalls a sender
touches the count. It can be told to be troublesome."""

from __future__ import annotations

import argparse
import json
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lab.count import Count
from lab.moods import Mood

# A peer whose host is lost says no goodbye: it is taken for gone after 25 s, and one that is cut off for less is not.
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


class _Cut(Exception):
    """The connection ends here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        count = self.server.count
        match self.path:
            case "/lab/traffic":
                self._json(200, count.traffic())
            case "/lab/count":
                self._json(200, count.told())
            case "/lab/events":
                self._json(200, count.events())
            case "/v3/scopes":
                self._json(200, {"scopes": ["mail.send"]})
            case _:
                self._json(404, {"errors": [{"message": "not found", "field": None}]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) < int(self.headers["Content-Length"]):
            self.close_connection = True
            return
        if self.path == "/lab/mood":
            self.server.count.mood = Mood(**json.loads(body))
            self._json(200, "so be it")
            return
        mood, trouble, seconds = self.server.count.begin()
        try:
            self._mail_send(json.loads(body), mood, trouble, seconds)
        except _Cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        finally:
            self.server.count.end()

    def _mail_send(self, body: dict[str, Any], mood: Mood, trouble: str, seconds: float) -> None:
        request_id = sha256(f"{id(self)}{time.time_ns()}".encode()).hexdigest()[:22]
        time.sleep(seconds / 2)
        match trouble:
            case "cut_before":
                raise _Cut
            case "limited":
                self._json(429, {"errors": [{"message": "too many requests", "field": None}]},
                           {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0",
                            "X-RateLimit-Reset": str(int(time.time()) + 1)})
                return
            case "broken":
                self._json(500, {"errors": [{"message": "internal server error", "field": None}]})
                return
            case "stall":
                time.sleep(mood.stall_seconds)
        self.server.count.accept(body, request_id)
        time.sleep(seconds / 2)
        if trouble == "cut_after":
            raise _Cut
        if trouble == "broken_after":
            self._json(500, {"errors": [{"message": "internal server error", "field": None}]})
            return
        self._answer(202, b"", {"X-Message-Id": request_id})

    def _json(self, status: int, content: Any, more: dict[str, str] | None = None) -> None:
        self._answer(status, json.dumps(content).encode(), more)

    def _answer(self, status: int, body: bytes, more: dict[str, str] | None = None) -> None:
        lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", "Content-Type: application/json",
                 *(f"{name}: {value}" for name, value in (more or {}).items()), "", ""]
        self.wfile.write("\r\n".join(lines).encode() + body)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: str, port: int, count: Count) -> None:
        self.count = count
        super().__init__((address, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Connections are counted in the order in which they came: who asks is counted after all before."""
        self.count.connected(1)
        request.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE.items():
            if option := getattr(socket, name, None):  # macOS calls some of them otherwise
                request.setsockopt(socket.IPPROTO_TCP, option, value)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """All that came with this connection has been dealt with."""
        super().shutdown_request(request)
        self.count.connected(-1)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that was killed leaves its connection half way: that is what we are here for."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def counting() -> Iterator[tuple[str, _Listener]]:
    """The counting server in a thread of this process: its URL, and the server, whose ``count`` may be changed."""
    listener = _Listener("127.0.0.1", 0, Count())
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}", listener
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def main() -> None:
    """Serve until told to end; the first line of output is the URL."""
    parser = argparse.ArgumentParser(prog="python -m lab.listener", description="A server that counts.")
    parser.add_argument("seed", type=int, help="chooses which requests meet trouble")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--latency", type=float, default=Mood.latency, metavar="SECONDS")
    given = parser.parse_args()
    listener = _Listener(given.address, given.port,
                         Count(chance=random.Random(given.seed), mood=Mood(latency=given.latency)))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=listener.shutdown).start())
    print(f"http://{given.address}:{listener.server_port}", flush=True)
    listener.serve_forever(0.05)


if __name__ == "__main__":
    main()
