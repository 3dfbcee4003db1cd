"""Rows for tests, written straight into the tables: a supporter, a mailing, a message, with sensible defaults.

Each builder takes an open connection and returns the new row's id; what a test does not care about has a default.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, insert, select

from pillarbox.ground.address import keyed_hash
from pillarbox.ground.keys import new_key
from pillarbox.model.states import Basis, Channel, Kind, MailingState, MessageState
from pillarbox.store import schema

SECRET = b"a secret key for tests only"
SENT_AT = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)


def supporter(connection: Connection, address: str = "alice@example.org", *, basis: Basis | None = Basis.CONSENT,
              **columns: Any) -> int:
    """A supporter who agreed to email (or has ``basis``; None: no consent row at all)."""
    row = {"address": address, "address_hash": keyed_hash(address, SECRET), "fields": {}, "created_at": SENT_AT,
           "updated_at": SENT_AT, **columns}
    new = _added(connection, schema.supporters, row)
    if basis is not None:
        connection.execute(insert(schema.consents).values(
            supporter_id=new, channel=Channel.EMAIL, basis=basis, source="test", recorded_at=SENT_AT))
    return new


def mailing(connection: Connection, name: str = "uyghur-freedom", *, kind: Kind = Kind.APPEAL, practice: bool = False,
            edition_id: int | None = None, **columns: Any) -> int:
    """A sent mailing, with the bundle and edition that it needs."""
    bundle = f"bundle-{name}"
    connection.execute(insert(schema.bundles).values(id=bundle, appeal=name, made_at=SENT_AT, content=b""))
    if edition_id is None:
        edition_id = _added(connection, schema.editions, {"appeal": name, "label": "", "practice": practice})
    row = {"name": name, "appeal": name, "kind": kind, "edition_id": edition_id, "practice": practice,
           "state": MailingState.SENT, "transport": "sendgrid", "bundle_id": bundle,
           "source_code": f"S{crc32(name.encode())}", "title": name, "audience": {}, "excluded": {},
           "for_date": date(2026, 11, 10), "created_at": SENT_AT, **columns}
    return _added(connection, schema.mailings, row)


def shape(connection: Connection, mailing_id: int, **columns: Any) -> int:
    """A shape of one word and one token, unless told otherwise."""
    row = {"mailing_id": mailing_id, "content_hash": new_key(), "subject": "Freedom", "html": "<p>x0x</p>",
           "text": "x0x\n", "tokens": [], "private": False, **columns}
    return _added(connection, schema.shapes, row)


def message(connection: Connection, mailing_id: int, supporter_id: int, *,
            state: MessageState = MessageState.ACCEPTED, **columns: Any) -> int:
    """A message of the mailing to the supporter; accepted at SENT_AT, provider id ``sg-<id>`` unless told otherwise."""
    person = connection.execute(select(schema.supporters).where(schema.supporters.c.id == supporter_id)).one()
    edition = connection.execute(select(schema.mailings.c.edition_id).where(
        schema.mailings.c.id == mailing_id)).scalar_one()
    shape_id = columns.pop("shape_id", None) or connection.execute(select(schema.shapes.c.id).where(
        schema.shapes.c.mailing_id == mailing_id).limit(1)).scalar() or shape(connection, mailing_id)
    accepted = state is MessageState.ACCEPTED
    row = {"mailing_id": mailing_id, "edition_id": edition, "supporter_id": supporter_id, "address": person.address,
           "address_hash": person.address_hash, "key": new_key(), "code": new_key(), "shape_id": shape_id,
           "tracked": True, "state": state,
           "accepted_at": SENT_AT if accepted else None,
           "provider_id": f"sg-{mailing_id}-{supporter_id}" if accepted else "", **columns}
    values = row.pop("values", "[]")
    new = _added(connection, schema.messages, row)
    connection.execute(insert(schema.message_values).values({"message_id": new, "values": values}))
    return new


def _added(connection: Connection, table: Any, row: dict[str, Any]) -> int:
    result = connection.execute(insert(table).values(row))
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])
