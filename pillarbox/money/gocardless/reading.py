"""GoCardless's events, and what its API answers, turned into what they mean for donations and pledges.

An event names ids alone: amounts, currency and donor are asked of the API afterwards (``asking``). Actions and fields:
https://developer.gocardless.com/api-reference, as published in gocardless-pro 3.22 and its samples, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pillarbox.ground.errors import Refused
from pillarbox.money import told
from pillarbox.money.told import About, Standing, Told, Word

PROVIDER = "gocardless"
METHOD = "direct-debit"
AHEAD = timedelta(minutes=5)
"""How far their clock may run ahead of ours."""

_PAYMENTS = {
    "confirmed": Word.PAID, "paid_out": Word.PAID, "failed": Word.UNDONE, "cancelled": Word.UNDONE,
    "customer_approval_denied": Word.UNDONE, "late_failure_settled": Word.UNDONE,
}
_DISPUTES = {"charged_back": True, "chargeback_settled": True, "chargeback_cancelled": False}
_REFUNDS = {"created": True, "paid": True, "refund_settled": True, "failed": False, "bounced": False,
            "funds_returned": False}
_PLEDGES = {
    "created": Standing.WAITING, "customer_approval_granted": Standing.ACTIVE, "payment_created": Standing.ACTIVE,
    "customer_approval_denied": Standing.ENDED, "cancelled": Standing.ENDED, "finished": Standing.ENDED,
    "paused": Standing.PAUSED, "resumed": Standing.ACTIVE, "amended": None,
}
# A subscription's own status, once it has been asked for.
STATUSES = {
    "pending_customer_approval": Standing.WAITING, "active": Standing.ACTIVE, "paused": Standing.PAUSED,
    "customer_approval_denied": Standing.ENDED, "finished": Standing.ENDED, "cancelled": Standing.ENDED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """A post, understood."""

    told: tuple[Told, ...]
    ignored: int = 0
    """Events about nothing of ours: mandates, payouts …"""
    foreign: int = 0
    """Events of another organisation."""


def read(events: Sequence[Mapping[str, Any]], *, organisation: str, now: datetime) -> Heard:
    """What the events of a signed post say.

    Args:
        events: as ``webhook.events`` gives them.
        organisation: whose events are taken, of those that name one; empty: of none that does.
        now: the present (aware).

    Raises:
        Refused: one of them cannot be, or is dated ahead of us; nothing of the post is taken.
    """
    found: list[Told] = []
    ignored = foreign = 0
    for number, event in enumerate(events, start=1):
        try:
            links = told.part(event, "links")
            if told.text(links, "organisation") not in ("", organisation):
                foreign += 1
                continue
            one = _told(event, links, now)
        except ValueError as fault:
            raise Refused(f"Event {number} of the post cannot be: {fault}.") from None
        found += [one] if one else []
        ignored += one is None
    if foreign and foreign == len(events):
        raise Refused("The events are another organisation's.",
                      todo="If they are the charity's, put its id into [gocardless] organisation.")
    return Heard(told=tuple(found), ignored=ignored, foreign=foreign)


def _told(event: Mapping[str, Any], links: Mapping[str, Any], now: datetime) -> Told | None:
    event_id, kind, action = (told.text(event, name) for name in ("id", "resource_type", "action"))
    at = told.iso_moment(told.text(event, "created_at"))
    if not event_id or not kind or not action:
        raise ValueError("it has no id, resource or action")
    if at > now + AHEAD:
        raise ValueError("it happens in the future")
    known: dict[str, Any]
    match kind:
        case "payments":
            payment = _id(links, "payment")
            known = {"about": About.PAYMENT, "resource": payment, "keys": (payment,),
                     "pledge": told.text(links, "subscription"),
                     "facts": {"word": _PAYMENTS.get(action, Word.NOTHING), "method": METHOD}}
            if action in _DISPUTES:
                known |= {"about": About.DISPUTE, "resource": f"{payment}:chargeback",
                          "facts": {"stands": _DISPUTES[action]}}
        case "refunds" if action in _REFUNDS:
            refund, payment = _id(links, "refund"), told.text(links, "payment")
            known = {"about": About.REFUND, "resource": refund, "keys": (refund, payment) if payment else (refund,),
                     "facts": {"stands": _REFUNDS[action]}}
        case "subscriptions" if action in _PLEDGES:
            pledge, state = _id(links, "subscription"), _PLEDGES[action]
            known = {"about": About.PLEDGE, "resource": pledge, "pledge": pledge,
                     "facts": ({"state": state} if state else {}) | (
                         {"ended": at.isoformat()} if state is Standing.ENDED else {})}
        case _:
            return None
    return Told(provider=PROVIDER, event_id=event_id, type=f"{kind}.{action}", at=at, ask=True, **known)


def _id(links: Mapping[str, Any], name: str) -> str:
    found = told.text(links, name)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", found, re.ASCII):
        raise ValueError(f"it names no {name}")
    return found


# ------------------------------------------------------------------------------------------------ what the API says


@dataclass(frozen=True, kw_only=True, slots=True)
class Donor:
    """Who a mandate belongs to."""

    name: str = ""
    address: str = ""
    code: str = ""
    """Of the mandate's or customer's metadata."""


def payment_facts(payment: Mapping[str, Any], donor: Donor, *, parameter: str) -> dict[str, Any]:
    """What a payment adds to its events.

    Raises:
        ValueError: it is no payment.
    """
    code = told.currency(payment)
    amount, back = told.whole(payment, "amount"), told.whole(payment, "amount_refunded")
    if amount is None:
        raise ValueError("a payment without an amount")
    found: dict[str, Any] = {
        "amount": told.minor(amount, code, 2), "currency": code, "counts": amount > 0,
        "code": told.code_in(told.part(payment, "metadata"), donor.code, parameter=parameter)}
    if back is not None:
        found |= {"refunded": told.minor(back, code, 2), "charge": told.text(payment, "id")}
    return found


def refund_facts(refund: Mapping[str, Any]) -> dict[str, Any]:
    """What a refund adds to its events.

    Raises:
        ValueError: it is no refund.
    """
    code, amount = told.currency(refund), told.whole(refund, "amount")
    if amount is None:
        raise ValueError("a refund without an amount")
    return {"amount": told.minor(amount, code, 2), "currency": code}


def pledge_facts(pledge: Mapping[str, Any], donor: Donor, *, parameter: str, seen: datetime) -> dict[str, Any]:
    """What a subscription adds to its events.

    Raises:
        ValueError: it is no subscription.
    """
    code, amount = told.currency(pledge), told.whole(pledge, "amount")
    unit = {"weekly": "week", "monthly": "month", "yearly": "year"}.get(told.text(pledge, "interval_unit"))
    every = told.whole(pledge, "interval") or 1
    if amount is None or unit is None or every > 1_000:
        raise ValueError("a subscription without amount or interval")
    found = {
        "amount": told.minor(amount, code, 2), "currency": code, "unit": unit, "every": every, "seen": seen.isoformat(),
        "status": STATUSES.get(told.text(pledge, "status")),
        "started": told.iso_moment(told.text(pledge, "created_at")).isoformat(),
        "code": told.code_in(told.part(pledge, "metadata"), donor.code, parameter=parameter)}
    return {name: value for name, value in found.items() if value is not None}
