"""Write down what a payment or a pledge has come to, from all that its provider told of it.

Each time all events of the payment are looked at anew, so that it does not matter in which order they come, or how
often: the rows are a function of what was told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from pillarbox.giving.attribute import Tied, attribute
from pillarbox.ground import clock
from pillarbox.ground.address import keyed_hash
from pillarbox.model.records import Gift
from pillarbox.model.states import Attribution
from pillarbox.money import csv_file, fold
from pillarbox.money.told import About, Told
from pillarbox.store import donations as table
from pillarbox.store import hook_events, pledges


@dataclass(frozen=True, kw_only=True, slots=True)
class Ties:
    """How gifts find their letters."""

    secret: bytes
    """The project's key, for the hash of addresses."""
    window_days: int
    """See ``giving.attribute``."""


def settle(connection: Connection, provider: str, *, keys: Collection[frozenset[str]], named: Collection[str],
           ties: Ties) -> int:
    """Bring donations, refunds and pledges up to what was told of them.

    Args:
        connection: a transaction that ``hook_events.one_at_a_time`` began.
        provider: whose events.
        keys: of each payment that something new was told of, some of its ids.
        named: the pledges that something new was told of.
        ties: how gifts find their letters.

    Returns:
        How many donations are new.
    """
    payments = set(keys)
    for pledge in sorted(named):
        known = hook_events.of_pledge(connection, provider, pledge)
        of = hook_events.keys_of(connection, [row.id for row in known])
        # What is known of a pledge (its code, its donor) is known of each of its instalments.
        payments |= {frozenset(ids) for ids in of.values()}
        _settle_pledge(connection, provider, known, ties)
    new, done = 0, set[str]()
    for ids in sorted(payments, key=sorted):
        if not ids or ids <= done:
            continue
        rows, names = hook_events.of_payment(connection, provider, ids)
        done |= names
        new += _settle_payment(connection, provider, rows, ties)
    return new


def heard(row: Row[Any], keys: tuple[str, ...]) -> Told:
    """An event as it was kept."""
    return Told(provider=row.provider, event_id=row.event_id, type=row.type, about=About(row.about),
                resource=row.resource, at=row.at, keys=keys, pledge=row.pledge, facts=row.facts, name=row.name,
                address=row.address or "", ask=row.ask_at is not None)


def _all(connection: Connection, rows: Sequence[Row[Any]]) -> list[Told]:
    keys = hook_events.keys_of(connection, [row.id for row in rows])
    return [heard(row, keys.get(row.id, ())) for row in rows]


# ------------------------------------------------------------------------------------------------ pledges


def _settle_pledge(connection: Connection, provider: str, rows: Sequence[Row[Any]], ties: Ties) -> None:
    found = fold.pledged(_all(connection, rows))
    if found is None:
        return
    tie, address_hash = _tie(connection, ties, Gift(
        amount=found.amount, received=found.started, source=provider, external_id=found.id, address=found.address,
        name=found.name, code=found.code, regular=True))
    pledges.keep(connection, {
        "source": provider, "external_id": found.id, "state": found.state, "amount_minor": found.amount.minor,
        "currency": found.amount.currency, "unit": found.unit, "every": found.every,
        "yearly_minor": found.yearly_minor, "started_at": found.started, "ended_at": found.ended,
        "failed_at": found.failed, "name": found.name, "address": found.address or None, "address_hash": address_hash,
        "code": found.code, "supporter_id": tie.supporter_id, "mailing_id": tie.mailing_id,
        "message_id": tie.message_id, "attribution": tie.attribution, "created_at": clock.now()})


# ------------------------------------------------------------------------------------------------ payments


def _settle_payment(connection: Connection, provider: str, rows: Sequence[Row[Any]], ties: Ties) -> int:
    """Write one payment down; 1 when it is a new donation."""
    known = _all(connection, rows)
    pledge = next((each.pledge for each in known if each.pledge), "")
    of_pledge = _all(connection, hook_events.of_pledge(connection, provider, pledge)) if pledge else []
    came = fold.paid(known, of_pledge)
    found = fold.backs(known, came)
    donation, new = _donation(connection, provider, came, found, ties) if came else (None, 0)
    pledges.keep_refunds(connection, provider, [
        {"external_id": back.id, "donation_id": donation, "kind": back.kind, "amount_minor": back.amount.minor,
         "currency": back.amount.currency, "stands": back.stands, "at": back.at} for back in found])
    if came:
        pledges.drop_refunds(connection, provider, {f"{name}:failed" for name in came.ids if name != came.id})
    return new


def _donation(connection: Connection, provider: str, came: fold.Paid, found: Sequence[fold.Back],
              ties: Ties) -> tuple[int, int]:
    """The donation's id, and 1 when it is new."""
    row = _row(connection, provider, came, found, ties)
    there = pledges.donations_of(connection, (provider, csv_file.SOURCE), came.ids)
    ours = [each for each in there if each.source == provider]
    if imported := [each for each in there if each.source == csv_file.SOURCE]:
        # An export brought it before: that row stays, and learns what came and what went back.
        kept = imported[0].id
        pledges.join_donations(connection, kept, [each.id for each in ours])
        pledges.change_donation(connection, kept, _of_money(row) if imported[0].mailing_id else {
            **_of_money(row), **_of_letter(row)})
        return kept, 0
    if ours:
        kept = ours[0].id
        pledges.join_donations(connection, kept, [each.id for each in ours[1:]])
        pledges.change_donation(connection, kept, {name: value for name, value in row.items() if name != "created_at"})
        return kept, 0
    table.add_new(connection, [row])
    return pledges.donations_of(connection, (provider,), (came.id,))[0].id, 1


def _row(connection: Connection, provider: str, came: fold.Paid, found: Sequence[fold.Back],
         ties: Ties) -> dict[str, Any]:
    pledge = pledges.by_external_id(connection, provider, came.pledge) if came.pledge else None
    tie, address_hash = _tie(connection, ties, Gift(
        amount=came.amount, received=came.received, source=provider, external_id=came.id, address=came.address,
        name=came.name, code=came.code, method=came.method))
    if pledge is not None:
        # What raised the pledge raised each of its instalments, however long after the letter.
        tie = Tied(attribution=Attribution(pledge.attribution), mailing_id=pledge.mailing_id,
                   message_id=pledge.message_id, supporter_id=pledge.supporter_id or tie.supporter_id)
    return {
        "amount_minor": came.amount.minor, "currency": came.amount.currency, "received_at": came.received,
        "source": provider, "external_id": came.id, "method": came.method, "name": came.name,
        "address": came.address or None, "address_hash": address_hash, "code": came.code, "gift_aid": came.gift_aid,
        "regular": bool(came.pledge), "note": "", "supporter_id": tie.supporter_id, "mailing_id": tie.mailing_id,
        "message_id": tie.message_id, "attribution": tie.attribution,
        "pledge_id": pledge.id if pledge is not None else None,
        "refunded_minor": fold.given_back(came.amount, found), "created_at": clock.now()}


def _of_money(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("amount_minor", "currency", "refunded_minor", "pledge_id", "regular")}


def _of_letter(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("code", "mailing_id", "message_id", "attribution")}


def _tie(connection: Connection, ties: Ties, gift: Gift) -> tuple[Tied, str | None]:
    address_hash = keyed_hash(gift.address, ties.secret) if gift.address else None
    return attribute(connection, [gift], [address_hash], window_days=ties.window_days)[0], address_hash


