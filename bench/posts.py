"""What SendGrid would post about a mailing: made-up events of made-up messages, as many and as disordered as asked."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import insert

from pillarbox.ground.address import keyed_hash
from pillarbox.ground.keys import new_keys
from pillarbox.model.states import Kind, MailingState, MessageState
from pillarbox.store.connect import Store
from pillarbox.store.schema import bundles, editions, mailings, messages, shapes, supporters

SENT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
_AT_ONCE = 20_000
_KIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_PHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {_KIT} Mobile/15E148"
_DESK = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_KIT} Chrome/141.0.0.0 Safari/537.36"
_AGENTS = (_PHONE, _PHONE, _DESK, "Mozilla/5.0 (Windows NT 5.1) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)")
_LINKS = ("https://give.harbour.example/now?ref={code}", "https://harbour.example/briefing",
          "https://harbour.example/share", "https://letters.harbour.example/v/{key}")


def mailing(store: Store, count: int, secret: bytes, *, name: str = "harbour-20261120") -> int:
    """A mailing of so many accepted messages to as many supporters; ids begin after the last. Returns its id."""
    with store.writing() as connection:
        first = 1 + (connection.exec_driver_sql("SELECT max(id) FROM messages").scalar() or 0)
        edition = connection.execute(insert(editions).values(appeal=name, label="", practice=False)
                                     .returning(editions.c.id)).scalar_one()
        connection.execute(insert(bundles).values(id=name, appeal=name, made_at=SENT, content=b""))
        mailing_id = int(connection.execute(insert(mailings).values(
            name=name, appeal=name, kind=Kind.APPEAL, edition_id=edition, practice=False, state=MailingState.SENT,
            transport="sendgrid", bundle_id=name, source_code=name[:16], title="Keep the light burning", audience={},
            excluded={}, planned=count, for_date=SENT.date(), created_at=SENT, started_at=SENT,
        ).returning(mailings.c.id)).scalar_one())
        shape = connection.execute(insert(shapes).values(
            mailing_id=mailing_id, content_hash="0" * 32, subject="", html="", text="", tokens=[], private=False,
        ).returning(shapes.c.id)).scalar_one()
    letters(store, mailing_id, edition, shape, range(first, first + count), secret)
    return mailing_id


def letters(store: Store, mailing_id: int, edition: int, shape: int, which: range, secret: bytes, *,
            accepted: bool = True) -> None:
    """Messages of a mailing, each to a supporter of the same id: accepted, or planned still."""
    for start in range(which.start, which.stop, _AT_ONCE):
        ids = range(start, min(start + _AT_ONCE, which.stop))
        hashed = [keyed_hash(address(id_), secret) for id_ in ids]
        keys = new_keys(len(ids))
        with store.writing() as connection:
            connection.execute(insert(supporters), [
                {"id": id_, "address": address(id_), "address_hash": of, "fields": {}, "created_at": SENT,
                 "updated_at": SENT} for id_, of in zip(ids, hashed, strict=True)])
            connection.execute(insert(messages), [
                {"id": id_, "mailing_id": mailing_id, "edition_id": edition, "supporter_id": id_,
                 "address": address(id_), "address_hash": of, "key": key, "code": key, "shape_id": shape,
                 "tracked": id_ % 10 < 6, "domain": "example.org",
                 "state": MessageState.ACCEPTED if accepted else MessageState.PLANNED,
                 "provider_id": f"request-{id_ // 1000}" if accepted else "", "accepted_at": SENT if accepted else None}
                for id_, of, key in zip(ids, hashed, keys, strict=True)])


def address(message_id: int) -> str:
    """The supporter's, whose letter has this id."""
    return f"s{message_id}@example.org"


def told(message_ids: Sequence[int], project: str, *, seed: int = 7, each: float = 5.0) -> Iterator[dict[str, Any]]:
    """Events of these messages in the order in which they happened to each; so many a message on the average.

    Every message is processed and delivered (one in fifty bounces or is put off); of those that agreed to tracking,
    people and proxies open some, again and again, and click in a few; scanners click at the moment of delivery.
    """
    chance = random.Random(seed)
    begun = int(SENT.timestamp())
    opens = max(0.0, each - 2.05) / 0.6
    for id_ in message_ids:
        arrived = begun + chance.randint(1, 3600)
        yield _event(chance, "processed", id_, project, arrived - 1)
        if chance.random() < 0.02:
            yield _event(chance, chance.choice(("bounce", "deferred")), id_, project, arrived,
                         reason="550 5.1.1 user unknown", status="5.1.1")
            continue
        yield _event(chance, "delivered", id_, project, arrived, response="250 2.0.0 OK queued as 4cX2")
        if id_ % 10 >= 6:
            continue
        if chance.random() < 0.02:
            yield _event(chance, "click", id_, project, arrived, url=_LINKS[1], useragent=_DESK)
        for _ in range(int(chance.expovariate(1 / opens) + 0.5) if opens else 0):
            read = arrived + int(min(chance.lognormvariate(9, 1.4), 260_000))
            if chance.random() < 0.12:
                link = chance.choices(_LINKS, (6, 3, 1, 1))[0].format(code=f"c{id_}", key=f"{id_:030d}".translate(_KEY))
                yield _event(chance, "click", id_, project, read, url=link, useragent=chance.choice(_AGENTS[:3]))
            else:
                yield _event(chance, "open", id_, project, read, useragent=chance.choice(_AGENTS))


_KEY = str.maketrans("0123456789", "abcdefghij")


def _event(chance: random.Random, word: str, id_: int, project: str, at: int, **more: str) -> dict[str, Any]:
    return {"email": address(id_), "timestamp": at, "smtp-id": f"<{chance.getrandbits(80):x}@geopod-ismtpd-12>",
            "event": word, "category": ["harbour-20261120"],
            "sg_event_id": base64.urlsafe_b64encode(chance.randbytes(27)).decode(),
            "sg_message_id": f"request-{id_ // 1000}.recvd-5b6c7d8e9f-x{chance.getrandbits(40):x}.0",
            "pillarbox": f"{project}.{id_}.1", "ip": "192.0.2.7", **more}


def shuffled(events: Sequence[dict[str, Any]], *, size: int = 1_000, repeats: float = 0.1, seed: int = 11,
             window: int = 50_000) -> list[bytes]:
    """Posts of ``size`` events, of which every so many come twice.

    They come as they happened, but in no order among ``window`` neighbours: a post holds what lies hours apart.
    """
    chance = random.Random(seed)
    stream = sorted([*events, *chance.sample(events, int(len(events) * repeats / (1 - repeats)))],
                    key=lambda event: int(event["timestamp"]))
    mixed: list[dict[str, Any]] = []
    for start in range(0, len(stream), window):
        part = stream[start : start + window]
        chance.shuffle(part)
        mixed += part
    return [orjson.dumps(mixed[start : start + size]) for start in range(0, len(mixed), size)]


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A webhook's key pair; SendGrid's side of it."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def public(self) -> str:
        """The verification key, as the settings take it."""
        return base64.b64encode(self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()

    def headers(self, raw: bytes) -> dict[str, str]:
        """Of a post of these bytes, signed now."""
        timestamp = str(int(datetime.now(UTC).timestamp()))
        signature = self.private.sign(timestamp.encode() + raw, ec.ECDSA(hashes.SHA256()))
        return {"X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
                "X-Twilio-Email-Event-Webhook-Timestamp": timestamp, "Content-Type": "application/json"}
