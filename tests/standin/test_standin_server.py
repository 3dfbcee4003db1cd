"""The stand-in answers as SendGrid does, breaks where it is told to, and counts what it accepted."""

from __future__ import annotations

import email
import email.policy
import gzip
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import orjson
import pytest
import sendgrid

from pillarbox.standin.behaviour import API_KEY, Act, Behaviour, Fault, Mode, Stage, parse_fault
from pillarbox.standin.server import Standin
from tests.standin.conftest import body

Run = Callable[..., tuple[Standin, httpx.Client]]


def test_the_official_client_is_served(run: Run) -> None:
    """The sendgrid package posts a batch and reads 202 with a message id."""
    standin, _ = run()
    client = sendgrid.SendGridAPIClient(api_key=API_KEY, host=standin.url)
    answer = client.client.mail.send.post(request_body=body(3))
    assert answer.status_code == 202
    assert answer.headers["X-Message-Id"] == standin.messages[0].request_id
    assert [one.address for one in standin.messages] == [f"supporter{n}@example.org" for n in range(3)]


def test_one_connection_serves_many_requests(run: Run) -> None:
    """Connections are kept alive, also after a refusal."""
    standin, _ = run()
    host, port = standin.url.removeprefix("http://").split(":")
    content = orjson.dumps(body())
    for_each = (f"POST /v3/mail/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n").encode() + content
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        for wanted in (b"202", b"401", b"202"):
            sent = for_each if wanted == b"202" else for_each.replace(API_KEY.encode(), b"x" * len(API_KEY))
            connection.sendall(sent)
            assert connection.recv(65_536).split()[1] == wanted
    assert standin.counts()["requests"] == 3


def test_it_listens_on_this_machine_only(run: Run) -> None:
    """The address is loopback."""
    standin, _ = run()
    assert standin.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("status", [302, 400, 401, 403, 413, 429, 500, 502, 503])
def test_a_planned_status_is_answered_and_nothing_accepted(run: Run, status: int) -> None:
    """A planned status reaches its request and no other."""
    standin, client = run(faults={2: parse_fault(str(status))})
    assert [client.post("/v3/mail/send", json=body()).status_code for _ in range(3)] == [202, status, 202]
    assert standin.counts()["accepted"] == 4


def test_a_rate_limit_says_when_to_come_back(run: Run) -> None:
    """429 carries X-RateLimit-Reset, a Unix time ahead."""
    _, client = run(faults={1: Fault(act=Act.ANSWER, status=429, reset_seconds=5)})
    answer = client.post("/v3/mail/send", json=body())
    assert 3 <= int(answer.headers["X-RateLimit-Reset"]) - time.time() <= 5


@pytest.mark.parametrize(("fault", "accepted", "read"), [
    ("close-before-reading", 0, 0), ("close-after-reading", 0, 1), ("close-after-accepting", 2, 1),
    ("hang", 0, 1), ("hang-after-accepting", 2, 1),
])
def test_a_connection_breaks_where_it_is_told_to(run: Run, fault: str, accepted: int, read: int) -> None:
    """Before reading, after reading and after accepting: the client learns nothing, the counts know."""
    standin, client = run(faults=lambda number: parse_fault(fault) if number == 1 else None, hang_seconds=0.05)
    with pytest.raises(httpx.TransportError):
        client.post("/v3/mail/send", json=body())
    assert (standin.counts()["accepted"], standin.counts()["requests"]) == (accepted, read)
    assert client.post("/v3/mail/send", json=body()).status_code == 202


def test_a_failure_after_accepting_still_accepts(run: Run) -> None:
    """A 500 may hide an acceptance."""
    standin, client = run(faults={1: Fault(act=Act.ANSWER, status=500, stage=Stage.AFTER_ACCEPTING)})
    assert client.post("/v3/mail/send", json=body()).status_code == 500
    assert standin.counts()["accepted"] == 2


def test_stopping_ends_hanging_requests() -> None:
    """stop() does not wait for a request that hangs."""
    standin = Standin(Behaviour(faults={1: parse_fault("hang")}, hang_seconds=60)).start()
    url, heard = standin.url, []

    def ask() -> None:
        try:
            httpx.post(f"{url}/v3/mail/send", json=body(), trust_env=False, timeout=30)
        except httpx.TransportError:
            heard.append(True)

    asking = threading.Thread(target=ask)
    asking.start()
    while not standin.counts()["requests"]:
        time.sleep(0.005)
    began = time.monotonic()
    standin.stop()
    asking.join(5)
    assert heard == [True]
    assert time.monotonic() - began < 3


def test_instant_mode_counts_without_checking(run: Run) -> None:
    """Instant mode answers 202 to anything with the key, and counts requests, bytes and personalizations."""
    standin, client = run(mode=Mode.INSTANT)
    content = orjson.dumps(body(1_000, subject='"to":[ is only text here'))
    answer = client.post("/v3/mail/send", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, len(answer.headers["X-Message-Id"])) == (202, 22)
    counts = standin.counts()
    assert (counts["requests"], counts["personalizations"], counts["bytes"]) == (1, 1_000, len(content))
    assert standin.messages == []


def test_instant_mode_is_no_bottleneck(run: Run) -> None:
    """It takes far more than 50 requests of 1 MB a second."""
    _, client = run(mode=Mode.INSTANT)
    content = orjson.dumps(body(1_000, subject="x" * 900_000))
    began = time.monotonic()
    for _ in range(30):
        client.post("/v3/mail/send", content=content, headers={"Content-Type": "application/json"})
    assert 30 / (time.monotonic() - began) > 50


def test_duplicates_are_counted(run: Run) -> None:
    """A second delivery of one category to one address shows, over HTTP too."""
    _, client = run()
    for _ in range(2):
        client.post("/v3/mail/send", json=body(3))
    client.post("/v3/mail/send", json=body(1, categories=["another"]))
    counts = client.get("/_standin/counts").json()
    assert (counts["personalizations"], counts["addresses"], counts["duplicates"]) == (7, 3, 3)
    assert counts["by_message"] == {"message-0": 3, "message-1": 2, "message-2": 2}


@pytest.mark.parametrize("mode", list(Mode))
def test_the_journal_has_a_line_for_each_acceptance(run: Run, tmp_path: Path, mode: Mode) -> None:
    """The journal is written before the answer, and survives a lost one."""
    journal = tmp_path / "journal"
    _, client = run(mode=mode, journal=journal, faults={1: parse_fault("close-after-accepting")})
    with pytest.raises(httpx.TransportError):
        client.post("/v3/mail/send", json=body(3))
    assert journal.read_text().split() == ["message-0", "message-1", "message-2"]


def test_memory_is_bounded(run: Run) -> None:
    """The oldest messages are let go; the counts remember them."""
    standin, client = run(keep=2)
    client.post("/v3/mail/send", json=body(5))
    assert [one.number for one in standin.messages] == [3, 4]
    assert standin.counts()["addresses"] == 5


def test_letters_open_in_a_mail_program(run: Run, tmp_path: Path) -> None:
    """Every accepted message is an .eml file with both parts and its headers."""
    _, client = run(letters=tmp_path)
    request = body(1, headers={"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"})
    request["personalizations"][0]["to"][0]["name"] = "Zoë Übung"
    client.post("/v3/mail/send", json=request)
    [file] = tmp_path.glob("*.eml")
    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert mail["To"] == "Zoë Übung <supporter0@example.org>"
    assert mail["Subject"] == "A letter for Sam 0"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Dear Sam 0" in text.get_content()
    assert "Dear Sam 0" in html.get_content()


def test_letters_bear_any_domain_and_header(run: Run, tmp_path: Path) -> None:
    """A domain in another script and a header that mail has of its own are no trouble."""
    _, client = run(letters=tmp_path)
    request = body(1, headers={"Message-ID": "<own@example.org>"})
    request["personalizations"][0]["to"] = [{"email": "a" * 200 + "@bücher.example", "name": "B"}]
    assert client.post("/v3/mail/send", json=request).status_code == 202
    [file] = tmp_path.glob("*.eml")
    assert "bücher.example" in file.read_text("utf-8")
    assert file.read_text("utf-8").count("Message-ID:") == 1


def test_sandbox_mode_accepts_nothing(run: Run) -> None:
    """A request in sandbox mode is checked, answered 200, and not kept."""
    standin, client = run()
    answer = client.post("/v3/mail/send", json=body(mail_settings={"sandbox_mode": {"enable": True}}))
    assert (answer.status_code, standin.counts()["accepted"]) == (200, 0)


def test_a_compressed_body_is_read(run: Run) -> None:
    """gzip is understood, as the description says."""
    standin, client = run()
    client.post("/v3/mail/send", content=gzip.compress(json.dumps(body()).encode()),
                headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})
    assert standin.counts()["accepted"] == 2


def test_what_sync_and_check_read(run: Run) -> None:
    """Scopes, credits and webhook settings answer to the right key alone."""
    _, client = run(credits=100)
    client.post("/v3/mail/send", json=body(3))
    assert "mail.send" in client.get("/v3/scopes").json()["scopes"]
    assert client.get("/v3/user/credits").json()["remain"] == 97
    assert client.get("/v3/user/webhooks/event/settings").json()["bounce"] is True
    assert client.get("/v3/nothing").status_code == 404
    for path in ("/v3/scopes", "/v3/suppression/bounces", "/v3/user/credits"):
        assert client.get(path, headers={"Authorization": "Bearer SG.wrong"}).status_code == 401


@pytest.mark.parametrize("name", ["bounces", "blocks", "spam_reports", "invalid_emails", "unsubscribes"])
def test_suppression_lists_come_in_pages(run: Run, name: str) -> None:
    """Lists are paged, 500 at most, and both times are inclusive."""
    standin, client = run()
    for number in range(7):
        standin.suppressions.add(name, f"left{number}@example.org", 1_000 + number)

    def read(**query: int) -> list[int]:
        return [entry["created"] for entry in client.get(f"/v3/suppression/{name}", params=query).json()]

    assert read(limit=3) == [1_006, 1_005, 1_004]
    assert read(limit=3, offset=6) == [1_000]
    assert read(start_time=1_002, end_time=1_004) == [1_004, 1_003, 1_002]
    assert client.get(f"/v3/suppression/{name}", params={"limit": 501}).status_code == 400


def test_a_process_of_its_own(tmp_path: Path) -> None:
    """``python -m pillarbox.standin`` prints its URL first, serves, and ends on SIGTERM."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pillarbox.standin", "--data", str(tmp_path), "--fault", "2=429", "--api-key", "SG.x"],
        stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url, trust_env=False, headers={"Authorization": "Bearer SG.x"}) as client:
            assert [client.post("/v3/mail/send", json=body(1)).status_code for _ in range(2)] == [202, 429]
            assert client.get("/_standin/counts").json()["accepted"] == 1
        assert len(list((tmp_path / "letters").iterdir())) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
