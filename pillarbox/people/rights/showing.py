"""Everything that is held of a person."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, select

from pillarbox.ground import address as addresses
from pillarbox.people import person as persons
from pillarbox.people.rights.theirs import address as proper
from pillarbox.people.rights.theirs import their_donations, their_messages, their_payment_events, their_pledges, theirs
from pillarbox.store.connect import Store
from pillarbox.store.schema import (
    consent_changes,
    donations,
    events,
    former_addresses,
    hook_events,
    imports,
    list_members,
    mailings,
    message_values,
    messages,
    passes,
    pledges,
    refunds,
    service_letters,
    sign_ups,
    wish_changes,
)
from pillarbox.store.schema import consents as consents_table
from pillarbox.store.schema import lists as lists_table
from pillarbox.store.schema import suppressions as suppressions_table
from pillarbox.store.schema import wishes as wishes_table


def export(store: Store, *, secret: bytes, email: str) -> dict[str, Any]:
    """Everything that is held of a person, JSON-like, for ``supporters show`` and for a request to see it.

    Raises:
        Refused: no proper address.
    """
    address = proper(email)
    hashed = addresses.keyed_hash(address, secret)
    with store.reading() as connection:
        person = persons.find(connection, address, hashed)
        known, of = person.row, person.id
        return {
            "known": known is not None,
            "supporter": {} if known is None else _plain(known, "id", "address_hash"),
            "lists": _rows(connection, select(lists_table.c.name.label("list"), list_members.c.joined_at,
                                              list_members.c.left_at, imports.c.file_name)
                           .select_from(list_members.join(lists_table).outerjoin(imports))
                           .where(list_members.c.supporter_id == of)),
            "consents": _table(connection, consents_table, consents_table.c.supporter_id == of),
            "consent_history": _table(connection, consent_changes, consent_changes.c.supporter_id == of),
            "suppressions": _table(connection, suppressions_table,
                                   suppressions_table.c.address_hash.in_(person.hashes)),
            "messages": _rows(connection, select(
                mailings.c.name.label("mailing"), mailings.c.title, messages.c.address, messages.c.to_name,
                messages.c.state, messages.c.outcome, messages.c.accepted_at, messages.c.tracked,
                messages.c.variant, message_values.c["values"])
                .select_from(messages).join(mailings).join(message_values)
                .where(their_messages(hashed, of)).order_by(messages.c.id)),
            "events": _rows(connection, select(
                events.c.kind, events.c.at, events.c.agent, events.c.url, events.c.reason, events.c.device)
                .join(messages, events.c.message_id == messages.c.id).where(their_messages(hashed, of))
                .order_by(events.c.at)),
            "donations": _table(connection, donations, their_donations(hashed, of)),
            "sign_ups": [_without(row, "token_hash", "deed") for row in _table(
                connection, sign_ups, theirs(sign_ups, hashed, of))],
            "service_letters": [_without(row, "values", "deed", "worker", "lease_until") for row in _table(
                connection, service_letters, theirs(service_letters, hashed, of))],
            "wishes": _table(connection, wishes_table, wishes_table.c.supporter_id == of),
            "wish_history": _table(connection, wish_changes, wish_changes.c.supporter_id == of),
            "former_addresses": _table(connection, former_addresses, former_addresses.c.supporter_id == of),
            "links": _rows(connection, select(passes.c.kind, passes.c.made_at, passes.c.expires_at)
                           .where(passes.c.supporter_id == of)),
            "pledges": _table(connection, pledges, their_pledges(hashed, of)),
            "refunds": _rows(connection, select(
                refunds.c.source, refunds.c.external_id, refunds.c.kind, refunds.c.amount_minor, refunds.c.currency,
                refunds.c.stands, refunds.c.at).join(donations, donations.c.id == refunds.c.donation_id)
                .where(their_donations(hashed, of)).order_by(refunds.c.at)),
            "payment_events": _rows(connection, select(
                hook_events.c.provider, hook_events.c.type, hook_events.c.at, hook_events.c.facts, hook_events.c.name,
                hook_events.c.address).where(hook_events.c.id.in_(their_payment_events(connection, hashed, of)))
                .order_by(hook_events.c.at, hook_events.c.id)),
        }


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _table(connection: Connection, table: Table, which: ColumnElement[bool]) -> list[dict[str, Any]]:
    return _rows(connection, select(table).where(and_(which)))


def _rows(connection: Connection, query: Any) -> list[dict[str, Any]]:
    return [_plain(row, "id", "supporter_id", "address_hash", "import_id") for row in connection.execute(query)]


def _plain(row: Row[Any], *without: str) -> dict[str, Any]:
    """A row as JSON can hold it."""
    return {name: value.isoformat() if isinstance(value, date) else value
            for name, value in row._mapping.items() if name not in without}
