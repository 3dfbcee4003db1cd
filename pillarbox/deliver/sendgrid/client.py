"""SendGrid's own client over a pool of connections, with time limits, without redirects and without keys in logs.

Of ``python-http-client`` 3.3 as it comes: no time limit, a new TLS connection a request, redirects followed (a 302
reads as success), and DEBUG logging that prints the API key and every body.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import quote
from urllib.request import Request as UrlRequest

import orjson
import sendgrid
import urllib3
from python_http_client.client import Client

CONNECT_SECONDS = 10.0
MOST_ANSWER_BYTES = 1_000_000
_BLOCK = 256 * 1024
JSON_TYPE = "application/json; charset=utf-8"
"""Not the bare type: the client takes a body of that one for an object and would encode it again, slowly."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the provider said."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class NoAnswerError(Exception):
    """No whole answer came.

    Args:
        left: whether all of the request had left this machine, so that it may have been acted upon.
        why: a short reason, without personal data.
    """

    def __init__(self, *, left: bool, why: str) -> None:
        super().__init__(why)
        self.left, self.why = left, why


class SendgridClient:
    """POST /v3/mail/send, what goes with it, and GETs. One object serves many threads.

    Args:
        api_key: never logged.
        url: https://api.sendgrid.com, its EU twin, or a local stand-in.
        timeout_seconds: the most that sending may take, and again the most that an answer may be waited for.
        connections: the most connections open at once.
    """

    def __init__(self, *, api_key: str, url: str, timeout_seconds: float, connections: int) -> None:
        api = sendgrid.SendGridAPIClient(api_key=api_key, host=url.rstrip("/"))
        headers = {**api.client.request_headers, "Content-Type": JSON_TYPE}
        self._pool = urllib3.PoolManager(
            num_pools=1, maxsize=connections, block=True, retries=False, blocksize=_BLOCK,
            timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, timeout_seconds), read=timeout_seconds))
        self._client = api.client = _Pooled(self._pool, timeout_seconds, host=api.host, request_headers=headers,
                                            version=3)

    def send(self, content: bytes) -> Answer:
        """POST a Mail Send body.

        Raises:
            NoAnswerError: says whether the request had left.
        """
        return _answer(self._client.mail.send.post(request_body=_Body(content)))

    def scopes(self) -> Answer:
        """GET /v3/scopes: what the key may do.

        Raises:
            NoAnswerError: no whole answer came.
        """
        return _answer(self._client.scopes.get())

    def get(self, *path: str, query: Mapping[str, str] | None = None) -> Answer:
        """GET /v3/<path>, each part of it escaped.

        Raises:
            NoAnswerError: no whole answer came.
        """
        place = self._client
        for part in path:
            place = place._(quote(part, safe=""))
        return _answer(place.get(query_params=dict(query) if query else None))

    def new_batch(self) -> Answer:
        """POST /v3/mail/batch: a name for what is to be kept until its time.

        Raises:
            NoAnswerError: no whole answer came.
        """
        return _answer(self._client.mail.batch.post(request_body=_Body(b"{}")))

    def cancel_batch(self, batch: str) -> Answer:
        """POST /v3/user/scheduled_sends: what is kept under this name shall be discarded.

        Raises:
            NoAnswerError: no whole answer came.
        """
        content = orjson.dumps({"batch_id": batch, "status": "cancel"})
        return _answer(self._client.user.scheduled_sends.post(request_body=_Body(content)))

    def batch_status(self, batch: str) -> Answer:
        """GET /v3/user/scheduled_sends/{batch_id}: whether it is cancelled or paused.

        Raises:
            NoAnswerError: no whole answer came.
        """
        return _answer(self._client.user.scheduled_sends._(batch).get())

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


# The client ships no types, so that its class is Any to the checker.
class _Pooled(Client):  # type: ignore[misc]  # the client ships no types
    """The official client, its one request method replaced; the rest (paths, headers, version) is its own."""

    def __init__(self, pool: urllib3.PoolManager, seconds: float, **given: Any) -> None:
        super().__init__(**given)
        self._pool, self._seconds = pool, seconds

    def _build_client(self, name: str | None = None) -> Client:
        made = super()._build_client(name)
        return _Pooled(self._pool, self._seconds, host=made.host, request_headers=made.request_headers,
                       version=made._version, url_path=made._url_path)

    def _make_request(self, opener: object, request: UrlRequest, timeout: float | None = None) -> _Response:  # noqa: ARG002 - its signature
        content: bytes = request.data if isinstance(request.data, bytes) else b""
        leaving = _Leaving(content, monotonic() + self._seconds)
        headers = {**request.headers, "Content-Length": str(len(content))} if content else dict(request.headers)
        try:
            response = self._pool.request(request.get_method(), request.full_url, body=leaving if content else None,
                                          headers=headers, redirect=False, retries=False, preload_content=False,
                                          pool_timeout=self._seconds)
            return _Response(response, _body(response))
        except (urllib3.exceptions.HTTPError, OSError) as fault:
            raise NoAnswerError(left=leaving.gone, why=_why(fault)) from None


class _Leaving(io.BytesIO):
    """A body that knows whether the last of it was handed to the network: until then nobody can have acted on it."""

    def __init__(self, content: bytes, deadline: float) -> None:
        super().__init__(content)
        self._length, self._deadline = len(content), deadline

    @property
    def gone(self) -> bool:
        return self.tell() >= self._length

    def read(self, size: int | None = -1, /) -> bytes:
        if monotonic() > self._deadline:
            raise TimeoutError("the request could not be sent in time")
        return super().read(size)


class _Body(bytes):
    """A body as the official client wants it: it calls ``encode``, and writes the whole of it out for its log."""

    def encode(self, *_: str) -> bytes:
        return self

    def __format__(self, _: str) -> str:
        return f"({len(self)} bytes)"


class _Response:
    """What the official client's Response asks of an answer."""

    def __init__(self, response: urllib3.BaseHTTPResponse, body: bytes) -> None:
        self._response, self._body = response, body

    def getcode(self) -> int:
        return self._response.status

    def read(self) -> bytes:
        return self._body

    def info(self) -> Mapping[str, str]:
        return {name.lower(): value for name, value in self._response.headers.items()}


def _answer(response: Any) -> Answer:
    return Answer(status=response.status_code, headers=response.headers, body=response.body)


def _body(response: urllib3.BaseHTTPResponse) -> bytes:
    """The answer's body, as far as it came: its status alone tells what became of the messages."""
    try:
        body = response.read(MOST_ANSWER_BYTES)
    except (urllib3.exceptions.HTTPError, OSError):
        response.close()
        return b""
    if len(body) < MOST_ANSWER_BYTES:
        response.release_conn()
    else:
        response.close()
    return body


def _why(fault: Exception) -> str:
    """A few words without URL or data, whatever the library wrote."""
    match fault:
        case urllib3.exceptions.NameResolutionError():
            return "no such host"
        case urllib3.exceptions.NewConnectionError():
            return "connection refused"
        case urllib3.exceptions.SSLError():
            return "no secure connection"
        case urllib3.exceptions.TimeoutError() | TimeoutError():
            return "no answer in time"
        case _:
            return "the connection was lost"


# Kept out at the logger itself: a level or handler set elsewhere cannot bring the key back.
logging.getLogger("python_http_client.client").addFilter(lambda _: False)
