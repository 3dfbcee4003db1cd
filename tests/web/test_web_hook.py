"""The event webhook: only what SendGrid signed, only fresh, each event once, 2xx only when it is saved."""

from __future__ import annotations

import random
import socket
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from pillarbox.ground import clock
from pillarbox.model.states import MessageState, Outcome
from pillarbox.store import connect as connecting
from pillarbox.store.connect import connect
from pillarbox.store.schema import events, messages, metadata, suppressions
from pillarbox.web.app import create
from pillarbox.web.hooks import post as hook_post
from tests.signing import Signer, body, event
from tests.web.browsing import serving
from tests.web.site import PROJECT, Site, TestClient, rows, settings_for

HOOK = "/hooks/sendgrid"


def post(site: Site, raw: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    return site.client.post(HOOK, content=raw, headers=headers or site.signer.headers(raw))


def test_a_signed_post_is_taken_in(site: Site) -> None:
    """What SendGrid signed changes the ledger, and the answer is 2xx."""
    assert post(site, body([event("delivered"), event("bounce")])).status_code == 204
    assert rows(site.store, messages.c.outcome) == [(Outcome.BOUNCED,)]
    assert len(rows(site.store, suppressions.c.id)) == 1


def test_a_replay_changes_nothing(site: Site) -> None:
    """The same post again is answered with 2xx and counts once."""
    raw = body([event("delivered"), event("open")])
    headers = site.signer.headers(raw)
    assert [post(site, raw, headers).status_code for _ in range(3)] == [204, 204, 204]
    assert len(rows(site.store, events.c.id)) == 2


def test_order_and_repetition_do_not_matter(site: Site) -> None:
    """Events shuffled over several posts, some twice, leave the state that they describe."""
    told = [event("processed"), event("delivered"), event("open"), event("bounce"), event("spamreport")] * 2
    random.Random(7).shuffle(told)
    for one in told:
        assert post(site, body([one])).status_code == 204
    assert len(rows(site.store, events.c.id)) == 5
    assert rows(site.store, messages.c.state, messages.c.outcome) == [(MessageState.ACCEPTED, Outcome.BOUNCED)]


@pytest.mark.parametrize("fault", ["forged", "other bytes", "no signature", "no timestamp", "stale", "future"])
def test_a_forged_or_stale_post_is_turned_away(site: Site, fault: str) -> None:
    """403 and no change, before anything of the post is parsed."""
    raw = body([event("bounce")])
    headers = site.signer.headers(raw)
    match fault:
        case "forged":
            headers = Signer().headers(raw)
        case "other bytes":
            raw += b" "
        case "no signature":
            del headers["X-Twilio-Email-Event-Webhook-Signature"]
        case "no timestamp":
            del headers["X-Twilio-Email-Event-Webhook-Timestamp"]
        case "stale":
            headers = site.signer.headers(raw, clock.now() - timedelta(days=2))
        case "future":
            headers = site.signer.headers(raw, clock.now() + timedelta(hours=1))
    assert post(site, raw, headers).status_code == 403
    assert rows(site.store, events.c.id) == []
    assert rows(site.store, messages.c.outcome) == [(Outcome.NONE,)]


def test_a_retry_of_yesterday_is_believed(site: Site) -> None:
    """SendGrid tries again for 24 hours: such a post is not stale."""
    raw = body([event("delivered")])
    assert post(site, raw, site.signer.headers(raw, clock.now() - timedelta(hours=23, minutes=50))).status_code == 204


@pytest.mark.parametrize("raw", [b"{", b"", b'{"event": "open"}', b"\xff\xfe"])
def test_what_is_signed_but_no_events(site: Site, raw: bytes) -> None:
    """400 and no change."""
    assert post(site, raw).status_code == 400
    assert rows(site.store, events.c.id) == []


def test_one_odd_event_does_not_cost_the_others(site: Site) -> None:
    """A post with an item that is no event, and a kind of event yet unknown, gives what it can."""
    raw = body([{"nonsense": 1}, event("delivered"), event("invented_next_year")])
    assert post(site, raw).status_code == 204
    assert len(rows(site.store, events.c.id)) == 1


def test_another_projects_events_are_left_alone(site: Site) -> None:
    """Two installations on one SendGrid account do not hear each other's events."""
    assert post(site, body([event("bounce", project="another1")])).status_code == 204
    assert rows(site.store, events.c.id) == []
    assert rows(site.store, suppressions.c.id) == []


def test_a_post_may_not_be_endless(site: Site) -> None:
    """413 above the limit, and 768 KB, SendGrid's most, is well below it."""
    many = [event("open", seconds=1_794_301_260 + number) for number in range(5_000)]
    assert 750_000 < len(body(many)) < 1_500_000
    assert post(site, body(many)).status_code == 204
    assert post(site, b" " * (2 * 1024 * 1024 + 1)).status_code == 413


def test_a_slow_post_is_let_go(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever dribbles gets 408, however many they are, and SendGrid is heard meanwhile."""
    monkeypatch.setattr(hook_post, "SECONDS", 6.0)
    with serving(create(site.store, site.settings, PROJECT)) as base:
        where = ("127.0.0.1", int(base.rpartition(":")[2]))
        slow = [socket.create_connection(where, timeout=60) for _ in range(100)]
        for one in slow:
            one.sendall(b"POST /hooks/sendgrid HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n[")
        raw = body([event("delivered")])
        began = time.monotonic()
        assert httpx.post(base + HOOK, content=raw, headers=site.signer.headers(raw)).status_code == 204
        assert time.monotonic() - began < 5.5
        for one in slow:
            assert one.recv(100).startswith(b"HTTP/1.1 408")
            one.close()


def test_a_crowd_of_bodies_finds_no_more_room_than_there_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may send bytes, signed or not: what is held of them is bounded, and given back when they are gone."""
    monkeypatch.setattr(hook_post, "SECONDS", 6.0)
    monkeypatch.setattr(hook_post.Shelf.__init__, "__defaults__", (5_000,))
    with serving(create(site.store, site.settings, PROJECT)) as base:
        where = ("127.0.0.1", int(base.rpartition(":")[2]))
        held = [socket.create_connection(where, timeout=60) for _ in range(5)]
        for one in held:
            one.sendall(b"POST /hooks/sendgrid HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"[" * 990)
        raw = body([event("delivered")])
        until = time.monotonic() + 30
        while (found := httpx.post(base + HOOK, content=raw, headers=site.signer.headers(raw))).status_code != 503:
            assert time.monotonic() < until, "the crowd never filled it"
        assert found.headers["retry-after"]
        for one in held:
            assert one.recv(100).startswith(b"HTTP/1.1 408")
            one.close()
        assert httpx.post(base + HOOK, content=raw, headers=site.signer.headers(raw)).status_code == 204


def test_a_post_that_is_broken_off_is_no_fault(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The sender hung up: nothing is taken in, and nothing of ours broke."""
    with serving(create(site.store, site.settings, PROJECT)) as base:
        with socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2]))) as sender:
            sender.sendall(b"POST /hooks/sendgrid HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n[")
            time.sleep(0.3)
        until = time.monotonic() + 10
        while "webhook.not-taken" not in caplog.text and time.monotonic() < until:
            time.sleep(0.05)
    assert "webhook.not-taken" in caplog.text
    assert "request.broke" not in caplog.text


def test_without_a_key_nothing_is_believed(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """No verification key: 503, so that SendGrid keeps the events, and the log says why."""
    client = TestClient(create(site.store, settings_for(None), PROJECT))
    raw = body([event("bounce")])
    answer = client.post(HOOK, content=raw, headers=site.signer.headers(raw))
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert "webhook.not-taken" in caplog.text
    assert caplog.records[-1].pillarbox_fields == {"reason": "no-key"}
    assert rows(site.store, events.c.id) == []


def test_a_busy_database_means_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is held, the answer is 503 with Retry-After; afterwards the same post is taken in."""
    monkeypatch.setattr(connecting, "BUSY_SECONDS", 0.1)
    store = connect("sqlite:///busy.db", tmp_path)
    metadata.create_all(store.writer)
    signer = Signer()
    client = TestClient(create(store, settings_for(signer), PROJECT))
    raw = body([event("bounce", message=None)])
    holder = sqlite3.connect(tmp_path / "busy.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    answer = client.post(HOOK, content=raw, headers=signer.headers(raw))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    holder.execute("ROLLBACK")
    holder.close()
    assert client.post(HOOK, content=raw, headers=signer.headers(raw)).status_code == 204
    assert len(rows(store, suppressions.c.id)) == 1
    store.close()
