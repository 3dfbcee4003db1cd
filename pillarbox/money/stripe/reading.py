"""Stripe's events turned into what they mean for donations and pledges.

Fields: Stripe's published OpenAPI description and https://docs.stripe.com/api/events/types, stored copies read 2026-11.
Accounts differ in the version of the API that their events are written in: since 2025-03 an invoice names its
subscription in ``parent``, and neither charge nor payment intent names an invoice; older ones do. Both are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pillarbox.ground.errors import Refused
from pillarbox.money import told, values
from pillarbox.money.told import About, Standing, Told, Word

PROVIDER = "stripe"

# In how many decimals Stripe counts (https://docs.stripe.com/currencies, stored copy read 2026-11); others: 2. Króna
# and Ugandan shilling have none by ISO 4217, and stand in its API with two all the same.
PLACES: Mapping[str, int] = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"), 0,
) | dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3)

# A subscription's status (https://docs.stripe.com/api/subscriptions/object#subscription_object-status).
_STANDING = {
    "trialing": Standing.ACTIVE, "active": Standing.ACTIVE, "past_due": Standing.ACTIVE, "incomplete": Standing.WAITING,
    "unpaid": Standing.PAUSED, "paused": Standing.PAUSED, "canceled": Standing.ENDED,
    "incomplete_expired": Standing.ENDED,
}
# What each dispute and refund status has come to; ``order``: a later one is never undone by an earlier.
_REFUND_ORDER = {"pending": 0, "requires_action": 0, "succeeded": 1, "failed": 2, "canceled": 2}
_DISPUTE_ORDER = {"won": 2, "lost": 2, "warning_closed": 2, "prevented": 2, "under_review": 1}
_NO_LOSS = ("warning_needs_response", "warning_under_review", "warning_closed", "won", "prevented")
# Who knows a payment best: an invoice its amount, a checkout its donor, an intent its metadata, a charge its method.
_INVOICE, _CHECKOUT, _INTENT, _CHARGE = 3, 2, 1, 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """Which events are the charity's own."""

    live: bool
    """Live events, or test ones."""
    account: str = ""
    """The connected account's; empty: the charity's own."""
    any_payment: bool = False
    """Whether a payment intent or charge that carries no code is a donation too."""
    parameter: str = "ref"
    """What the project's own donation page calls the code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Heard:
    """One event, before it is understood."""

    type: str
    thing: Mapping[str, Any]
    terms: Terms


def read(raw: bytes, terms: Terms) -> Told | None:
    """What an event says; None when it is about nothing of ours.

    Raises:
        Refused: no event, an impossible one, one of test mode in live or the reverse, or another account's.
    """
    try:
        event = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refused("This is no event of Stripe's: the text is not JSON.") from None
    if not isinstance(event, dict) or event.get("object") != "event":
        raise Refused("This is no event of Stripe's.", todo="Choose snapshot events for the endpoint, not thin ones.")
    if not isinstance(event.get("livemode"), bool) or event["livemode"] is not terms.live:
        raise Refused("The event is of test mode, and live ones are taken." if terms.live else
                      "The event is live, and those of test mode are taken.",
                      todo="Each mode has an endpoint and a signing secret of its own in Stripe; [stripe] mode says "
                           "which is taken.")
    try:
        return _read(event, terms)
    except ValueError as fault:
        # Our own words alone: a field's name, never its value.
        raise Refused(f"The event cannot be: {fault}.") from None


def _read(event: Mapping[str, Any], terms: Terms) -> Told | None:
    if told.text(event, "account") != terms.account:
        raise ValueError("it is another account's")
    word, event_id = told.text(event, "type"), told.text(event, "id")
    if not event_id or not word:
        raise ValueError("it has no id or no type")
    at = told.moment(told.whole(event, "created"))
    reader = _READERS.get(word)
    if reader is None:
        return None
    known = reader(_Heard(type=word, thing=told.part(told.part(event, "data"), "object"), terms=terms))
    if known is None:
        return None
    return Told(provider=PROVIDER, event_id=event_id, type=word, at=at, **known)


Known = dict[str, Any]


def _checkout(heard: _Heard) -> Known | None:
    session, terms = heard.thing, heard.terms
    donor = told.part(session, "customer_details")
    known: Known = {
        "name": told.a_name(told.text(donor, "name")),
        "address": told.an_address(told.text(donor, "email") or told.text(session, "customer_email"))}
    facts: Known = {
        "rank": _CHECKOUT, "gift_aid": _declared(session),
        "code": told.code_in(told.part(session, "metadata"), told.text(session, "client_reference_id"),
                             parameter=terms.parameter)}
    session_id, pledge = told.text(session, "id"), told.text(session, "subscription")
    match told.text(session, "mode"):
        case "subscription" if pledge:
            return known | {"about": About.PLEDGE, "resource": pledge, "pledge": pledge, "facts": facts}
        case "payment":
            paid = told.text(session, "payment_status") == "paid"
            word = Word.PAID if paid else Word.UNDONE if heard.type.endswith("_failed") else Word.NOTHING
            return known | {
                "about": About.PAYMENT, "resource": _named(session_id),
                "keys": _keys(told.text(session, "payment_intent"), session_id, told.text(session, "invoice")),
                "facts": facts | _amount(session, "amount_total") | {"word": word, "counts": paid}}
    return None


def _intent(heard: _Heard) -> Known:
    intent = heard.thing
    code = told.code_in(told.part(intent, "metadata"), parameter=heard.terms.parameter)
    paid = heard.type == "payment_intent.succeeded"
    invoice = told.text(intent, "invoice")
    return {
        "about": About.PAYMENT, "resource": _named(told.text(intent, "id")),
        "keys": _keys(told.text(intent, "id"), told.text(intent, "latest_charge"), invoice),
        "address": told.an_address(told.text(intent, "receipt_email")),
        "facts": _amount(intent, "amount_received" if paid else "amount") | {
            "rank": _INTENT, "code": code, "word": Word.PAID if paid else Word.FAILED,
            "gift_aid": _declared(intent), "counts": paid and not invoice and (heard.terms.any_payment or bool(code))}}


def _charge(heard: _Heard) -> Known:
    charge = heard.thing
    code = told.code_in(told.part(charge, "metadata"), parameter=heard.terms.parameter)
    intent, invoice = told.text(charge, "payment_intent"), told.text(charge, "invoice")
    paid = told.text(charge, "status") == "succeeded" and charge.get("captured") is True
    bill = told.part(charge, "billing_details")
    facts = _amount(charge, "amount")
    back = told.whole(charge, "amount_refunded")
    if back is not None and "currency" in facts:
        facts |= {"refunded": _minor(back, facts["currency"]), "charge": _named(told.text(charge, "id"))}
    return {
        "about": About.PAYMENT, "resource": _named(told.text(charge, "id")),
        "keys": _keys(intent, told.text(charge, "id"), invoice), "name": told.a_name(told.text(bill, "name")),
        "address": told.an_address(told.text(bill, "email") or told.text(charge, "receipt_email")),
        "facts": facts | {
            "rank": _CHARGE, "code": code, "word": Word.PAID if paid else Word.NOTHING, "gift_aid": _declared(charge),
            "method": _method(told.text(told.part(charge, "payment_method_details"), "type")),
            "counts": paid and not intent and not invoice and (heard.terms.any_payment or bool(code))}}


def _invoice(heard: _Heard) -> Known:
    invoice = heard.thing
    of = told.part(told.part(invoice, "parent"), "subscription_details")
    pledge = told.text(of, "subscription") or told.text(invoice, "subscription")
    metadata = told.part(of, "metadata") or told.part(told.part(invoice, "subscription_details"), "metadata")
    payments = [told.part(each, "payment") for each in told.parts(invoice, "payments")]
    paid = heard.type != "invoice.payment_failed"
    facts = _amount(invoice, "amount_paid" if paid else "amount_due")
    return {
        "about": About.PAYMENT, "resource": _named(told.text(invoice, "id")), "pledge": pledge,
        "keys": _keys(told.text(invoice, "id"), told.text(invoice, "payment_intent"), told.text(invoice, "charge"),
                      *(told.text(each, name) for each in payments for name in ("payment_intent", "charge"))),
        "name": told.a_name(told.text(invoice, "customer_name")),
        "address": told.an_address(told.text(invoice, "customer_email")),
        "facts": facts | {
            "rank": _INVOICE, "code": told.code_in(metadata, parameter=heard.terms.parameter),
            "word": Word.PAID if paid else Word.FAILED, "counts": paid and bool(pledge) and bool(facts.get("amount"))}}


def _invoice_payment(heard: _Heard) -> Known:
    """It says which payment an invoice was paid by, and nothing more."""
    payment = told.part(heard.thing, "payment")
    invoice = _named(told.text(heard.thing, "invoice"))
    return {"about": About.PAYMENT, "resource": invoice, "facts": {"rank": _CHARGE, "word": Word.NOTHING},
            "keys": _keys(invoice, told.text(payment, "payment_intent"), told.text(payment, "charge"))}


def _refund(heard: _Heard) -> Known:
    status = told.text(heard.thing, "status")
    return {
        "about": About.REFUND, "resource": _named(told.text(heard.thing, "id")), "keys": _of_payment(heard.thing),
        "facts": _amount(heard.thing, "amount", needed=True) | {
            "stands": status not in ("failed", "canceled"), "order": _REFUND_ORDER.get(status, 0)}}


def _dispute(heard: _Heard) -> Known:
    status = told.text(heard.thing, "status")
    return {
        "about": About.DISPUTE, "resource": _named(told.text(heard.thing, "id")), "keys": _of_payment(heard.thing),
        "facts": _amount(heard.thing, "amount", needed=True) | {
            "stands": status not in _NO_LOSS, "order": _DISPUTE_ORDER.get(status, 0)}}


def _subscription(heard: _Heard) -> Known:
    pledge = heard.thing
    facts: Known = {
        "rank": _ORDER_OF_CHANGE.get(heard.type, 1), "state": _standing(pledge, heard.type),
        "code": told.code_in(told.part(pledge, "metadata"), parameter=heard.terms.parameter),
        "gift_aid": _declared(pledge), **_rhythm(pledge)}
    for field, name in (("started", "start_date"), ("ended", "ended_at")):
        if (seconds := told.whole(pledge, name)) is not None:
            facts[field] = told.moment(seconds).isoformat()
    if facts["state"] != Standing.ENDED:
        facts.pop("ended", None)
    resource = _named(told.text(pledge, "id"))
    return {"about": About.PLEDGE, "resource": resource, "pledge": resource, "facts": facts}


_ORDER_OF_CHANGE = {"customer.subscription.created": 0, "customer.subscription.deleted": 3}


def _standing(pledge: Mapping[str, Any], type_: str) -> Standing:
    if type_ == "customer.subscription.deleted":
        return Standing.ENDED
    found = _STANDING.get(told.text(pledge, "status"))
    if found is None:
        raise ValueError("its status is unknown")
    return Standing.PAUSED if found is Standing.ACTIVE and told.part(pledge, "pause_collection") else found


def _rhythm(pledge: Mapping[str, Any]) -> Known:
    """How much, and how often; empty when the event does not say."""
    items = told.parts(pledge, "items")
    if not items:
        return {}
    price = told.part(items[0], "price")
    recurring = told.part(price, "recurring") or told.part(items[0], "plan")
    code = told.currency(price or pledge)
    total = 0
    for item in items:
        each = told.whole(told.part(item, "price"), "unit_amount")
        if each is None:
            each = told.whole(told.part(item, "plan"), "amount") or 0
        quantity = told.whole(item, "quantity")
        total += each * (1 if quantity is None else quantity)
    unit, every = told.text(recurring, "interval"), told.whole(recurring, "interval_count") or 1
    if unit not in ("day", "week", "month", "year") or every > 1_000 or total > told.MOST_MINOR:
        raise ValueError("its interval or amount is impossible")
    return {"amount": _minor(total, code), "currency": code, "unit": unit, "every": every}


def _method(word: str) -> str:
    return "direct-debit" if word.endswith("_debit") else values.method(word)


def _amount(holder: Mapping[str, Any], name: str, *, needed: bool = False) -> Known:
    amount = told.whole(holder, name)
    if amount is None or (holder.get("currency") is None and not needed):
        if needed:
            raise ValueError(f"{name} is missing")
        return {}
    code = told.currency(holder)
    return {"amount": _minor(amount, code), "currency": code}


def _minor(amount: int, code: str) -> int:
    return told.minor(amount, code, PLACES.get(code, 2))


def _of_payment(holder: Mapping[str, Any]) -> tuple[str, ...]:
    found = _keys(told.text(holder, "payment_intent"), told.text(holder, "charge"))
    if not found:
        raise ValueError("it names no payment")
    return found


def _keys(*ids: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, ids)))


def _named(resource: str) -> str:
    if not resource:
        raise ValueError("what it is about has no id")
    return resource


def _declared(holder: Mapping[str, Any]) -> bool:
    """Gift Aid: in the metadata, or in a field of the checkout's own with a name such as giftaid."""
    metadata = told.part(holder, "metadata")
    said = [value for key, value in metadata.items() if isinstance(value, str) and _is_gift_aid(key)]
    for field in told.parts(holder, "custom_fields"):
        if _is_gift_aid(told.text(field, "key")):
            said += [told.text(told.part(field, kind), "value") for kind in ("dropdown", "text")]
    return any(values.declared(words) for words in said if words)


def _is_gift_aid(key: str) -> bool:
    return key.lower().replace("_", "").replace("-", "").replace(" ", "") in ("giftaid", "giftaiddeclaration")


_READERS: Mapping[str, Callable[[_Heard], Known | None]] = {
    **dict.fromkeys(("checkout.session.completed", "checkout.session.async_payment_succeeded",
                     "checkout.session.async_payment_failed"), _checkout),
    **dict.fromkeys(("payment_intent.succeeded", "payment_intent.payment_failed"), _intent),
    **dict.fromkeys(("charge.succeeded", "charge.captured", "charge.updated", "charge.refunded"), _charge),
    **dict.fromkeys(("invoice.paid", "invoice.payment_succeeded", "invoice.payment_failed"), _invoice),
    "invoice_payment.paid": _invoice_payment,
    **dict.fromkeys(("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"), _refund),
    **dict.fromkeys(("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed",
                     "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"), _dispute),
    **dict.fromkeys(("customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
                     "customer.subscription.paused", "customer.subscription.resumed"), _subscription),
}

TYPES = tuple(_READERS)
"""The events that an endpoint in Stripe should be told of."""
