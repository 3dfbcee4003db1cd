"""The real server: it answers, keeps keys out of its log, and ends in good order."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from pillarbox.model.config import Settings
from pillarbox.model.sections import ProjectSettings
from pillarbox.model.states import Outcome
from pillarbox.store import schema
from pillarbox.store.connect import connect
from pillarbox.web import patience
from pillarbox.web.app import create
from pillarbox.web.serve import _listen, background
from tests import builders
from tests.signing import Signer, body, event
from tests.web.site import TestClient

SERVER = """
import sys, time
from pathlib import Path
from pydantic import SecretStr
from pillarbox.model.config import Settings
from pillarbox.model.sections import ProjectSettings, SenderSettings, SendgridSettings
from pillarbox.store.connect import connect
from pillarbox.events import taking
from pillarbox.web.serve import serve
folder, key, secret = sys.argv[1:]
applied = taking.apply
def slowly(*arguments, **named):
    print("working", flush=True)
    time.sleep(1)
    return applied(*arguments, **named)
taking.apply = slowly
store = connect("sqlite:///served.db", Path(folder))
serve(store, Settings(project=ProjectSettings(secret_key=SecretStr(secret)), sender=SenderSettings(name="Charity"),
                      sendgrid=SendgridSettings(webhook_key=SecretStr(key))), "testproj", port=0,
      ready=lambda port: print(port, flush=True))
store.close()
print("closed", flush=True)
"""


def test_an_answer_is_not_held_back() -> None:
    """A page's body follows its head at once, without waiting for the visitor's word that the head has come."""
    with _listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_request_under_way_is_finished(tmp_path: Path) -> None:
    """SIGTERM in the middle of a post: the post is saved and answered, the program ends with 0, no key is logged."""
    store = connect("sqlite:///served.db", tmp_path)
    schema.metadata.create_all(store.writer)
    with store.writing() as connection:
        builders.message(connection, builders.mailing(connection), builders.supporter(connection))
        key = connection.execute(select(schema.messages.c.key)).scalar_one()
    signer = Signer()
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path), signer.public, builders.SECRET.decode()], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2])
    try:
        assert server.stdout
        base = f"http://127.0.0.1:{int(server.stdout.readline())}"
        assert httpx.get(f"{base}/u/{key}").status_code == 200
        raw = body([event("bounce")])
        answers: list[int] = []
        poster = threading.Thread(target=lambda: answers.append(
            httpx.post(f"{base}/hooks/sendgrid", content=raw, headers=signer.headers(raw), timeout=30).status_code))
        poster.start()
        assert server.stdout.readline() == "working\n"
        server.send_signal(signal.SIGTERM)
        poster.join()
        out, errors = server.communicate(timeout=30)
    finally:
        server.kill()
        server.wait()
    assert (answers, server.returncode, out) == ([204], 0, "closed\n")
    assert key not in errors
    with store.reading() as connection:
        assert connection.execute(select(schema.messages.c.outcome)).scalar_one() == Outcome.BOUNCED
    store.close()


HALF = b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "


@pytest.mark.parametrize("start", [b"", HALF, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" + HALF,
                                   b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"])
def test_who_dribbles_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: bytes) -> None:
    """A request that never becomes whole holds its connection for a while only, though a byte comes now and then."""
    monkeypatch.setattr(patience, "REQUEST_SECONDS", 1.0)
    store = connect("sqlite:///served.db", tmp_path)
    schema.metadata.create_all(store.writer)
    settings = Settings(project=ProjectSettings(secret_key=SecretStr(builders.SECRET.decode())))
    began = time.monotonic()
    with background(store, settings, "testproj") as base, \
            socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2])), timeout=0.1) as slow:
        slow.sendall(start)
        open_ = True
        while open_ and time.monotonic() - began < 10:
            try:
                if start:
                    slow.sendall(b"a")
                open_ = bool(slow.recv(4096))
            except TimeoutError:
                continue
            except OSError:
                open_ = False
        assert not open_
        assert httpx.get(f"{base}/health").status_code == 200
    store.close()


def test_no_redirect_to_a_host_that_is_named(tmp_path: Path) -> None:
    """A slash too many leads to the page without it, on this site, whatever the request's Host says."""
    store = connect("sqlite:///served.db", tmp_path)
    schema.metadata.create_all(store.writer)
    settings = Settings(project=ProjectSettings(secret_key=SecretStr(builders.SECRET.decode())))
    with TestClient(create(store, settings, "testproj"), follow_redirects=False) as client:
        for path, there in (("/letters/", "/letters"), ("/u/abc/", "/u/abc"),
                            ("/d/abc/?amount=25&x=a%26b", "/d/abc?amount=25&x=a%26b"),
                            ("/letters/a%3Fb/?c=//evil.example", "/letters/a%3Fb?c=//evil.example")):
            answer = client.get(path, headers={"host": "evil.example"})
            assert (answer.status_code, answer.headers["location"]) == (307, there)
        for path in ("//evil.example/", "/%5cevil.example/", "/letters//evil.example/", "/staff/login/", "/nowhere/"):
            answer = client.get("http://testserver" + path, headers={"host": "evil.example"})
            assert "evil.example" not in answer.headers.get("location", ""), path
    store.close()


def test_a_settled_server_stops_at_once(tmp_path: Path) -> None:
    """Nothing under way: SIGTERM ends it within seconds."""
    connect("sqlite:///served.db", tmp_path).close()
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(tmp_path), Signer().public, "secret"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2])
    try:
        assert server.stdout
        server.stdout.readline()
        since = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert server.communicate(timeout=20)[0] == "closed\n"
    finally:
        server.kill()
        server.wait()
    assert time.monotonic() - since < 10
