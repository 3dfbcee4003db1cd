"""One connection of the stand-in: requests in, SendGrid's answers out, and the planned faults between."""

from __future__ import annotations

import gzip
import math
import re
import socket
import time
import zlib
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from pillarbox.ground import clock
from pillarbox.standin import account, intake, search
from pillarbox.standin.behaviour import Act, Fault, Mode, Stage
from pillarbox.standin.events import events
from pillarbox.standin.limits import MOST_MESSAGE_BYTES, Refusal, refusals
from pillarbox.standin.scheduled import Answer
from pillarbox.standin.suppressions import LISTS

if TYPE_CHECKING:
    from pillarbox.standin.server import Server

SEND = "/v3/mail/send"
MESSAGES = "/v3/messages"
_WORDS = {
    302: "found", 400: "invalid request", 401: "The provided authorization grant is invalid, expired, or revoked",
    403: "access forbidden", 404: "not found", 405: "method not allowed", 411: "length required",
    413: "content too large", 415: "unsupported media type", 429: "too many requests", 500: "internal server error",
    502: "bad gateway", 503: "service unavailable",
}
_NAMES = re.compile(rb'"pillarbox":\s*"([^"]*)"')


class _Dropped(Exception):
    """The connection is to end here, without an answer."""


class Handler(BaseHTTPRequestHandler):
    """Answers the endpoints that Pillarbox uses."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rbufsize = 1 << 16

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server names it
        """Say nothing: a request's line may carry an address."""

    def do_POST(self) -> None:
        """Mail Send, and what belongs to scheduled sends."""
        path = urlsplit(self.path).path
        if path == SEND:
            self._mail_send()
        elif (body := self._read_body()) is None:
            return
        elif not self._authorised():
            self._fail(401)
        else:
            self._told(self.server.scheduled.post(path, _parsed(body), clock.now()))

    def do_DELETE(self) -> None:
        """Taking the status off a scheduled send."""
        if self._authorised():
            self._told(self.server.scheduled.delete(urlsplit(self.path).path))
        else:
            self._fail(401)

    def handle_one_request(self) -> None:
        """Serve one request; a planned break ends the connection."""
        try:
            super().handle_one_request()
        except _Dropped:
            self.close_connection = True
            self._cut()

    def do_GET(self) -> None:
        """What ``sync``, ``check`` and tests read."""
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        self.server.scheduled.release(clock.now())
        if parts.path == "/_standin/counts":
            self._json(200, self.server.counts())
        elif parts.path == "/_standin/events":
            self._json(200, events(self.server.mailbox.messages, seed=int(query.get("seed", "1"))))
        elif parts.path == SEND:
            self._fail(405)
        elif not self._authorised():
            self._fail(401)
        elif parts.path == MESSAGES or parts.path.startswith(f"{MESSAGES}/"):
            self._search(unquote(parts.path.removeprefix(MESSAGES).lstrip("/")), query)
        elif (found := self._resource(parts.path, query)) is not None:
            self._json(*found)
        else:
            self._told(self.server.scheduled.get(parts.path))

    def _search(self, msg_id: str, query: dict[str, str]) -> None:
        server, behaviour = self.server, self.server.behaviour
        if not behaviour.activity:
            self._fail(403)
        elif again := server.activity.wait(behaviour.activity_limit, behaviour.activity_seconds):
            self._fail(429, {"X-RateLimit-Limit": str(behaviour.activity_limit), "X-RateLimit-Remaining": "0",
                             "X-RateLimit-Reset": str(math.ceil(again))})
        elif msg_id:
            self._json(*search.single(server.mailbox.messages, msg_id))
        else:
            self._json(*search.answer(server.mailbox.messages, query))

    def _resource(self, path: str, query: dict[str, str]) -> tuple[int, Any] | None:
        behaviour, name = self.server.behaviour, path.removeprefix("/v3/suppression/")
        if name in LISTS:
            try:
                return 200, self.server.suppressions.page(name, query)
            except ValueError as fault:
                return 400, _errors(Refusal(message="must be a number within its bounds", field=str(fault)))
        if path == "/v3/asm/suppressions":
            return 200, self.server.suppressions.groups()
        return account.resource(path, scopes=behaviour.scopes, webhooks=behaviour.webhooks, total=behaviour.credits,
                                remaining=max(0, behaviour.credits - self.server.mailbox.accepted))

    # ------------------------------------------------------------------------------------------ mail send

    def _mail_send(self) -> None:
        server, behaviour = self.server, self.server.behaviour
        fault = behaviour.fault(server.next_post())
        if self._suffer(fault, Stage.BEFORE_READING):
            return
        body = self._read_body()
        if body is None:
            return
        number = server.mailbox.count_request(len(body))
        if behaviour.latency_seconds:
            server.stopping.wait(behaviour.latency_seconds)
        if self._suffer(fault, Stage.AFTER_READING):
            return
        if not self._authorised():
            self._fail(401)
        elif self.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            self._fail(415)
        elif behaviour.mode is Mode.INSTANT:
            self._take_instantly(body, number, fault)
        else:
            self._take(body, number, fault)

    def _take_instantly(self, body: bytes, number: int, fault: Fault | None) -> None:
        # In JSON a quotation mark within a string is escaped, so this key can only be a personalization's own.
        names = [name.decode() for name in _NAMES.findall(body)] if self.server.behaviour.journal else []
        self.server.mailbox.count_only(body.count(b'"to":'), names)
        self._accepted(self.server.request_id(number), fault)

    def _take(self, body: bytes, number: int, fault: Fault | None) -> None:
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error):
                self._fail(400)
                return
        if len(body) > MOST_MESSAGE_BYTES:
            self._fail(413)
            return
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError:
            self._json(400, _errors(Refusal(message="Bad Request", field=None)))
            return
        if found := [*refusals(request, int(time.time())), *self.server.scheduled.refusals(request)]:
            self._json(400, _errors(*found))
        elif not self._may_send(request["from"]["email"]):
            self._json(403, _errors(Refusal(message="The from address does not match a verified Sender Identity.",
                                            field="from", anchor="from")))
        elif intake.sandboxed(request):
            self._answer(200, b"")
        else:
            request_id = self.server.request_id(number)
            now = clock.now()
            taken = self.server.scheduled.take(intake.messages(request, request_id, now), request, now)
            if taken:
                self.server.mailbox.add(taken)
                if self.server.behaviour.heard is not None:
                    self.server.behaviour.heard(taken)
            self._accepted(request_id, fault)

    def _accepted(self, request_id: str, fault: Fault | None) -> None:
        if not self._suffer(fault, Stage.AFTER_ACCEPTING):
            self._answer(202, b"", {"X-Message-Id": request_id}, kind="text/plain; charset=utf-8")

    def _may_send(self, sender: str) -> bool:
        allowed = self.server.behaviour.senders
        return not allowed or sender.lower() in allowed or sender.lower().rpartition("@")[2] in allowed

    def _authorised(self) -> bool:
        return self.headers.get("Authorization", "") == f"Bearer {self.server.behaviour.api_key}"

    # ------------------------------------------------------------------------------------------ faults

    def _suffer(self, fault: Fault | None, stage: Stage) -> bool:
        """Go through the fault if this is its stage; whether it gave the answer."""
        if fault is None or fault.stage is not stage:
            return False
        if fault.act is Act.HANG:
            self.server.stopping.wait(self.server.behaviour.hang_seconds)
        if fault.act is not Act.ANSWER:
            raise _Dropped
        more = {}
        if stage is Stage.BEFORE_READING:
            self.close_connection = True
            more["Connection"] = "close"
        if fault.status == HTTPStatus.TOO_MANY_REQUESTS:
            more |= {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0",
                     "X-RateLimit-Reset": str(int(time.time()) + fault.reset_seconds)}
        if fault.status == HTTPStatus.FOUND:
            more["Location"] = "/login"
        self._fail(fault.status, more)
        return True

    def _cut(self) -> None:
        # Both ways at once, so that the other side sees the end now and not when this thread is collected.
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    # ------------------------------------------------------------------------------------------ plumbing

    def _read_body(self) -> bytes | None:
        """The body, or None after an answer that refuses it unread."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self._refuse_unread(411)
            return None
        if int(length) > MOST_MESSAGE_BYTES:
            self._refuse_unread(413)
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _Dropped
        return body

    def _refuse_unread(self, status: int) -> None:
        self.close_connection = True
        self._fail(status, {"Connection": "close"})

    def _fail(self, status: int, more: dict[str, str] | None = None) -> None:
        message = _WORDS.get(status, "error")
        if status == HTTPStatus.UNAUTHORIZED and not self.headers.get("Authorization"):
            message = "authorization required"
        self._json(status, _errors(Refusal(message=message, field=None)), more)

    def _told(self, answer: Answer | None) -> None:
        """An answer of the scheduled sends: data, refusals, or nothing at all."""
        status, content = answer or (404, [Refusal(message=_WORDS[404], field=None)])
        if content is None:
            self._answer(status, b"")
        else:
            self._json(status, _errors(*content) if status >= 400 else content)

    def _json(self, status: int, content: Any, more: dict[str, str] | None = None) -> None:
        self._answer(status, orjson.dumps(content), more)

    def _answer(self, status: int, body: bytes, more: dict[str, str] | None = None,
                kind: str = "application/json") -> None:
        # Head and body leave in one write: two small ones would wait for each other's acknowledgement.
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Server: nginx", f"Date: {formatdate(usegmt=True)}",
                 f"Content-Type: {kind}", f"Content-Length: {len(body)}",
                 *(f"{name}: {value}" for name, value in (more or {}).items())]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body or b"null")
    except orjson.JSONDecodeError:
        return None


def _errors(*found: Refusal) -> dict[str, Any]:
    return {"errors": [one.as_json() for one in found]}
