"""A person erased: what remains is a keyed hash that keeps them out, and rows without a name in the counts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, or_, select, update

from pillarbox.ground import address as addresses
from pillarbox.ground import clock, keys
from pillarbox.model.states import MessageState, SuppressionReason
from pillarbox.people import person as persons
from pillarbox.people.rights.theirs import address as proper
from pillarbox.people.rights.theirs import (
    filled_in_with_theirs,
    their_donations,
    their_messages,
    their_payment_events,
    their_pledges,
)
from pillarbox.store import audit, suppressions, tallies
from pillarbox.store.connect import Store
from pillarbox.store.listed import among
from pillarbox.store.schema import (
    consent_changes,
    donations,
    events,
    hook_events,
    list_members,
    message_values,
    messages,
    pledges,
    shapes,
    sign_ups,
    supporters,
)
from pillarbox.store.schema import consents as consents_table
from pillarbox.store.schema import suppressions as suppressions_table


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgotten:
    """What a forgetting reached."""

    was_known: bool
    """False: nothing was held; the address is kept out of every later import all the same."""
    messages: int
    events: int
    donations: int
    withdrawn: int
    """Messages that had been planned and will not leave."""
    not_reached: tuple[str, ...] = (
        "copies outside the database: backups, mail that the files transport wrote, list files, previews",
        "what the sending service and inboxes keep",
    )


def forget(store: Store, *, secret: bytes, email: str, actor: str = "staff") -> Forgotten:
    """Erase a person: what remains is a keyed hash that keeps them out, and rows without a name in the counts.

    Raises:
        Refused: no proper address.
    """
    address = proper(email)
    hashed = addresses.keyed_hash(address, secret)
    at = clock.now()
    with store.writing() as connection:
        # Before all else of theirs, as events and who leaves do: else each would wait for the other. And then looked at
        # anew: whoever was waited for may have given them another address.
        named = persons.find(connection, address, hashed)
        connection.execute(select(supporters.c.id).where(supporters.c.id == named.id).with_for_update())
        person = persons.find(connection, address, hashed)
        known, of = person.row, person.id
        # Events whose message the provider lost carry the address in the raw text alone.
        telling = connection.execute(select(events.c.id, events.c.message_id).where(events.c.raw.is_not(None), or_(*(
            func.lower(events.c.raw).contains(text, autoescape=True) for text in sorted(person.addresses))))).all()
        theirs = connection.execute(select(messages.c.id).where(
            their_messages(hashed, of) | filled_in_with_theirs(of))).scalars()
        with tallies.recounted(connection, {*theirs, *(row.message_id for row in telling if row.message_id)}):
            reached = _forget_messages(connection, hashed, of)
            raw = connection.execute(update(events).where(
                among(connection, events.c.id, [row.id for row in telling]), events.c.raw.is_not(None),
            ).values(raw=None, reason="", url="", domain="", address_hash=None))
        # Before the donations and pledges, which say whose they are, lose what tells.
        connection.execute(update(hook_events).where(
            hook_events.c.id.in_(their_payment_events(connection, hashed, of))).values(
            name="", address=None, address_hash=None))
        connection.execute(update(pledges).where(their_pledges(hashed, of)).values(
            name="", address=None, address_hash=None))
        gifts = connection.execute(update(donations).where(their_donations(hashed, of)).values(
            name="", address=None, address_hash=None, note=""))
        connection.execute(delete(sign_ups).where(or_(sign_ups.c.address_hash.in_(person.hashes),
                                                      sign_ups.c.supporter_id == of)))
        persons.forget_wishes(connection, person)
        if known is not None:
            _forget_supporter(connection, known.id, at)
        connection.execute(delete(suppressions_table).where(suppressions_table.c.address_hash.in_(person.hashes)))
        for each in sorted(person.hashes):
            suppressions.add(connection, address_hash=each, address=None, reason=SuppressionReason.ERASED, since=at,
                             source=f"forgotten; key {keys.fingerprint(secret)}, rules {addresses.NORMALISER_VERSION}")
        audit.record(connection, actor=actor, action="supporters forget", subject=f"supporter {of}" if known else "",
                     detail={"messages": reached.messages, "donations": gifts.rowcount})
    _truncate_log(store)
    return Forgotten(was_known=known is not None, messages=reached.messages, events=reached.events + raw.rowcount,
                     donations=gifts.rowcount, withdrawn=reached.withdrawn)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reached:
    messages: int
    events: int
    withdrawn: int


def _forget_messages(connection: Connection, hashed: str, of: int) -> _Reached:
    erased = their_messages(hashed, of) | filled_in_with_theirs(of)
    theirs = select(messages.c.id).where(erased)
    cleared = connection.execute(update(events).where(events.c.message_id.in_(theirs)).values(
        raw=None, url="", reason="", domain="", address_hash=None))
    private = select(messages.c.shape_id).where(erased)
    for shape in connection.execute(select(shapes.c.id).where(shapes.c.private, shapes.c.id.in_(private))).scalars():
        connection.execute(update(shapes).where(shapes.c.id == shape).values(
            subject="", html="", text="", tokens=[], content_hash=secrets.token_hex(16)))
    withdrawn = connection.execute(update(messages).where(
        erased, messages.c.state == MessageState.PLANNED).values(state=MessageState.WITHDRAWN))
    blank = {"address": "", "to_name": "", "detail": "", "domain": ""}
    connection.execute(update(message_values).where(message_values.c.message_id.in_(theirs)).values({"values": "[]"}))
    found = connection.execute(theirs).scalars().all()
    for message in found:
        # Each with a mark of its own: a shared one would still tell which messages were one person's.
        connection.execute(update(messages).where(messages.c.id == message).values(
            **blank, address_hash=secrets.token_hex(16)))
    return _Reached(messages=len(found), events=cleared.rowcount, withdrawn=withdrawn.rowcount)


def _forget_supporter(connection: Connection, of: int, at: datetime) -> None:
    connection.execute(delete(consents_table).where(consents_table.c.supporter_id == of))
    connection.execute(delete(consent_changes).where(consent_changes.c.supporter_id == of))
    connection.execute(update(list_members).where(list_members.c.supporter_id == of,
                                                  list_members.c.left_at.is_(None)).values(left_at=at))
    connection.execute(update(supporters).where(supporters.c.id == of).values(
        address=None, address_hash=secrets.token_hex(16), title="", first_name="", last_name="", salutation="",
        language="", country="", fields={}, forgotten_at=at, updated_at=at))


def _truncate_log(store: Store) -> None:
    """What was overwritten must not live on in SQLite's write-ahead log."""
    if not store.is_sqlite:
        return
    raw = store.writer.raw_connection()
    try:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()
