"""Stripe's and GoCardless's side of their hooks, for tests: events as they write them, signed as they sign."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STRIPE_SECRET = "whsec_for_tests_only"
GOCARDLESS_SECRET = "secret-for-tests-only"
AT = 1_794_301_260
"""A minute after the builders' letters were sent (2026-11-10 09:01)."""


# ------------------------------------------------------------------------------------------------ Stripe


def stripe_headers(raw: bytes, *, secret: str = STRIPE_SECRET, at: float | None = None) -> dict[str, str]:
    """The headers of a post of these bytes (https://docs.stripe.com/webhooks, "Verify webhook signatures manually")."""
    moment = int(at or time.time())
    signature = hmac.new(secret.encode(), f"{moment}.".encode() + raw, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={moment},v1={signature}", "Content-Type": "application/json"}


def stripe_event(type_: str, thing: Mapping[str, Any], *, name: str = "", at: int = AT, live: bool = True,
                 **more: Any) -> dict[str, Any]:
    """An event of Stripe's."""
    return {"id": f"evt_{name or type_.replace('.', '_')}_{at}", "object": "event", "type": type_, "created": at,
            "livemode": live, "data": {"object": dict(thing)}, **more}


def session(**more: Any) -> dict[str, Any]:
    """A finished checkout of 25 pounds."""
    return {"id": "cs_live_1", "object": "checkout.session", "mode": "payment", "payment_status": "paid",
            "payment_intent": "pi_1", "amount_total": 2_500, "currency": "gbp", "client_reference_id": None,
            "customer_details": {"email": "Alice@example.org", "name": "Alice Amber"}, "metadata": {},
            "subscription": None, "invoice": None, **more}


def charge(**more: Any) -> dict[str, Any]:
    """The charge of that checkout."""
    return {"id": "ch_1", "object": "charge", "amount": 2_500, "amount_refunded": 0, "currency": "gbp",
            "captured": True, "status": "succeeded", "payment_intent": "pi_1", "metadata": {},
            "billing_details": {"email": "alice@example.org", "name": "Alice Amber"},
            "payment_method_details": {"type": "card"}, **more}


def intent(**more: Any) -> dict[str, Any]:
    """The payment intent of that checkout."""
    return {"id": "pi_1", "object": "payment_intent", "amount": 2_500, "amount_received": 2_500, "currency": "gbp",
            "latest_charge": "ch_1", "metadata": {}, "receipt_email": None, **more}


def refund(amount: int = 1_000, **more: Any) -> dict[str, Any]:
    """Ten pounds of it given back."""
    return {"id": "re_1", "object": "refund", "amount": amount, "currency": "gbp", "charge": "ch_1",
            "payment_intent": "pi_1", "status": "succeeded", **more}


def dispute(**more: Any) -> dict[str, Any]:
    """The donor's bank takes it back."""
    return {"id": "dp_1", "object": "dispute", "amount": 2_500, "currency": "gbp", "charge": "ch_1",
            "payment_intent": "pi_1", "status": "needs_response", **more}


def subscription(status: str = "active", amount: int = 1_000, **more: Any) -> dict[str, Any]:
    """Ten pounds a month."""
    price = {"unit_amount": amount, "currency": "gbp", "recurring": {"interval": "month", "interval_count": 1}}
    return {"id": "sub_1", "object": "subscription", "status": status, "start_date": AT, "ended_at": None,
            "currency": "gbp", "metadata": {}, "pause_collection": None,
            "items": {"object": "list", "data": [{"id": "si_1", "quantity": 1, "price": price}]}, **more}


def invoice(number: int = 1, **more: Any) -> dict[str, Any]:
    """One month of it, as accounts of after March 2025 write it."""
    return {"id": f"in_{number}", "object": "invoice", "amount_paid": 1_000, "amount_due": 1_000, "currency": "gbp",
            "customer_email": "alice@example.org", "customer_name": "Alice Amber",
            "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}}, **more}


def invoice_payment(number: int = 1) -> dict[str, Any]:
    """Which payment that month was paid by."""
    return {"id": f"inpay_{number}", "object": "invoice_payment", "invoice": f"in_{number}", "amount_paid": 1_000,
            "currency": "gbp", "payment": {"type": "payment_intent", "payment_intent": f"pi_of_{number}"}}


# ------------------------------------------------------------------------------------------------ GoCardless


def gocardless_headers(raw: bytes, secret: str = GOCARDLESS_SECRET) -> dict[str, str]:
    """The headers of a post of these bytes."""
    return {"Webhook-Signature": hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest(),
            "Content-Type": "application/json"}


def gocardless_event(kind: str, action: str, *, minute: int = 0, name: str = "", **links: str) -> dict[str, Any]:
    """An event of GoCardless's: ids alone."""
    return {"id": f"EV{name or kind + action + str(minute) + ''.join(sorted(links.values()))}", "resource_type": kind,
            "action": action, "created_at": f"2026-11-10T09:{minute + 1:02}:00.000Z", "links": links, "metadata": {},
            "details": {"origin": "gocardless", "cause": action}}


class GocardlessApi:
    """As much of GoCardless's API as the hook asks of: what lies in ``things``, by kind and id."""

    def __init__(self) -> None:
        self.things: dict[tuple[str, str], dict[str, Any]] = {
            ("payments", "PM1"): {"id": "PM1", "amount": 1_000, "amount_refunded": 0, "currency": "GBP",
                                  "created_at": "2026-11-10T09:00:00.000Z", "status": "confirmed", "metadata": {},
                                  "links": {"mandate": "MD1"}},
            ("payments", "PM2"): {"id": "PM2", "amount": 500, "amount_refunded": 0, "currency": "GBP",
                                  "created_at": "2026-11-10T09:00:00.000Z", "status": "confirmed", "metadata": {},
                                  "links": {"mandate": "MD1", "subscription": "SB1"}},
            ("refunds", "RF1"): {"id": "RF1", "amount": 400, "currency": "GBP", "links": {"payment": "PM1"},
                                 "metadata": {}},
            ("subscriptions", "SB1"): {"id": "SB1", "amount": 500, "currency": "GBP", "interval": 1,
                                       "interval_unit": "monthly", "created_at": "2026-11-10T09:01:00.000Z",
                                       "status": "active", "metadata": {}, "links": {"mandate": "MD1"}},
            ("mandates", "MD1"): {"id": "MD1", "metadata": {}, "links": {"customer": "CU1"}},
            ("customers", "CU1"): {"id": "CU1", "given_name": "Alice", "family_name": "Amber",
                                   "email": "alice@example.org", "metadata": {}},
        }
        self.away = False
        self.asked: list[str] = []
        self.authorizations: set[str] = set()
        self.url = ""

    @contextmanager
    def open(self) -> Iterator[GocardlessApi]:
        """Serve it on a free port of this machine."""
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.asked.append(self.path)
                api.authorizations.add(self.headers["Authorization"])
                _, kind, resource = self.path.split("/")
                thing = api.things.get((kind, resource))
                status = 503 if api.away else 200 if thing else 404
                said = {kind: thing} if status == 200 else {
                    "error": {"code": status, "type": "gocardless", "message": "no", "errors": []}}
                raw = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
