"""Which rows are one person's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, or_, select

from pillarbox.ground import address as addresses
from pillarbox.ground.errors import Refused
from pillarbox.model.states import Kind
from pillarbox.people import values
from pillarbox.store import hook_events as payments
from pillarbox.store.schema import (
    donations,
    hook_events,
    mailings,
    messages,
    pledges,
    supporters,
)


def address(email: str) -> str:
    """An address that staff typed, normalised.

    Raises:
        Refused: it is none.
    """
    try:
        return addresses.normalise(values.one_line(email))
    except ValueError as fault:
        raise Refused(f"This is no email address: {fault}") from None


def supporter(connection: Connection, hashed: str) -> Row[Any] | None:
    """Who has this keyed hash of an address."""
    return connection.execute(select(supporters).where(supporters.c.address_hash == hashed)).one_or_none()


def theirs(table: Table, hashed: str, of: int) -> ColumnElement[bool]:
    """Rows of a table that belong to a person, known by address or by id."""
    return or_(table.c.address_hash == hashed, table.c.supporter_id == of)


def their_messages(hashed: str, of: int) -> ColumnElement[bool]:
    """Every message to them, under whatever address."""
    return or_(messages.c.address_hash == hashed, messages.c.supporter_id == of)


def filled_in_with_theirs(of: int) -> ColumnElement[bool]:
    """Proofs to staff that were filled in with this supporter's words."""
    proofs = select(mailings.c.id).where(mailings.c.kind == Kind.PROOF, mailings.c.audience["as"].as_integer() == of)
    return messages.c.mailing_id.in_(proofs)


def their_donations(hashed: str, of: int) -> ColumnElement[bool]:
    """Their donations."""
    return or_(donations.c.address_hash == hashed, donations.c.supporter_id == of)


def their_pledges(hashed: str, of: int) -> ColumnElement[bool]:
    """Their pledges."""
    return or_(pledges.c.address_hash == hashed, pledges.c.supporter_id == of)


def their_payment_events(connection: Connection, hashed: str, of: int) -> list[int]:
    """What payment providers told of their gifts: some of it names them without an address."""
    found = set(connection.execute(select(hook_events.c.id).where(hook_events.c.address_hash == hashed)).scalars())
    for source, external_id in connection.execute(select(donations.c.source, donations.c.external_id).where(
            their_donations(hashed, of))).all():
        found |= {row.id for row in payments.of_payment(connection, source, {external_id})[0]}
    for source, external_id in connection.execute(select(pledges.c.source, pledges.c.external_id).where(
            their_pledges(hashed, of))).all():
        found |= {row.id for row in payments.of_pledge(connection, source, external_id)}
    return sorted(found)
