"""Posts events as SendGrid's signed event webhook does.

The signature is ECDSA (P-256, SHA-256) over the timestamp and the raw body; the key is shown as base64 of its DER
SubjectPublicKeyInfo. Source: "Getting started with the Event Webhook security features", SendGrid documentation,
read 2026-11, and the vectors published with its client libraries.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson
import urllib3
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"
# "Posts are at most 768 kilobytes": event webhook page, read 2026-11; the smaller reading of a kilobyte.
MOST_BODY_BYTES = 768_000


class Signer:
    """Holds the webhook's private key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | None = None) -> None:
        self._key = key or ec.generate_private_key(ec.SECP256R1())

    @classmethod
    def kept_in(cls, path: Path) -> Self:
        """The key in a PEM file; made there, for its owner's eyes only, when there is none.

        Raises:
            ValueError: when the file holds no P-256 key.
        """
        if path.exists():
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
            if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
                raise ValueError(f"{path} holds no P-256 key")
            return cls(key)
        signer = cls()
        path.touch(mode=0o600)
        path.write_bytes(signer._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return signer

    @property
    def public_key(self) -> str:
        """What SendGrid's settings page shows as verification key."""
        return base64.b64encode(self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()

    def headers(self, body: bytes, timestamp: int) -> dict[str, str]:
        """The headers that go with a body."""
        signature = self._key.sign(str(timestamp).encode() + body, ec.ECDSA(hashes.SHA256()))
        return {SIGNATURE_HEADER: base64.b64encode(signature).decode(), TIMESTAMP_HEADER: str(timestamp),
                "Content-Type": "application/json", "User-Agent": "SendGrid Event API"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """What became of some events."""

    batches: int
    events: int
    """Events that were answered 2xx."""
    lost: int
    """Events that never were."""
    statuses: tuple[int, ...]
    """Every answer in order; 0 where there was none."""


def batches(events: Iterable[Mapping[str, Any]], most_bytes: int = MOST_BODY_BYTES) -> Iterator[tuple[bytes, int]]:
    """Bodies as SendGrid writes them (an array, CRLF after each event), each with its number of events."""
    lines: list[bytes] = []
    size = 0
    for event in events:
        line = orjson.dumps(event)
        if lines and size + len(line) + 5 > most_bytes:
            yield _body(lines), len(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 3
    if lines:
        yield _body(lines), len(lines)


def post(events: Iterable[Mapping[str, Any]], url: str, signer: Signer, *, tries: int = 4, pause_seconds: float = 0.2,
         timeout_seconds: float = 30.0, most_bytes: int = MOST_BODY_BYTES) -> Posted:
    """Post events in batches; what is not answered 2xx is posted again, a few times, each time after a longer pause."""
    statuses: list[int] = []
    sent = lost = number = 0
    with urllib3.PoolManager(retries=False, timeout=timeout_seconds) as pool:
        for body, count in batches(events, most_bytes):
            number += 1
            for attempt in range(tries):
                if attempt:
                    time.sleep(pause_seconds * 2 ** (attempt - 1))
                statuses.append(_post(pool, url, body, signer))
                if 200 <= statuses[-1] < 300:
                    sent += count
                    break
            else:
                lost += count
    return Posted(batches=number, events=sent, lost=lost, statuses=tuple(statuses))


def post_one_click(urls: Iterable[str], *, timeout_seconds: float = 30.0) -> list[int]:
    """Press the mail program's own unsubscribe button for each URL (RFC 8058); the answers, 0 where there was none."""
    found = []
    with urllib3.PoolManager(retries=False, timeout=timeout_seconds) as pool:
        for url in urls:
            try:
                answer = pool.request("POST", url, body=b"List-Unsubscribe=One-Click", redirect=False,
                                      headers={"Content-Type": "application/x-www-form-urlencoded"})
                found.append(answer.status)
            except urllib3.exceptions.HTTPError:
                found.append(0)
    return found


def write(events: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Keep events in a JSON file, in the form of one webhook body."""
    path.write_bytes(_body([orjson.dumps(event) for event in events]))


def _body(lines: list[bytes]) -> bytes:
    return b"[" + b",\r\n".join(lines) + b"]\r\n"


def _post(pool: urllib3.PoolManager, url: str, body: bytes, signer: Signer) -> int:
    try:
        return pool.request("POST", url, body=body, headers=signer.headers(body, int(time.time())),
                            redirect=False).status
    except urllib3.exceptions.HTTPError:
        return 0
