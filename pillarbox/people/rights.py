"""What a supporter may ask for: no more mail, to see what is held, to be forgotten; and adding one by hand."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, func, or_, select, update

from pillarbox.ground import address as addresses
from pillarbox.ground import clock, keys
from pillarbox.ground.errors import Refused
from pillarbox.model.states import Basis, Channel, Kind, MessageState, SuppressionReason
from pillarbox.people import intake, values
from pillarbox.people import person as persons
from pillarbox.people.enrolment import Terms, enrol
from pillarbox.people.entries import Entry
from pillarbox.people.tidy import Name, tidy
from pillarbox.store import audit, consents, lists, suppressions, tallies
from pillarbox.store import hook_events as payments
from pillarbox.store.connect import Store
from pillarbox.store.listed import among
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
    shapes,
    sign_ups,
    supporters,
    wish_changes,
)
from pillarbox.store.schema import consents as consents_table
from pillarbox.store.schema import lists as lists_table
from pillarbox.store.schema import suppressions as suppressions_table
from pillarbox.store.schema import wishes as wishes_table


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


def unsubscribe(connection: Connection, *, address_hash: str, address: str | None, source: str, at: datetime) -> bool:
    """The supporter wants no more email: suppressed, and every basis ends. Harmless when done twice.

    Args:
        connection: in a transaction.
        address_hash: keyed hash of the address.
        address: as known; kept with the suppression.
        source: how they said it: ``one-click``, ``sendgrid`` …
        at: when (aware).

    Returns:
        Whether it is news.
    """
    return suppress(connection, address_hash=address_hash, address=address, reason=SuppressionReason.UNSUBSCRIBED,
                    source=source, at=at)


# Reasons that are the supporter's own word: they end the consent as well.
_OWN_WORD = frozenset({SuppressionReason.UNSUBSCRIBED, SuppressionReason.COMPLAINED, SuppressionReason.FPS})


def suppress(connection: Connection, *, address_hash: str, address: str | None, reason: SuppressionReason, source: str,
             at: datetime) -> bool:
    """Let nothing more go to an address, on a list or not. Harmless when done twice.

    Returns:
        Whether it is news.
    """
    news = suppressions.add(connection, address_hash=address_hash, address=address, reason=reason, source=source,
                            since=at)
    known = _supporter(connection, address_hash)
    if known is not None and reason in _OWN_WORD:
        consents.withdraw(connection, known.id, source, at)
    return news


def suppress_address(store: Store, *, secret: bytes, email: str, reason: SuppressionReason, source: str) -> bool:
    """Let nothing more go to an address that staff name, on a list or not.

    Returns:
        Whether it is news.

    Raises:
        Refused: no proper address.
    """
    address = _address(email)
    with store.writing() as connection:
        return suppress(connection, address_hash=addresses.keyed_hash(address, secret), address=address, reason=reason,
                        source=source, at=clock.now())


def add(store: Store, *, secret: bytes, email: str, title: str = "", first_name: str = "", last_name: str = "",
        salutation: str = "", language: str = "", country: str = "", fields: Mapping[str, str] = MappingProxyType({}),
        list_name: str, basis: Basis | None, source: str, obtained: date | None = None,
        tracking: bool | None = None, actor: str = "staff") -> str:
    """Add one supporter to a list, on the terms of an import; only ``tracking=False`` is taken at its word.

    Returns:
        ``added``, ``updated`` or ``unchanged``.

    Raises:
        Refused: no proper address, an impossible basis, or someone who left.
    """
    intake.refuse(list_name, basis, obtained)
    address = _address(email)
    name = tidy(Name(title=_line(title), first_name=_line(first_name), last_name=_line(last_name)))
    hashed = addresses.keyed_hash(address, secret)
    entry = Entry(line=1, address=address, address_hash=hashed, name=name,
                  salutation=_line(salutation), language=values.language(language), country=values.country(country),
                  fields={key: values.clean(value) for key, value in fields.items()})
    at = clock.now()
    with store.writing() as connection:
        list_id = lists.find(connection, list_name)
        list_id = lists.create(connection, list_name, at) if list_id is None else list_id
        tally = enrol(connection, [entry], Terms(list_id=list_id, basis=basis, source=source or "added by staff",
                                                 obtained=obtained, tracking=tracking, by_column=False,
                                                 import_id=None), at)
        if tally.kept_out:
            raise Refused(f"This address is kept out ({', '.join(tally.kept_out)}), so it was not added.",
                          todo="Nobody but its owner can undo that: no list and no command brings it back.")
        if tracking is False:
            # An import leaves a recorded yes; staff who name one person pass on that person's word.
            tally.updated += _withdraw_tracking(connection, hashed, source or "added by staff", at) and not (
                tally.added or tally.updated)
        audit.record(connection, actor=actor, action="supporters add", subject=list_name)
    return "added" if tally.added else "updated" if tally.updated else "unchanged"


def _withdraw_tracking(connection: Connection, hashed: str, source: str, at: datetime) -> bool:
    """Whether there was a consent to withdraw."""
    known = _supporter(connection, hashed)
    if known is None or consents.of(connection, [known.id]).get((known.id, Channel.TRACKING)) is not Basis.CONSENT:
        return False
    consents.withdraw(connection, known.id, source, at, [Channel.TRACKING])
    return True


def export(store: Store, *, secret: bytes, email: str) -> dict[str, Any]:
    """Everything that is held of a person, JSON-like, for ``supporters show`` and for a request to see it.

    Raises:
        Refused: no proper address.
    """
    address = _address(email)
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
                message_values.c["values"]).select_from(messages).join(mailings).join(message_values)
                .where(_their_messages(hashed, of)).order_by(messages.c.id)),
            "events": _rows(connection, select(
                events.c.kind, events.c.at, events.c.agent, events.c.url, events.c.reason, events.c.device)
                .join(messages, events.c.message_id == messages.c.id).where(_their_messages(hashed, of))
                .order_by(events.c.at)),
            "donations": _table(connection, donations, _their_donations(hashed, of)),
            "sign_ups": [_without(row, "token_hash", "deed") for row in _table(
                connection, sign_ups, _theirs(sign_ups, hashed, of))],
            "service_letters": [_without(row, "values", "deed", "worker", "lease_until") for row in _table(
                connection, service_letters, _theirs(service_letters, hashed, of))],
            "wishes": _table(connection, wishes_table, wishes_table.c.supporter_id == of),
            "wish_history": _table(connection, wish_changes, wish_changes.c.supporter_id == of),
            "former_addresses": _table(connection, former_addresses, former_addresses.c.supporter_id == of),
            "links": _rows(connection, select(passes.c.kind, passes.c.made_at, passes.c.expires_at)
                           .where(passes.c.supporter_id == of)),
            "pledges": _table(connection, pledges, _their_pledges(hashed, of)),
            "refunds": _rows(connection, select(
                refunds.c.source, refunds.c.external_id, refunds.c.kind, refunds.c.amount_minor, refunds.c.currency,
                refunds.c.stands, refunds.c.at).join(donations, donations.c.id == refunds.c.donation_id)
                .where(_their_donations(hashed, of)).order_by(refunds.c.at)),
            "payment_events": _rows(connection, select(
                hook_events.c.provider, hook_events.c.type, hook_events.c.at, hook_events.c.facts, hook_events.c.name,
                hook_events.c.address).where(hook_events.c.id.in_(_their_payment_events(connection, hashed, of)))
                .order_by(hook_events.c.at, hook_events.c.id)),
        }


def forget(store: Store, *, secret: bytes, email: str, actor: str = "staff") -> Forgotten:
    """Erase a person: what remains is a keyed hash that keeps them out, and rows without a name in the counts.

    Raises:
        Refused: no proper address.
    """
    address = _address(email)
    hashed = addresses.keyed_hash(address, secret)
    at = clock.now()
    with store.writing() as connection:
        person = persons.find(connection, address, hashed)
        known, of = person.row, person.id
        # Events whose message the provider lost carry the address in the raw text alone.
        telling = connection.execute(select(events.c.id, events.c.message_id).where(events.c.raw.is_not(None), or_(*(
            func.lower(events.c.raw).contains(text, autoescape=True) for text in sorted(person.addresses))))).all()
        theirs = connection.execute(select(messages.c.id).where(
            _their_messages(hashed, of) | _filled_in_with_theirs(of))).scalars()
        with tallies.recounted(connection, {*theirs, *(row.message_id for row in telling if row.message_id)}):
            reached = _forget_messages(connection, hashed, of)
            raw = connection.execute(update(events).where(
                among(connection, events.c.id, [row.id for row in telling]), events.c.raw.is_not(None),
            ).values(raw=None, reason="", url="", domain=""))
        # Before the donations and pledges, which say whose they are, lose what tells.
        connection.execute(update(hook_events).where(
            hook_events.c.id.in_(_their_payment_events(connection, hashed, of))).values(
            name="", address=None, address_hash=None))
        connection.execute(update(pledges).where(_their_pledges(hashed, of)).values(
            name="", address=None, address_hash=None))
        gifts = connection.execute(update(donations).where(_their_donations(hashed, of)).values(
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
    erased = _their_messages(hashed, of) | _filled_in_with_theirs(of)
    theirs = select(messages.c.id).where(erased)
    cleared = connection.execute(update(events).where(events.c.message_id.in_(theirs)).values(
        raw=None, url="", reason="", domain=""))
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


def _theirs(table: Table, hashed: str, of: int) -> ColumnElement[bool]:
    return or_(table.c.address_hash == hashed, table.c.supporter_id == of)


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _forget_supporter(connection: Connection, of: int, at: datetime) -> None:
    connection.execute(delete(consents_table).where(consents_table.c.supporter_id == of))
    connection.execute(delete(consent_changes).where(consent_changes.c.supporter_id == of))
    connection.execute(update(list_members).where(list_members.c.supporter_id == of,
                                                  list_members.c.left_at.is_(None)).values(left_at=at))
    connection.execute(update(supporters).where(supporters.c.id == of).values(
        address=None, address_hash=secrets.token_hex(16), title="", first_name="", last_name="", salutation="",
        language="", country="", fields={}, forgotten_at=at, updated_at=at))


def _their_messages(hashed: str, of: int) -> ColumnElement[bool]:
    return or_(messages.c.address_hash == hashed, messages.c.supporter_id == of)


def _filled_in_with_theirs(of: int) -> ColumnElement[bool]:
    """Proofs to staff that were filled in with this supporter's words."""
    proofs = select(mailings.c.id).where(mailings.c.kind == Kind.PROOF, mailings.c.audience["as"].as_integer() == of)
    return messages.c.mailing_id.in_(proofs)


def _their_donations(hashed: str, of: int) -> ColumnElement[bool]:
    return or_(donations.c.address_hash == hashed, donations.c.supporter_id == of)


def _their_pledges(hashed: str, of: int) -> ColumnElement[bool]:
    return or_(pledges.c.address_hash == hashed, pledges.c.supporter_id == of)


def _their_payment_events(connection: Connection, hashed: str, of: int) -> list[int]:
    """What payment providers told of their gifts: some of it names them without an address."""
    found = set(connection.execute(select(hook_events.c.id).where(hook_events.c.address_hash == hashed)).scalars())
    for source, external_id in connection.execute(select(donations.c.source, donations.c.external_id).where(
            _their_donations(hashed, of))).all():
        found |= {row.id for row in payments.of_payment(connection, source, {external_id})[0]}
    for source, external_id in connection.execute(select(pledges.c.source, pledges.c.external_id).where(
            _their_pledges(hashed, of))).all():
        found |= {row.id for row in payments.of_pledge(connection, source, external_id)}
    return sorted(found)


def _supporter(connection: Connection, hashed: str) -> Row[Any] | None:
    return connection.execute(select(supporters).where(supporters.c.address_hash == hashed)).one_or_none()


def _address(email: str) -> str:
    try:
        return addresses.normalise(values.one_line(email))
    except ValueError as fault:
        raise Refused(f"This is no email address: {fault}") from None


def _line(text: str) -> str:
    return values.one_line(text)[: values.NAME_LIMIT]


def _table(connection: Connection, table: Table, which: ColumnElement[bool]) -> list[dict[str, Any]]:
    return _rows(connection, select(table).where(and_(which)))


def _rows(connection: Connection, query: Any) -> list[dict[str, Any]]:
    return [_plain(row, "id", "supporter_id", "address_hash", "import_id") for row in connection.execute(query)]


def _plain(row: Row[Any], *without: str) -> dict[str, Any]:
    """A row as JSON can hold it."""
    return {name: value.isoformat() if isinstance(value, date) else value
            for name, value in row._mapping.items() if name not in without}


def _truncate_log(store: Store) -> None:
    """What was overwritten must not live on in SQLite's write-ahead log."""
    if not store.is_sqlite:
        return
    raw = store.writer.raw_connection()
    try:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()


