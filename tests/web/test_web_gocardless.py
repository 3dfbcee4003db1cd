"""GoCardless's hook: signed, each event once, kept before its API is asked, and asked until it answers."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import delete

from pillarbox.giving import asking
from pillarbox.giving.asking import due as hooks_due
from pillarbox.ground import clock
from pillarbox.ground.errors import SettingsError
from pillarbox.model.config import Settings
from pillarbox.model.sections import GocardlessSettings
from pillarbox.money.gocardless import webhook
from pillarbox.runner import tick
from pillarbox.store import schema
from pillarbox.store.project import Project
from pillarbox.web.app import create
from pillarbox.web.hooks import post as hook_post
from tests.paying import GOCARDLESS_SECRET, GocardlessApi, gocardless_event, gocardless_headers
from tests.web.browsing import serving
from tests.web.site import PROJECT, Site, TestClient, rows

HOOK = "/hooks/gocardless"
TOKEN = "live_read_only_token_for_tests"
MONEY = (schema.donations, schema.refunds, schema.pledges, schema.hook_events)
LATER = clock.now().replace(year=2027)


@pytest.fixture
def api() -> Iterator[GocardlessApi]:
    with GocardlessApi().open() as opened:
        yield opened


@pytest.fixture
def known(site: Site, api: GocardlessApi) -> Settings:
    return site.settings.model_copy(update={"gocardless": GocardlessSettings(
        webhook_secret=SecretStr(GOCARDLESS_SECRET), token=SecretStr(TOKEN), url=api.url)})


@pytest.fixture
def client(site: Site, known: Settings) -> Iterator[TestClient]:
    with clock.freeze(LATER), TestClient(create(site.store, known, PROJECT), raise_server_exceptions=False) as opened:
        yield opened


def post(client: TestClient, *events: dict[str, Any]) -> httpx.Response:
    raw = json.dumps({"events": events}).encode()
    return client.post(HOOK, content=raw, headers=gocardless_headers(raw))


def gifts(site: Site) -> list[tuple[object, ...]]:
    d = schema.donations.c
    return rows(site.store, d.external_id, d.amount_minor, d.refunded_minor, d.attribution, d.method, d.address)


def nothing_changed(site: Site) -> bool:
    return not any(rows(site.store, table.c.id) for table in MONEY)


CONFIRMED = gocardless_event("payments", "confirmed", payment="PM1")
GIFT = ("PM1", 1_000, 0, "address", "direct-debit", "alice@example.org")


def test_a_confirmed_payment_is_a_donation(site: Site, client: TestClient, api: GocardlessApi) -> None:
    """Its amount and donor are asked of the API, with the token that only reads; a repeat asks and counts no more."""
    assert [post(client, CONFIRMED).status_code for _ in range(3)] == [204] * 3
    assert gifts(site) == [GIFT]
    assert api.asked == ["/payments/PM1", "/mandates/MD1", "/customers/CU1"]
    assert api.authorizations == {f"Bearer {TOKEN}"}


def test_what_is_only_submitted_is_no_donation_yet(site: Site, client: TestClient) -> None:
    """Money that has not come is not counted."""
    post(client, gocardless_event("payments", "created", payment="PM1"),
         gocardless_event("payments", "submitted", payment="PM1"))
    assert gifts(site) == []


def test_the_code_in_the_metadata_ties_it(site: Site, client: TestClient, api: GocardlessApi) -> None:
    """Of the payment, its mandate or its customer."""
    code = str(rows(site.store, schema.messages.c.code)[0][0])
    api.things["customers", "CU1"]["metadata"] = {"ref": code}
    post(client, CONFIRMED)
    assert gifts(site)[0][3] == "link-code"


def test_nothing_is_lost_while_the_api_is_away(site: Site, client: TestClient, known: Settings,
                                                api: GocardlessApi) -> None:
    """The event is kept and answered; the worker asks again, later each time, until it is told."""
    api.away = True
    assert post(client, CONFIRMED).status_code == 204
    assert (gifts(site), len(rows(site.store, schema.hook_events.c.id))) == ([], 1)
    assert asking.ask(site.store, known) == asking.Asked()  # not yet due again
    with clock.freeze(LATER + timedelta(minutes=2)):
        assert asking.ask(site.store, known) == asking.Asked(answered=0, waiting=1)
    api.away = False
    with clock.freeze(LATER + timedelta(minutes=10)):
        assert asking.ask(site.store, known) == asking.Asked(answered=1, waiting=0)
    assert gifts(site) == [GIFT]


def test_staff_are_told_when_it_stays_away(site: Site, client: TestClient, known: Settings, api: GocardlessApi) -> None:
    """After several questions in vain, once a day, without anything of a donor."""
    api.away = True
    post(client, CONFIRMED)
    for hours in range(1, 30):
        with clock.freeze(LATER + timedelta(hours=hours)):
            asking.ask(site.store, known)
    words = [str(row[0]) for row in rows(site.store, schema.notices.c.words)]
    assert 1 <= len(words) <= 2
    assert all("GoCardless does not tell" in each and "PM1" not in each for each in words)


def test_without_a_token_events_wait(site: Site, known: Settings, api: GocardlessApi) -> None:
    """The hook may be set up before the token is: nothing is asked, nothing lost."""
    bare = known.model_copy(update={"gocardless": known.gocardless.model_copy(update={"token": SecretStr("")})})
    with clock.freeze(LATER), TestClient(create(site.store, bare, PROJECT)) as client:
        assert post(client, CONFIRMED).status_code == 204
    assert (gifts(site), api.asked) == ([], [])
    with clock.freeze(LATER + timedelta(hours=1)):
        assert asking.ask(site.store, known).answered == 1
    assert gifts(site) == [GIFT]


def test_a_thing_that_the_api_does_not_know(site: Site, client: TestClient, known: Settings) -> None:
    """One odd event does not keep the others from being answered."""
    post(client, gocardless_event("payments", "confirmed", payment="PM404"), CONFIRMED)
    assert gifts(site) == [GIFT]
    assert asking.ask(site.store, known).answered == 0


def test_what_does_not_exist_is_left_in_the_end(site: Site, client: TestClient, known: Settings,
                                                api: GocardlessApi) -> None:
    """After some days of the same answer; while nobody answers, never."""
    post(client, gocardless_event("payments", "confirmed", payment="index_ID_123"))
    for hours in range(24 * 6):
        with clock.freeze(LATER + timedelta(hours=hours)):
            asking.ask(site.store, known)
    assert rows(site.store, schema.hook_events.c.ask_at, schema.hook_events.c.asked) == [(None, 20)]
    assert len(api.asked) == 20


def test_the_worker_asks(site: Site, client: TestClient, known: Settings, api: GocardlessApi) -> None:
    """Each tick asks for what is due."""
    assert hooks_due in [call for _, call in tick.BEFORE]
    api.away = True
    post(client, CONFIRMED)
    api.away = False
    with clock.freeze(LATER + timedelta(hours=1)):
        asking.due(Project(id=PROJECT, folder=known.folder, settings=known, store=site.store))
    assert gifts(site) == [GIFT]


@pytest.mark.parametrize("answer", [{"id": "PM9"}, {"id": "PM1"}, {"id": "PM1", "amount": "1000", "currency": "GBP"},
                                    {"id": "PM1", "amount": 1_000, "currency": 7}])
def test_an_odd_answer_is_no_donation(site: Site, client: TestClient, api: GocardlessApi,
                                      answer: dict[str, Any]) -> None:
    """Another thing than was asked for, or text where a number belongs: asked again later."""
    api.things["payments", "PM1"] = {"links": {}, "metadata": {}, **answer}
    assert post(client, CONFIRMED).status_code == 204
    assert gifts(site) == []
    assert rows(site.store, schema.hook_events.c.asked) == [(1,)]


def test_the_token_never_travels_in_clear(site: Site, known: Settings, client: TestClient) -> None:
    """Another address of the API is https, or this machine."""
    post(client, gocardless_event("payments", "confirmed", payment="PM404"))
    clear = known.model_copy(update={"gocardless": known.gocardless.model_copy(
        update={"url": "http://api.example.org"})})
    with clock.freeze(LATER + timedelta(hours=1)), pytest.raises(SettingsError, match="https"):
        asking.ask(site.store, clear)


# ------------------------------------------------------------------------------------------------ what comes back


def test_late_failure_and_chargeback(site: Site, client: TestClient) -> None:
    """A payment may fail after it was confirmed, and a bank may take it back, and give it again."""
    post(client, CONFIRMED)
    post(client, gocardless_event("payments", "charged_back", minute=1, payment="PM1"))
    assert gifts(site)[0][2] == 1_000
    post(client, gocardless_event("payments", "chargeback_cancelled", minute=2, payment="PM1"))
    assert gifts(site)[0][2] == 0
    post(client, gocardless_event("payments", "failed", minute=3, payment="PM1"))
    assert gifts(site)[0][2] == 1_000
    post(client, gocardless_event("payments", "confirmed", minute=4, payment="PM1"))
    assert gifts(site)[0][2] == 0


def story() -> list[dict[str, Any]]:
    """A gift with a refund, and a pledge with an instalment that is paused and ends."""
    return [
        CONFIRMED, gocardless_event("payments", "paid_out", minute=5, payment="PM1"),
        gocardless_event("refunds", "created", minute=6, refund="RF1"),
        gocardless_event("refunds", "paid", minute=7, refund="RF1"),
        gocardless_event("subscriptions", "created", subscription="SB1"),
        gocardless_event("subscriptions", "payment_created", minute=1, subscription="SB1", payment="PM2"),
        gocardless_event("payments", "confirmed", minute=2, payment="PM2"),
        gocardless_event("subscriptions", "paused", minute=3, subscription="SB1"),
        gocardless_event("subscriptions", "cancelled", minute=8, subscription="SB1"),
        gocardless_event("mandates", "cancelled", minute=8, mandate="MD1"),
        gocardless_event("payouts", "paid", minute=9, payout="PO1")]


def told_of(site: Site) -> dict[str, Any]:
    p, r = schema.pledges.c, schema.refunds.c
    return {"donations": sorted(map(str, gifts(site))),
            "pledges": rows(site.store, p.external_id, p.state, p.amount_minor, p.yearly_minor, p.attribution,
                            p.ended_at),
            "refunds": sorted(rows(site.store, r.external_id, r.kind, r.amount_minor, r.stands)),
            "regular": sorted(rows(site.store, schema.donations.c.external_id,
                                   schema.donations.c.pledge_id.is_not(None)))}


def test_a_whole_story(site: Site, client: TestClient) -> None:
    """Donation net of its refund, instalment of its pledge, both known by the donor's address."""
    assert post(client, *story()).status_code == 204
    found = told_of(site)
    assert found["donations"] == sorted(map(str, [
        ("PM1", 1_000, 400, "address", "direct-debit", "alice@example.org"),
        ("PM2", 500, 0, "address", "direct-debit", "alice@example.org")]))
    assert [row[:5] for row in found["pledges"]] == [("SB1", "ended", 500, 6_000, "address")]
    assert found["refunds"] == [("RF1", "refund", 400, True)]
    d = schema.donations.c
    assert sorted(rows(site.store, d.external_id, d.regular)) == [("PM1", False), ("PM2", True)]


@pytest.mark.parametrize("seed", range(5))
def test_any_order_tells_the_same(site: Site, client: TestClient, seed: int) -> None:
    """One event a post, shuffled and doubled."""
    post(client, *story())
    expected = told_of(site)
    with site.store.writing() as connection:
        for table in (schema.hook_keys, schema.hook_events, schema.refunds, schema.donations, schema.pledges):
            connection.execute(delete(table))
    told = story() * 2
    random.Random(seed).shuffle(told)
    for each in told:
        assert post(client, each).status_code == 204
    assert told_of(site) == expected


# ------------------------------------------------------------------------------------------------ who may post


@pytest.mark.parametrize("signature", ["", "0" * 64, "x" * 64, "\u00e9" * 64, "0" * 63, "0" * 5_000])
def test_a_forged_post_is_turned_away(site: Site, client: TestClient, signature: str) -> None:
    """403 and no change."""
    raw = json.dumps({"events": [CONFIRMED]}).encode()
    assert client.post(HOOK, content=raw, headers={"Webhook-Signature": signature.encode()}).status_code == 403
    assert nothing_changed(site)


def test_one_byte_changed(site: Site, client: TestClient) -> None:
    """The signature is over every byte."""
    raw = json.dumps({"events": [CONFIRMED]}).encode()
    headers = gocardless_headers(raw)
    assert client.post(HOOK, content=raw.replace(b"PM1", b"PM2"), headers=headers).status_code == 403
    assert nothing_changed(site)


def test_an_event_of_the_future_is_refused(site: Site, client: TestClient) -> None:
    """GoCardless signs no time: what its events say is looked at."""
    ahead = CONFIRMED | {"created_at": (LATER + timedelta(minutes=6)).isoformat()}
    assert post(client, ahead).status_code == 400
    assert nothing_changed(site)


def test_another_organisations_events(site: Site, client: TestClient) -> None:
    """A partner's hook tells of many: only the charity's own are taken."""
    other = gocardless_event("payments", "confirmed", payment="PM2", organisation="OR123456")
    assert post(client, other).status_code == 400
    assert nothing_changed(site)
    assert post(client, other, CONFIRMED).status_code == 204
    assert gifts(site) == [GIFT]


@pytest.mark.parametrize("raw", [
    b"", b"{", b"[]", b"null", b"{}", b'{"events": 7}', b'{"events": [7]}', b'{"events": [{}]}', b"\xff\xfe",
    b"[" * 100_000, *(json.dumps({"events": [CONFIRMED | change]}).encode() for change in (
        {"created_at": 7}, {"created_at": "yesterday"}, {"created_at": "2026-11-10T09:00:00"},
        {"created_at": "9999-12-31T23:59:59-14:00"}, {"created_at": "0001-01-01T00:00:00+14:00"}, {"id": 5},
        {"links": []},
        {"links": {"payment": "../customers"}}, {"links": {"payment": ["PM1"]}}, {"links": {}}, {"action": None}))])
def test_what_is_signed_but_cannot_be(site: Site, client: TestClient, raw: bytes) -> None:
    """400 and no change, also when one event of several is the odd one."""
    assert client.post(HOOK, content=raw, headers=gocardless_headers(raw)).status_code == 400
    assert nothing_changed(site)


def test_a_post_may_not_be_endless(site: Site, client: TestClient) -> None:
    """20 MB are refused."""
    assert client.post(HOOK, content=b" " * (20 * 1024 * 1024), headers=gocardless_headers(b"x")).status_code == 413
    assert nothing_changed(site)


def test_a_slow_client_is_not_waited_for(site: Site, known: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that never comes ends with 408, and others are served meanwhile."""
    monkeypatch.setattr(hook_post, "SECONDS", 0.5)
    with serving(create(site.store, known, PROJECT)) as base, socket.create_connection(
            ("127.0.0.1", int(base.rpartition(":")[2])), timeout=10) as line:
        line.sendall(f"POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{{".encode())
        assert httpx.get(f"{base}/health").status_code == 200
        assert b" 408 " in line.recv(1_000)
    assert nothing_changed(site)


SAMPLE = next((folder / "shared" / "donations" / "gocardless" for folder in Path(__file__).parents
               if (folder / "shared" / "donations" / "gocardless").is_dir()), None)
# As published with the sample, in the tests of GoCardless's own client (gocardless-pro-python, MIT).
SAMPLE_SECRET = "ED7D658C-D8EB-4941-948B-3973214F2D49"
SAMPLE_SIGNATURE = "2693754819d3e32d7e8fcb13c729631f316c6de8dc1cf634d6527f1c07276e7e"


@pytest.mark.shared
@pytest.mark.skipif(SAMPLE is None, reason="the published samples are not beside this checkout")
def test_the_published_sample_verifies_and_fails_with_one_byte_changed(site: Site, known: Settings) -> None:
    """Through the hook itself: its events are about nothing of money, so that all that counts is the answer."""
    assert SAMPLE is not None
    raw = (SAMPLE / "webhook_body.json").read_bytes().rstrip(b"\n")
    assert len(webhook.events(raw, signature=SAMPLE_SIGNATURE, secrets=(SAMPLE_SECRET,))) == 2
    theirs = known.model_copy(update={"gocardless": known.gocardless.model_copy(
        update={"webhook_secret": SecretStr(SAMPLE_SECRET), "token": SecretStr("")})})
    with TestClient(create(site.store, theirs, PROJECT)) as client:
        headers = {"Webhook-Signature": SAMPLE_SIGNATURE}
        assert client.post(HOOK, content=raw, headers=headers).status_code == 204
        assert len(rows(site.store, schema.hook_events.c.id)) == 1  # a subscription; the mandate says nothing
        for place in (0, 100, len(raw) - 1):
            changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
            assert client.post(HOOK, content=changed, headers=headers).status_code == 403


@pytest.mark.shared
@pytest.mark.skipif(SAMPLE is None, reason="the published samples are not beside this checkout")
def test_the_published_answers_are_understood(site: Site, client: TestClient, api: GocardlessApi) -> None:
    """Payment, refund, subscription, mandate and customer as GoCardless publishes them."""
    assert SAMPLE is not None
    for kind in ("payments", "subscriptions", "mandates", "customers"):
        thing = json.loads((SAMPLE / f"{kind}.json").read_bytes())["get"]["body"][kind]
        api.things[kind, thing["id"]] = thing
    post(client, gocardless_event("payments", "confirmed", payment="PM123"),
         gocardless_event("subscriptions", "created", subscription="SB123"))
    d, p = schema.donations.c, schema.pledges.c
    assert rows(site.store, d.amount_minor, d.refunded_minor, d.currency, d.name, d.address) == [
        (1_000, 150, "EUR", "Frank Osborne", "user@example.com")]
    assert rows(site.store, p.amount_minor, p.currency, p.unit, p.state) == [(1_000, "EUR", "month", "active")]
