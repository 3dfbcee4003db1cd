"""Stripe's hook: only what it signed, only now, each event once, and 2xx only when it is saved."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import delete, select

from pillarbox.model.config import Settings
from pillarbox.model.sections import StripeSettings
from pillarbox.store import schema
from pillarbox.web.app import create
from tests.paying import (
    AT,
    STRIPE_SECRET,
    charge,
    dispute,
    intent,
    invoice,
    invoice_payment,
    refund,
    session,
    stripe_event,
    stripe_headers,
    subscription,
)
from tests.web.browsing import serving
from tests.web.site import PROJECT, Site, TestClient, rows

HOOK = "/hooks/stripe"
MONEY = (schema.donations, schema.refunds, schema.pledges, schema.hook_events)


def with_stripe(site: Site, **options: Any) -> Settings:
    known = {"webhook_secret": SecretStr(STRIPE_SECRET), "mode": "live", **options}
    return site.settings.model_copy(update={"stripe": StripeSettings(**known)})


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    with TestClient(create(site.store, with_stripe(site), PROJECT), raise_server_exceptions=False) as opened:
        yield opened


def post(client: TestClient, event: Any, **signing: Any) -> httpx.Response:
    raw = json.dumps(event).encode()
    return client.post(HOOK, content=raw, headers=stripe_headers(raw, **signing))


def nothing_changed(site: Site) -> bool:
    return not any(rows(site.store, table.c.id) for table in MONEY)


def gifts(site: Site) -> list[tuple[object, ...]]:
    d = schema.donations.c
    return rows(site.store, d.external_id, d.amount_minor, d.refunded_minor, d.currency, d.attribution)


def code_of(site: Site) -> str:
    return str(rows(site.store, schema.messages.c.code)[0][0])


def test_a_checkout_is_a_donation_of_its_letter(site: Site, client: TestClient) -> None:
    """The code of the link comes back in client_reference_id and ties the gift to letter and supporter."""
    told = stripe_event("checkout.session.completed", session(client_reference_id=code_of(site)))
    assert post(client, told).status_code == 204
    d = schema.donations.c
    assert rows(site.store, d.source, d.external_id, d.amount_minor, d.attribution, d.mailing_id, d.message_id,
                d.address, d.name, d.method) == [
        ("stripe", "pi_1", 2_500, "link-code", 1, site.message_id, "alice@example.org", "Alice Amber", "card")]


def test_without_a_code_the_address_tells(site: Site, client: TestClient) -> None:
    """A gift soon after the letter, from its address."""
    post(client, stripe_event("checkout.session.completed", session()))
    assert gifts(site) == [("pi_1", 2_500, 0, "GBP", "address")]


@pytest.mark.parametrize(("metadata", "how"), [({"ref": "S%"}, "none"), ({"utm_content": "the code"}, "link-code"),
                                               ({"REF": "the code"}, "link-code"), ({"else": "the code"}, "none")])
def test_a_form_of_ones_own_carries_the_code_in_metadata(
        site: Site, client: TestClient, metadata: dict[str, str], how: str) -> None:
    """A payment intent with a code in its metadata is a donation; one with anything else is the charity's business."""
    held = {name: code_of(site) if value == "the code" else value for name, value in metadata.items()}
    post(client, stripe_event("payment_intent.succeeded", intent(metadata=held)))
    found = gifts(site)
    assert [row[4] for row in found] == ([how] if "else" not in metadata else [])


def test_all_payments_when_the_settings_say_so(site: Site) -> None:
    """[stripe] payments = "all": the account takes nothing but donations."""
    with TestClient(create(site.store, with_stripe(site, payments="all"), PROJECT)) as client:
        post(client, stripe_event("payment_intent.succeeded", intent()))
    assert len(gifts(site)) == 1


def test_a_gift_dated_ahead_is_one_of_now(site: Site, client: TestClient) -> None:
    """Signed now, but told of next month, as Stripe's test clocks do: no gift stands in the days to come."""
    ahead = int(time.time()) + 30 * 86_400
    assert post(client, stripe_event("checkout.session.completed", session(), at=ahead)).status_code == 204
    [(received,)] = rows(site.store, schema.donations.c.received_at)
    assert abs(received.timestamp() - time.time()) < 60


def test_a_repeat_counts_once(site: Site, client: TestClient) -> None:
    """The same event, signed anew as a retry is, and the same payment told by three kinds of event."""
    told = [stripe_event("checkout.session.completed", session()), stripe_event("payment_intent.succeeded", intent()),
            stripe_event("charge.succeeded", charge())] * 3
    assert [post(client, each).status_code for each in told] == [204] * 9
    assert len(gifts(site)) == 1
    assert len(rows(site.store, schema.hook_events.c.id)) == 3


# ------------------------------------------------------------------------------------------------ who may post


@pytest.mark.parametrize("fault", ["forged", "one byte", "no signature", "stale", "future", "two times", "odd time",
                                   "another scheme", "other characters"])
def test_forged_replayed_and_future_dated_posts(site: Site, client: TestClient, fault: str) -> None:
    """403 and no change, before anything of the post is read."""
    raw = json.dumps(stripe_event("checkout.session.completed", session())).encode()
    headers = stripe_headers(raw)
    match fault:
        case "forged":
            headers = stripe_headers(raw, secret="whsec_of_somebody_else")
        case "one byte":
            raw = raw.replace(b"2500", b"2501")
        case "no signature":
            del headers["Stripe-Signature"]
        case "stale":
            headers = stripe_headers(raw, at=time.time() - 400)
        case "future":
            headers = stripe_headers(raw, at=time.time() + 400)
        case "two times":
            headers["Stripe-Signature"] += f",t={int(time.time())}"
        case "odd time":
            headers["Stripe-Signature"] = headers["Stripe-Signature"].replace("t=", "t=-")
        case "another scheme":
            headers["Stripe-Signature"] = headers["Stripe-Signature"].replace("v1=", "v0=")
        case "other characters":
            headers["Stripe-Signature"] = headers["Stripe-Signature"] + "\u00e9"
    sent = {name: value.encode() for name, value in headers.items()}
    assert client.post(HOOK, content=raw, headers=sent).status_code == 403
    assert nothing_changed(site)


def test_two_secrets_while_one_replaces_the_other(site: Site) -> None:
    """During a rotation posts signed with either are taken."""
    both = with_stripe(site, webhook_secret=SecretStr("whsec_new, whsec_old"))
    with TestClient(create(site.store, both, PROJECT)) as client:
        for number, secret in enumerate(("whsec_new", "whsec_old")):
            paid = session(id=secret, payment_intent=f"pi_{number}")
            told = stripe_event("checkout.session.completed", paid, name=secret)
            assert post(client, told, secret=secret).status_code == 204
    assert len(gifts(site)) == 2


def test_without_a_secret_nothing_is_believed(site: Site) -> None:
    """503, so that Stripe keeps its events until the hook is set up."""
    answer = post(site.client, stripe_event("checkout.session.completed", session()))
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert nothing_changed(site)


@pytest.mark.parametrize(("mode", "live"), [("live", False), ("test", True), ("auto", False)])
def test_the_other_modes_events_are_refused(site: Site, mode: str, live: bool) -> None:
    """No test gift in live figures, nor the reverse."""
    settings_ = with_stripe(site, mode=mode)
    if mode == "auto":  # a live project
        settings_ = settings_.model_copy(update={"project": settings_.project.model_copy(
            update={"transport": "sendgrid"})})
    with TestClient(create(site.store, settings_, PROJECT)) as client:
        told = stripe_event("checkout.session.completed", session(), live=live)
        assert post(client, told).status_code == 400
    assert nothing_changed(site)


def test_another_accounts_events_are_refused(site: Site, client: TestClient) -> None:
    """A connected account's payments are not the charity's."""
    assert post(client, stripe_event("checkout.session.completed", session(), account="acct_other")).status_code == 400
    assert nothing_changed(site)


def told_wrongly(**changes: Any) -> dict[str, Any]:
    return stripe_event("checkout.session.completed", session(**changes))


@pytest.mark.parametrize("raw", [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"object": "event"}', b"[" * 100_000,
    json.dumps(told_wrongly(amount_total="2500")).encode(), json.dumps(told_wrongly(amount_total=-1)).encode(),
    json.dumps(told_wrongly(amount_total=True)).encode(), json.dumps(told_wrongly(amount_total=25.5)).encode(),
    json.dumps(told_wrongly(amount_total=10**30)).encode(), json.dumps(told_wrongly(currency="£")).encode(),
    json.dumps(told_wrongly(customer_details=[])).encode(), json.dumps(told_wrongly(payment_intent=7)).encode(),
    json.dumps(told_wrongly() | {"created": "yesterday"}).encode(), json.dumps(told_wrongly() | {"data": 1}).encode(),
    json.dumps(told_wrongly() | {"livemode": "true"}).encode(), json.dumps(told_wrongly() | {"id": None}).encode()])
def test_what_is_signed_but_cannot_be(site: Site, client: TestClient, raw: bytes) -> None:
    """4xx and no change: text where a number belongs, and the rest of what no event holds."""
    answer = client.post(HOOK, content=raw, headers=stripe_headers(raw))
    assert answer.status_code in (400, 403)
    assert nothing_changed(site)


def test_unknown_kinds_of_event_are_nothing(site: Site, client: TestClient) -> None:
    """Whatever else an account is told of is answered kindly and left alone."""
    assert post(client, stripe_event("plan.created", {"id": "plan_1"})).status_code == 204
    assert post(client, stripe_event("invented.next_year", {})).status_code == 204
    assert nothing_changed(site)


def test_a_post_may_not_be_endless(site: Site, client: TestClient) -> None:
    """20 MB are refused, whether the length is announced or not."""
    raw = b" " * (20 * 1024 * 1024)
    assert client.post(HOOK, content=raw, headers=stripe_headers(b"x")).status_code == 413
    pieces = (b" " * 65_536 for _ in range(320))
    assert client.post(HOOK, content=pieces, headers=stripe_headers(b"x")).status_code == 413
    assert nothing_changed(site)


def test_a_busy_database_means_later(site: Site, client: TestClient) -> None:
    """What could not be saved is not answered with 2xx."""
    schema.hook_keys.drop(site.store.writer)
    told = stripe_event("checkout.session.completed", session())
    assert post(client, told).status_code == 503
    assert nothing_changed(site)
    schema.hook_keys.create(site.store.writer)
    assert post(client, told).status_code == 204
    assert len(gifts(site)) == 1


def test_nothing_of_a_donor_reaches_the_log(site: Site, client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Neither of a post that is taken, nor of one that is not."""
    post(client, stripe_event("checkout.session.completed", session()))
    post(client, told_wrongly(amount_total="Amber"))
    post(client, told_wrongly(), secret="whsec_other")
    assert "hook.not-taken" in caplog.text
    for record in caplog.records:
        assert "mber" not in str(record.__dict__)
        assert "alice" not in str(record.__dict__)


def test_two_posts_at_once(site: Site) -> None:
    """Several parts of one story at the same moment, on a real server: one donation, its refund, nothing lost."""
    told = [stripe_event("checkout.session.completed", session()), stripe_event("payment_intent.succeeded", intent()),
            stripe_event("charge.refunded", charge(amount_refunded=1_000), at=AT + 5),
            stripe_event("refund.created", refund(), at=AT + 5)] * 2
    answers: list[int] = []

    def send(base: str, event: dict[str, Any]) -> None:
        raw = json.dumps(event).encode()
        answers.append(httpx.post(base + HOOK, content=raw, headers=stripe_headers(raw), timeout=60).status_code)

    with serving(create(site.store, with_stripe(site), PROJECT)) as base:
        threads = [threading.Thread(target=send, args=(base, event)) for event in told]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [204] * 8
    assert gifts(site) == [("pi_1", 2_500, 1_000, "GBP", "address")]
    assert len(rows(site.store, schema.hook_events.c.id)) == 4


# ------------------------------------------------------------------------------------------------ money


@pytest.mark.parametrize(("currency", "told", "kept"), [
    ("gbp", 2_500, 2_500), ("jpy", 500, 500), ("kwd", 5_120, 5_120), ("isk", 500, 5), ("ugx", 700, 7), ("mga", 5, 500)])
def test_currencies_of_other_decimals(site: Site, client: TestClient, currency: str, told: int, kept: int) -> None:
    """Stripe's places become the currency's own: yen have none, dinars three, króna two in Stripe and none in truth."""
    post(client, stripe_event("checkout.session.completed", session(amount_total=told, currency=currency)))
    assert gifts(site) == [("pi_1", kept, 0, currency.upper(), "address")]


def test_a_fraction_that_a_currency_has_not(site: Site, client: TestClient) -> None:
    """5.01 króna cannot be."""
    assert post(client, told_wrongly(amount_total=501, currency="isk")).status_code == 400
    assert nothing_changed(site)


def test_a_refund_before_its_donation(site: Site, client: TestClient) -> None:
    """It waits for it, and is counted once it comes."""
    post(client, stripe_event("refund.created", refund(), at=AT + 60))
    assert gifts(site) == []
    assert rows(site.store, schema.refunds.c.donation_id) == [(None,)]
    post(client, stripe_event("checkout.session.completed", session()))
    assert gifts(site) == [("pi_1", 2_500, 1_000, "GBP", "address")]
    assert rows(site.store, schema.refunds.c.donation_id, schema.refunds.c.stands) == [(1, True)]


def test_a_refund_that_failed_is_none(site: Site, client: TestClient) -> None:
    """The money stayed."""
    post(client, stripe_event("checkout.session.completed", session()))
    post(client, stripe_event("refund.created", refund(status="pending"), at=AT + 60))
    assert gifts(site)[0][2] == 1_000
    post(client, stripe_event("refund.failed", refund(status="failed"), at=AT + 90))
    assert gifts(site)[0][2] == 0


def test_a_charge_knows_of_refunds_that_we_were_not_told(site: Site, client: TestClient) -> None:
    """An endpoint that hears charge.refunded alone still counts what went back, once."""
    post(client, stripe_event("checkout.session.completed", session()))
    post(client, stripe_event("charge.refunded", charge(amount_refunded=700), at=AT + 60))
    assert gifts(site)[0][2] == 700
    post(client, stripe_event("refund.created", refund(700), at=AT + 60))
    assert gifts(site)[0][2] == 700


@pytest.mark.parametrize(("status", "lost"), [("needs_response", 2_500), ("lost", 2_500), ("won", 0),
                                              ("warning_needs_response", 0)])
def test_a_dispute_takes_the_gift_while_it_lasts(site: Site, client: TestClient, status: str, lost: int) -> None:
    """Won, it comes back; an inquiry takes nothing."""
    post(client, stripe_event("checkout.session.completed", session()))
    post(client, stripe_event("charge.dispute.created", dispute(), at=AT + 60))
    post(client, stripe_event("charge.dispute.closed", dispute(status=status), at=AT + 61))
    assert gifts(site)[0][2] == lost


def test_a_bank_payment_counts_when_it_has_come(site: Site, client: TestClient) -> None:
    """A checkout that is not paid yet is none; its later success is."""
    post(client, stripe_event("checkout.session.completed", session(payment_status="unpaid")))
    assert gifts(site) == []
    post(client, stripe_event("checkout.session.async_payment_succeeded", session(), at=AT + 86_400))
    assert len(gifts(site)) == 1


def test_an_export_that_was_imported_before_counts_once(site: Site, client: TestClient) -> None:
    """The same payment in a CSV file and through the hook is one donation, whichever comes first."""
    from pillarbox.giving.record import record
    from pillarbox.ground import clock
    from pillarbox.ground.money import Money
    from pillarbox.model.records import Gift
    from tests.builders import SECRET

    gift = Gift(amount=Money(minor=2_500), received=clock.now(), source="csv", external_id="ch_1")
    record(site.store, [gift], secret=SECRET, window_days=30, actor="staff")
    post(client, stripe_event("checkout.session.completed", session()))
    post(client, stripe_event("charge.succeeded", charge()))
    assert [(row[0], row[4]) for row in gifts(site)] == [("ch_1", "address")]
    other = Gift(amount=Money(minor=2_500), received=clock.now(), source="csv", external_id="pi_1")
    done = record(site.store, [other], secret=SECRET, window_days=30, actor="staff")
    assert (done.added, done.repeated, len(gifts(site))) == (0, 1, 1)


# ------------------------------------------------------------------------------------------------ pledges


def story(code: str) -> list[dict[str, Any]]:
    """A pledge from its checkout to its end, with three months paid, one failed, one refunded."""
    told = [
        stripe_event("checkout.session.completed", session(mode="subscription", subscription="sub_1", invoice="in_1",
                                                           payment_intent=None, client_reference_id=code)),
        stripe_event("customer.subscription.created", subscription("incomplete")),
        stripe_event("customer.subscription.updated", subscription(), at=AT + 1),
        stripe_event("customer.subscription.updated", subscription(amount=1_200), name="more", at=AT + 40),
        stripe_event("customer.subscription.deleted", subscription("canceled", 1_200, ended_at=AT + 900),
                     at=AT + 900)]
    for number in (1, 2, 3):
        at = AT + 100 * number
        told += [stripe_event("invoice.paid", invoice(number), at=at),
                 stripe_event("invoice_payment.paid", invoice_payment(number), at=at),
                 stripe_event("payment_intent.succeeded", intent(
                     id=f"pi_of_{number}", latest_charge=f"ch_of_{number}", amount_received=1_000), at=at)]
    of_second: dict[str, Any] = {"id": "re_2", "charge": "ch_of_2", "payment_intent": "pi_of_2"}
    told += [stripe_event("invoice.payment_failed", invoice(4), at=AT + 500),
             stripe_event("refund.created", refund(**of_second), at=AT + 600),
             stripe_event("refund.updated", refund(**of_second), at=AT + 601)]
    return told


def told_of(site: Site) -> dict[str, Any]:
    d, p, r = schema.donations.c, schema.pledges.c, schema.refunds.c
    return {
        "donations": sorted(rows(site.store, d.external_id, d.amount_minor, d.refunded_minor, d.attribution,
                                 d.message_id, d.regular, d.address, d.received_at)),
        "pledges": rows(site.store, p.external_id, p.state, p.amount_minor, p.unit, p.yearly_minor, p.attribution,
                        p.message_id, p.failed_at, p.ended_at, p.code),
        "refunds": sorted(rows(site.store, r.external_id, r.kind, r.amount_minor, r.stands)),
        "joined": rows(site.store, select(schema.donations.c.external_id).where(
            schema.donations.c.id == schema.refunds.c.donation_id).scalar_subquery()),
        "events": len(rows(site.store, schema.hook_events.c.id))}


def forget_all(site: Site) -> None:
    with site.store.writing() as connection:
        for table in (schema.hook_keys, schema.hook_events, schema.refunds, schema.donations, schema.pledges):
            connection.execute(delete(table))


def test_a_pledge_and_its_instalments(site: Site, client: TestClient) -> None:
    """Each month is a donation of the letter that raised the pledge; its refund finds it; the yearly worth is kept."""
    for each in story(code_of(site)):
        assert post(client, each).status_code == 204
    d, p = schema.donations.c, schema.pledges.c
    assert sorted(rows(site.store, d.external_id, d.amount_minor, d.refunded_minor, d.attribution, d.regular)) == [
        ("in_1", 1_000, 0, "link-code", True), ("in_2", 1_000, 1_000, "link-code", True),
        ("in_3", 1_000, 0, "link-code", True)]
    assert {row[0] for row in rows(site.store, d.pledge_id)} == {1}
    assert rows(site.store, p.state, p.amount_minor, p.unit, p.every, p.yearly_minor, p.attribution, p.message_id) == [
        ("ended", 1_200, "month", 1, 14_400, "link-code", site.message_id)]
    assert rows(site.store, p.failed_at)[0][0] is not None


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_events_tells_the_same(site: Site, client: TestClient, seed: int) -> None:
    """Shuffled and doubled over the wire, on both engines."""
    told = story(code_of(site))
    for each in told:
        post(client, each)
    expected = told_of(site)
    forget_all(site)
    dice = random.Random(seed)
    told = told * 2
    dice.shuffle(told)
    for each in told:
        assert post(client, each).status_code == 204
    assert told_of(site) == expected


def test_pausing_and_going_on(site: Site, client: TestClient) -> None:
    """A pledge whose collection is paused says so, and that it goes on."""
    post(client, stripe_event("customer.subscription.created", subscription()))
    post(client, stripe_event("customer.subscription.updated", subscription(
        pause_collection={"behavior": "void"}), at=AT + 5))
    assert rows(site.store, schema.pledges.c.state) == [("paused",)]
    post(client, stripe_event("customer.subscription.updated", subscription(), name="on", at=AT + 9))
    assert rows(site.store, schema.pledges.c.state) == [("active",)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(17)))
def test_the_fold_does_not_care_for_order(order: list[int]) -> None:
    """Whatever the order, the fold of what was told is the same."""
    from pillarbox.money import fold
    from pillarbox.money.stripe import reading

    events = [reading.read(json.dumps(each).encode(), reading.Terms(live=True)) for each in story("abc")]
    told = [each for each in events if each]
    assert len(told) == 17
    pledge = [each for each in told if each.pledge]
    shuffled = [told[place] for place in order if told[place].pledge]
    assert fold.pledged(shuffled) == fold.pledged(pledge)
    for number in (1, 2, 3):
        names = {f"in_{number}", f"pi_of_{number}", f"ch_of_{number}"}
        straight = [each for each in told if names & set(each.keys)]
        mixed = [told[place] for place in order if names & set(told[place].keys)]
        assert fold.paid(mixed, shuffled) == fold.paid(straight, pledge)
        assert fold.backs(mixed, fold.paid(mixed, shuffled)) == fold.backs(straight, fold.paid(straight, pledge))
