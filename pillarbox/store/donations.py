"""Queries on donations, and on what they may be tied to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, exists, func, or_, select

from pillarbox.model.states import Kind, MessageState, Outcome
from pillarbox.store.schema import donations, mailings, messages, supporters
from pillarbox.store.upsert import insert_for

NET = donations.c.amount_minor - donations.c.refunded_minor
"""What stayed of a donation, in minor units."""
STANDS = donations.c.amount_minor != donations.c.refunded_minor
"""Whether anything of it stayed: what went back whole is no donation any more."""
_UNSEEN = (Outcome.BOUNCED, Outcome.BLOCKED, Outcome.DROPPED)
_ASKLESS = (Kind.PROOF, Kind.SERVICE)
_BY_CODE: tuple[Column[Any], ...] = (messages.c.code, messages.c.id, messages.c.mailing_id, messages.c.supporter_id)
_LETTER: tuple[Column[Any], ...] = (
    messages.c.address_hash, messages.c.id, messages.c.mailing_id, messages.c.accepted_at)


def add_new(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Insert donations that are not yet known by (source, external id).

    Returns:
        The (source, external id) of those that were new.
    """
    if not rows:
        return set()
    statement = insert_for(connection, donations).on_conflict_do_nothing(
        index_elements=["source", "external_id"]).returning(donations.c.source, donations.c.external_id)
    return {(row.source, row.external_id) for row in connection.execute(statement, list(rows))}


def amounts(connection: Connection, external_ids: Collection[str]) -> dict[tuple[str, str], tuple[int, str]]:
    """(Source, external id) → amount in minor units and currency, of the donations with these external ids."""
    found = connection.execute(select(donations.c.source, donations.c.external_id, donations.c.amount_minor,
                                      donations.c.currency).where(donations.c.external_id.in_(sorted(external_ids))))
    return {(row.source, row.external_id): (row.amount_minor, row.currency) for row in found}


def messages_by_code(connection: Connection, codes: Collection[str]) -> dict[str, Row[Any]]:
    """Code in a donate link → its message (id, mailing_id, supporter_id); proofs have none that count."""
    if not codes:
        return {}
    found = connection.execute(
        select(*_BY_CODE)
        .join(mailings, mailings.c.id == messages.c.mailing_id)
        .where(messages.c.code.in_(sorted(codes)), mailings.c.kind != Kind.PROOF))
    return {row.code: row for row in found}


def mailings_by_source_code(connection: Connection, codes: Collection[str]) -> dict[str, int]:
    """Source code in small letters → its mailing's id; never a proof."""
    if not codes:
        return {}
    lower = func.lower(mailings.c.source_code)
    found = connection.execute(select(lower.label("code"), mailings.c.id).where(
        lower.in_(sorted(codes)), mailings.c.kind != Kind.PROOF))
    return {row.code: row.id for row in found}


def source_code_of(connection: Connection, mailing: str) -> str | None:
    """The source code of the mailing with this name, or of an appeal's newest; None when there is none but proofs."""
    return connection.execute(
        select(mailings.c.source_code)
        .where(or_(mailings.c.name == mailing, mailings.c.appeal == mailing), mailings.c.kind != Kind.PROOF)
        .order_by((mailings.c.name == mailing).desc(), mailings.c.id.desc()).limit(1)).scalar()


def letters_that_reached(connection: Connection, hashes: Collection[str], *, earliest: datetime,
                         latest: datetime) -> list[Row[Any]]:
    """Letters that left for these addresses between two times and were not sent back, newest first.

    Columns: address_hash, id, mailing_id, accepted_at. Proofs and service letters ask for nothing and raise nothing.
    Practice mailings reached nobody; they count only where no live mailing was ever started, so that a practice shows
    the whole road.
    """
    if not hashes:
        return []
    begun = mailings.alias()
    practising = ~exists().where(begun.c.practice.is_(False), begun.c.started_at.is_not(None))
    return list(connection.execute(
        select(*_LETTER)
        .join(mailings, mailings.c.id == messages.c.mailing_id)
        .where(messages.c.address_hash.in_(sorted(hashes)), messages.c.state == MessageState.ACCEPTED,
               messages.c.outcome.not_in(_UNSEEN), messages.c.accepted_at.between(earliest, latest),
               or_(mailings.c.practice.is_(False), practising), mailings.c.kind.not_in(_ASKLESS))
        .order_by(messages.c.accepted_at.desc(), messages.c.id.desc())))


def supporters_by_address(connection: Connection, hashes: Collection[str]) -> dict[str, int]:
    """Address hash → supporter's id."""
    if not hashes:
        return {}
    found = connection.execute(select(supporters.c.address_hash, supporters.c.id).where(
        supporters.c.address_hash.in_(sorted(hashes))))
    return {row.address_hash: row.id for row in found}


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A donation as staff look it up; no name and no address."""

    id: int
    received_at: datetime
    amount_minor: int
    currency: str
    method: str
    mailing: str | None
    """The mailing that raised it, when one is known to have."""
    attribution: str
    gift_aid: bool
    regular: bool
    refunded_minor: int = 0
    """What was given back of it, or taken back by the donor's bank."""

    def to_json(self) -> dict[str, object]:
        """The same as JSON-like data."""
        return {"id": self.id, "received_at": self.received_at.isoformat(), "amount_minor": self.amount_minor,
                "currency": self.currency, "method": self.method, "mailing": self.mailing,
                "attribution": self.attribution, "gift_aid": self.gift_aid, "regular": self.regular,
                "refunded_minor": self.refunded_minor}


def listed(connection: Connection, *, unmatched: bool = False) -> list[Listed]:
    """Donations, newest first; ``unmatched``: only those that no mailing is known to have raised."""
    query = (select(donations.c.id, donations.c.received_at, donations.c.amount_minor, donations.c.currency,
                    donations.c.method, mailings.c.name.label("mailing"), donations.c.attribution,
                    donations.c.gift_aid, donations.c.regular, donations.c.refunded_minor)
             .join_from(donations, mailings, isouter=True)
             .order_by(donations.c.received_at.desc(), donations.c.id.desc()))
    if unmatched:
        query = query.where(donations.c.mailing_id.is_(None))
    return [Listed(**row._mapping) for row in connection.execute(query)]
