"""A made-up letter and people at example.org, for the tests of every transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

import orjson

from pillarbox.model.records import Envelope, Outgoing, Place, Shape, Token, Unit

ALICE, BOB, CHARLIE = "alice@example.org", "bob@example.org", "charlie@example.org"
NAMES = ('Levi, Miriam; "Mim"', "רננה כהן", "", "O'Brien & <Sons>", "Zoë")
KEY = "abcdefghijklmnopqrstuvwxyz"


def envelope(**changed: Any) -> Envelope:
    """A charity's envelope."""
    given: dict[str, Any] = {
        "project": "proj1234", "mailing": "uyghur-freedom-20261122", "from_name": "René Cassin, the charity",
        "from_email": "hello@charity.example.org", "reply_to": "reply@charity.example.org", "practice": True,
        "base_url": "https://letters.example.org", "unsubscribe_mailto": "leave@charity.example.org"}
    return Envelope(**{**given, **changed})


def shape(filling: str = "") -> Shape:
    """A letter that prints a salutation (in all parts), a link key and a town."""
    return Shape(
        id="0" * 32, subject="A letter for x7f00000x",
        html='<!DOCTYPE html><html><body><p>Dear x7f00001x of x7f00003x,</p>\n<p><a href="https://letters.example.org/d/'
             f'x7f00002x">Give</a> — שלום</p>{filling}</body></html>\n',
        text=f"Dear x7f00004x,\n\n.a line that begins with a dot\nFrom here — ‘with care’.\n{filling}",
        tokens=(Token(mark="x7f00000x", value=0, place=Place.SUBJECT),
                Token(mark="x7f00001x", value=0, place=Place.TEXT),
                Token(mark="x7f00002x", value=1, place=Place.URL), Token(mark="x7f00003x", value=2, place=Place.TEXT),
                Token(mark="x7f00004x", value=0, place=Place.PLAIN)))


def message(number: int, *, address: str = "", to_name: str | None = None, salutation: str = "",
            town: str = "London") -> Outgoing:
    """The message of this number (from 1), to person-<number>."""
    return Outgoing(message_id=number, address=address or f"person-{number}@example.org",
                    to_name=NAMES[number % len(NAMES)] if to_name is None else to_name, key=f"{KEY[:20]}{number:06d}",
                    values=(salutation or f"Friend & №{number}", f"code{number}", town))


def unit(messages: int | Sequence[Outgoing] = 3, *, tracked: bool = False, letter: Shape | None = None,
         **changed: Any) -> Unit:
    """A unit of so many messages, or of these."""
    chosen = tuple(message(n) for n in range(1, messages + 1)) if isinstance(messages, int) else tuple(messages)
    return Unit(attempt_id=77, envelope=envelope(**changed), shape=letter or shape(), tracked=tracked, messages=chosen)


@dataclass
class Reply:
    """What the scripted server says to one POST; ``drop`` closes the connection instead."""

    status: int = 202
    errors: Sequence[tuple[str | None, str]] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: {"X-Message-Id": "request-id"})
    drop: bool = False


class Scripted:
    """A tiny SendGrid that answers as a function of the parsed request says. A context manager.

    Args:
        answer: gets the number of the POST (from 1) and its JSON.
    """

    def __init__(self, answer: Callable[[int, dict[str, Any]], Reply]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.connections = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20

            def setup(self) -> None:
                super().setup()
                outer.connections += 1

            def do_POST(self) -> None:
                outer.requests.append(orjson.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                reply = answer(len(outer.requests), outer.requests[-1])
                if reply.drop:
                    self.close_connection = True
                    return
                body = orjson.dumps({"errors": [{"field": f, "message": m} for f, m in reply.errors]})
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
