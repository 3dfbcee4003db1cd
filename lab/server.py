"""A server that counts: every message id it accepted, and when. It can be told to be troublesome.

``python -m lab.server`` runs it as a process of its own, so that nothing that befalls a sender touches the count. It
knows nothing of Pillarbox but the name of one custom argument.
"""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
KEY = "SG.crash.lab"


@dataclass(frozen=True, kw_only=True)
class Mood:
    """How the server answers: seconds, and of each trouble the share of requests that meet it."""

    latency: float = 0.05
    """Each request takes between half and one and a half times as long."""
    cut_before: float = 0.0
    """The connection is cut; nothing was accepted."""
    cut_after: float = 0.0
    """Everything was accepted, then the connection is cut."""
    limited: float = 0.0
    """429 with a reset a second ahead."""
    broken: float = 0.0
    """500, nothing accepted."""
    broken_after: float = 0.0
    """500, and yet everything was accepted."""
    stall: float = 0.0
    """Says nothing until the sender has given up, and accepts everything then."""
    stall_seconds: float = 6.0


CALM = Mood()
TROUBLES = ("cut_before", "cut_after", "limited", "broken", "broken_after", "stall")


@dataclass
class Count:
    """What was accepted."""

    mood: Mood = CALM
    chance: random.Random = field(default_factory=random.Random)
    taken: dict[str, list[float]] = field(default_factory=dict)
    """Message → when it was accepted, as often as it was."""
    addresses: Counter[str] = field(default_factory=Counter)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    posts: int = 0
    """Requests begun."""
    troubled: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> tuple[Mood, str, float]:
        """A request has come: the mood, the trouble that it meets (or none), and how long it takes."""
        with self.lock:
            self.posts += 1
            drawn, trouble = self.chance.random(), ""
            for name in TROUBLES:
                drawn -= getattr(self.mood, name)
                if drawn < 0:
                    trouble = name
                    break
            if trouble:
                self.troubled[trouble] += 1
            return self.mood, trouble, self.mood.latency * self.chance.uniform(0.5, 1.5)

    def accept(self, body: dict[str, Any], request_id: str) -> None:
        """Take every personalization, all at once."""
        moment = time.time()
        with self.lock:
            for number, one in enumerate(body["personalizations"]):
                name = one["custom_args"]["pillarbox"]
                address = one["to"][0]["email"]
                self.taken.setdefault(name.split(".")[1], []).append(moment)
                self.addresses[address] += 1
                self.accepted.append({"email": address, "timestamp": int(moment), "pillarbox": name,
                                      "category": body.get("categories", []),
                                      "sg_message_id": f"{request_id}.recvd-lab-1-{number:X}.0"})

    def events(self) -> list[dict[str, Any]]:
        """An event of every accepted message, as SendGrid posts it."""
        with self.lock:
            return [{**one, "event": "delivered",
                     "sg_event_id": urlsafe_b64encode(sha256(one["sg_message_id"].encode()).digest()[:24]).decode()}
                    for one in self.accepted]

    def told(self) -> dict[str, Any]:
        """The counts."""
        with self.lock:
            return {"taken": {name: len(times) for name, times in self.taken.items()}, "posts": self.posts,
                    "troubled": dict(self.troubled),
                    "twice": sum(n > 1 for n in self.addresses.values()) + sum(len(t) > 1 for t in self.taken.values())}


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
            case "/lab/posts":
                self._json(200, count.posts)
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
        try:
            self._mail_send(json.loads(body))
        except _Cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _mail_send(self, body: dict[str, Any]) -> None:
        count = self.server.count
        mood, trouble, seconds = count.begin()
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
        count.accept(body, request_id)
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

    def __init__(self, seed: int) -> None:
        self.count = Count(chance=random.Random(seed))
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that was killed leaves its connection half way: that is what we are here for."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def counting() -> Iterator[tuple[str, _Listener]]:
    """The counting server in a thread of this process: its URL, and the server, whose ``count`` may be changed."""
    listener = _Listener(0)
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}", listener
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


class Server:
    """The counting server as a process; a context manager."""

    def __init__(self, seed: int) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", "lab.server", str(seed)], cwd=ROOT, text=True,
                                         stdout=subprocess.PIPE, start_new_session=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def posts(self) -> int:
        """How many requests have begun."""
        return int(self._get("posts"))

    def count(self) -> dict[str, Any]:
        """What was accepted: message → how often; how many came twice; the troubles there were."""
        found: dict[str, Any] = self._get("count")
        return found

    def events(self) -> list[dict[str, Any]]:
        """What the provider would tell of all that it accepted."""
        found: list[dict[str, Any]] = self._get("events")
        return found

    def mood(self, mood: Mood) -> None:
        """Answer like this from now on."""
        request = urllib.request.Request(f"{self.url}/lab/mood", data=json.dumps(asdict(mood)).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.stop()

    def _get(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/lab/{what}", timeout=30) as answer:
            return json.loads(answer.read())


def main() -> None:
    """Serve until told to end; the first line of output is the URL."""
    listener = _Listener(int(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=listener.shutdown).start())
    print(f"http://127.0.0.1:{listener.server_port}", flush=True)
    listener.serve_forever(0.05)


if __name__ == "__main__":
    main()
