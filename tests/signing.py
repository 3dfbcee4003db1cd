"""SendGrid's side of the event webhook, for tests: a key pair, and posts signed with it as SendGrid signs them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pillarbox.ground import clock


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A webhook's key pair."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def public(self) -> str:
        """The verification key as SendGrid's settings show it."""
        return base64.b64encode(self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()

    def headers(self, raw: bytes, at: datetime | None = None) -> dict[str, str]:
        """The headers of a post of these bytes, signed at that time."""
        timestamp = str(int((at or clock.now()).timestamp()))
        signature = self.private.sign(timestamp.encode() + raw, ec.ECDSA(hashes.SHA256()))
        return {"X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
                "X-Twilio-Email-Event-Webhook-Timestamp": timestamp, "Content-Type": "application/json"}


def body(events: Sequence[dict[str, Any]]) -> bytes:
    """A post's bytes."""
    return json.dumps(list(events)).encode()


def event(word: str, *, message: int | None = 1, project: str = "testproj", email: str = "alice@example.org",
          seconds: int = 1_794_301_260, **more: Any) -> dict[str, Any]:
    """One event as SendGrid writes it; the time defaults to a minute after the builders' letters were sent."""
    ours = {"pillarbox": f"{project}.{message}.1"} if message is not None else {}
    return {"email": email, "event": word, "timestamp": seconds, "sg_event_id": f"id-{word}-{message}-{seconds}-{more}",
            "sg_message_id": "abc.recvd-1", **ours, **more}
