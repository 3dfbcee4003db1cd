"""Events are posted as SendGrid posts them: signed, in bounded batches, again when refused."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sendgrid.helpers.eventwebhook import EventWebhook

from pillarbox.standin.webhook import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Signer,
    batches,
    post,
    post_one_click,
    write,
)

EVENTS = [{"email": f"supporter{number}@example.org", "event": "delivered", "timestamp": 1_800_000_000}
          for number in range(10)]
Hook = Callable[[list[int]], tuple[str, list[tuple[dict[str, str], bytes]]]]


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A web hook that answers the given statuses in turn, then 204; and what it heard."""
    servers: list[ThreadingHTTPServer] = []

    def start(statuses: list[int]) -> tuple[str, list[tuple[dict[str, str], bytes]]]:
        heard: list[tuple[dict[str, str], bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_POST(self) -> None:
                heard.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(statuses.pop(0) if statuses else 204)
                self.end_headers()

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/hook", heard

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def verify(public_key: str, signature: str, timestamp: str, body: bytes) -> None:
    key = serialization.load_der_public_key(base64.b64decode(public_key))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(base64.b64decode(signature), timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))


def test_posts_are_signed(hook: Hook) -> None:
    """The signature holds for the raw body, for SendGrid's own client too; one changed byte breaks it."""
    url, heard = hook([])
    signer = Signer()
    assert post(EVENTS, url, signer).events == 10
    [(headers, body)] = heard
    signature, timestamp = headers[SIGNATURE_HEADER], headers[TIMESTAMP_HEADER]
    verify(signer.public_key, signature, timestamp, body)
    official = EventWebhook(signer.public_key)
    assert official.verify_signature(body.decode(), signature, timestamp)
    assert json.loads(body) == EVENTS
    with pytest.raises(InvalidSignature):
        verify(signer.public_key, signature, timestamp, body.replace(b"supporter3", b"supporter4"))
    with pytest.raises(InvalidSignature):
        verify(signer.public_key, signature, str(int(timestamp) + 1), body)


def test_batches_are_bounded() -> None:
    """No body is larger than the bound, and no event is lost or torn."""
    bodies = list(batches(EVENTS, most_bytes=250))
    assert all(len(content) <= 250 for content, _ in bodies)
    assert [event for content, _ in bodies for event in json.loads(content)] == EVENTS
    assert sum(count for _, count in bodies) == 10


def test_a_refused_post_comes_again(hook: Hook) -> None:
    """What is not answered 2xx is posted again, the same body, until the tries are spent."""
    url, heard = hook([500, 302])
    assert post(EVENTS, url, Signer(), pause_seconds=0.001).statuses == (500, 302, 204)
    assert len({content for _, content in heard}) == 1
    url, heard = hook([500] * 9)
    done = post(EVENTS, url, Signer(), tries=2, pause_seconds=0.001)
    assert (done.events, done.lost, len(heard)) == (0, 10, 2)


def test_nobody_listening_is_no_crash() -> None:
    """A hook that is not there loses the events and says so."""
    assert post(EVENTS, "http://127.0.0.1:1/hook", Signer(), tries=1).statuses == (0,)


def test_one_click_is_a_post_with_the_standards_body(hook: Hook) -> None:
    """Leaving by one click posts RFC 8058's body."""
    url, heard = hook([200])
    assert post_one_click([url]) == [200]
    assert heard[0][1] == b"List-Unsubscribe=One-Click"


def test_a_kept_key_is_the_same_key(tmp_path: Path) -> None:
    """A key in a file outlives its process, and others may not read it."""
    file = tmp_path / "key.pem"
    assert Signer.kept_in(file).public_key == Signer.kept_in(file).public_key
    assert file.stat().st_mode & 0o077 == 0


def test_events_can_be_kept_in_a_file(tmp_path: Path) -> None:
    """The file is the same JSON."""
    write(EVENTS, tmp_path / "events.json")
    assert json.loads((tmp_path / "events.json").read_bytes()) == EVENTS


@pytest.mark.shared
def test_sendgrids_own_vectors_have_this_form(published: Path) -> None:
    """What SendGrid signed verifies by the same rule as what we sign, and is laid out as our bodies are."""
    for vector in json.loads((published / "eventwebhook_vectors.json").read_text("utf-8")):
        body = vector["payload"].encode()
        verify(vector["public_key"], vector["signature"], vector["timestamp"], body)
        [(ours, _)] = batches(json.loads(body))
        assert ours.endswith(b"}]\r\n")
        assert body.endswith(b"}]\r\n")
        assert ours.count(b"},\r\n{") == body.count(b"},\r\n{")
