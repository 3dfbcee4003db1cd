"""The signature of SendGrid's event webhook, over the raw bytes of a post.

Source: the webhook description (twilio/sendgrid-oai, ``tsg_webhooks_v3.json``), read 2026-11.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pillarbox.ground.errors import SettingsError, SignatureError

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"
FUTURE_SECONDS = 300
"""How far a signer's clock may run ahead of ours."""


def verify(raw: bytes, *, signature: str, timestamp: str, public_key: str, now: datetime,
           max_age_seconds: int) -> None:
    """See that SendGrid signed exactly these bytes, not long ago. Nothing of them is parsed.

    Args:
        raw: the body as it came.
        signature: the header ``X-Twilio-Email-Event-Webhook-Signature`` (base64 of an ECDSA signature, DER).
        timestamp: the header ``X-Twilio-Email-Event-Webhook-Timestamp`` (Unix seconds).
        public_key: the webhook's verification key (base64 of a P-256 key, DER), from SendGrid's settings.
        now: the present (aware).
        max_age_seconds: how old the timestamp may be.

    Raises:
        SignatureError: missing, forged, stale or future-dated.
        SettingsError: the key itself is no such key.
    """
    if not signature or not timestamp:
        raise SignatureError("The post carries no signature.", todo="Switch on the signed event webhook in SendGrid.")
    key = _key(public_key)
    # Stripped digits of other scripts and signs: int() would take them, the signer never writes them.
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise SignatureError("The post's timestamp is no Unix time.")
    try:
        key.verify(base64.b64decode(signature, validate=True), timestamp.encode() + raw, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        raise SignatureError("The post's signature does not fit its bytes.",
                             todo="If SendGrid's key was changed, set PILLARBOX_SENDGRID_WEBHOOK_KEY anew.") from None
    age = now.timestamp() - int(timestamp)
    if age > max_age_seconds:
        raise SignatureError(f"The post was signed {age / 3600:.0f} hours ago: too old to be believed.")
    if age < -FUTURE_SECONDS:
        raise SignatureError("The post was signed in the future.", todo="See that this machine's clock is right.")


@lru_cache(maxsize=8)
def _key(public_key: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(public_key, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise SettingsError("The event webhook's verification key is no such key.",
                            where="PILLARBOX_SENDGRID_WEBHOOK_KEY",
                            todo="Copy it from SendGrid: Settings, Mail Settings, Event Webhook, Security Features.")
    return key
