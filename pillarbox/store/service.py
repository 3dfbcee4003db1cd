"""Service letters in the database: asked for once a deed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from pillarbox.ground import clock
from pillarbox.store.schema import service_letters
from pillarbox.store.upsert import insert_for


def ask(connection: Connection, *, kind: str, deed: str, address: str, address_hash: str,
        values: Mapping[str, str], supporter_id: int | None = None, not_after: datetime | None = None) -> bool:
    """Have a service letter sent, in the transaction of the deed that asks for it.

    Args:
        connection: the transaction.
        kind: which letter: ``confirm``, ``details-link`` …
        deed: what it answers, opaque and of at most 64 signs: the same deed asks for the same letter once.
        address: where it goes.
        address_hash: keyed hash of the address.
        values: what the letter says of this deed.
        supporter_id: whose it is, when they are known.
        not_after: after this moment it is of no use any more.

    Returns:
        Whether it is news.
    """
    row = {"kind": kind, "deed": deed, "address": address, "address_hash": address_hash, "values": dict(values),
           "supporter_id": supporter_id, "asked_at": clock.now(), "not_after": not_after}
    statement = insert_for(connection, service_letters).values(row).on_conflict_do_nothing(
        index_elements=["kind", "deed"])
    return connection.execute(statement.returning(service_letters.c.id)).first() is not None
