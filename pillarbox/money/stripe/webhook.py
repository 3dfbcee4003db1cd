"""Stripe's signature over the bytes as they came: looked at before anything is read.

The official library compares the signature and refuses one that is too old; one that is ahead of us it lets through
(stripe 16.1, ``WebhookSignature.verify_header``), so that is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from stripe import SignatureVerificationError, WebhookSignature

from pillarbox.ground.errors import SignatureError

HEADER = "Stripe-Signature"
_TIME = re.compile(r"(?:^|,)t=(\d{1,12})(?=,|$)", re.ASCII)


def verify(raw: bytes, *, signature: str, secrets: Sequence[str], now: datetime, tolerance_seconds: int) -> None:
    """See that Stripe signed exactly these bytes, just now.

    Args:
        raw: the body as it came.
        signature: the header ``Stripe-Signature``.
        secrets: the endpoint's signing secrets (``whsec_…``); any of them will do.
        now: the present (aware).
        tolerance_seconds: how old, or how far ahead, the signature's time may be.

    Raises:
        SignatureError: missing, forged, stale or future-dated.
    """
    times = _TIME.findall(signature)
    if len(times) != 1:
        raise SignatureError("The post carries no signature of Stripe's.")
    if not any(_fits(raw, signature, secret, tolerance_seconds) for secret in secrets):
        raise SignatureError("The post's signature does not fit its bytes, or is too old.",
                             todo="If the signing secret was rolled, set PILLARBOX_STRIPE_WEBHOOK_SECRET anew.")
    if abs(int(times[0]) - now.timestamp()) > tolerance_seconds:
        raise SignatureError("The post was signed at another time than now.",
                             todo="See that this machine's clock is right.")


def _fits(raw: bytes, signature: str, secret: str, tolerance_seconds: int) -> bool:
    try:
        return bool(WebhookSignature.verify_header(raw, signature, secret, tolerance=tolerance_seconds))
    except (SignatureVerificationError, UnicodeError, ValueError, TypeError):
        # The library's error carries the whole body: nothing of it may travel on.
        return False
