"""Name, greeting and address: opened by a fresh link to the address held, never by a letter's key.

A new address counts when its owner has confirmed it by a link sent there; the old one is told. Whether an address is
somebody else's is told to nobody: the page says the same, and no letter goes there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select, update

from pillarbox.ground import address as addresses
from pillarbox.ground import clock
from pillarbox.model.sections import PreferenceSettings
from pillarbox.people import holder as holders
from pillarbox.people import preferences, values
from pillarbox.people.holder import OWN_WORD, Standing
from pillarbox.people.preferences import Choice
from pillarbox.store import audit, lists, passes, service, suppressions, wishes
from pillarbox.store.connect import ClashError, Store
from pillarbox.store.passes import PassKind
from pillarbox.store.schema import supporters

VALID = timedelta(hours=1)
"""How long a link is good."""
MOST_LINKS = 3
"""Links on their way to one supporter: whoever holds a letter could ask for more, and fill their inbox."""
SOURCE = "details page"
LINK, CONFIRM, NOTE = "details-link", "address-confirm", "address-note"
"""Kinds of service letters."""
_NAMES = ("title", "first_name", "last_name", "salutation")


@dataclass(frozen=True, kw_only=True, slots=True)
class Details:
    """What is held of a supporter, as their form shows it."""

    title: str
    first_name: str
    last_name: str
    salutation: str
    """How they wish to be greeted; empty: made from the name."""
    email: str
    left: tuple[Choice, ...] = ()
    """Lists that they left and may come back to."""


class Saved(StrEnum):
    """What became of a form, or of a link."""

    EXPIRED = "expired"
    """The link was used, is too old, or never was."""
    BAD_ADDRESS = "bad-address"
    """Nothing was saved, and the link stays good."""
    SAVED = "saved"
    TO_CONFIRM = "to-confirm"
    """Saved; the new address counts when it was confirmed."""
    NOT_POSSIBLE = "not-possible"
    """The address cannot be used for this any more; nothing was changed."""


def ask(store: Store, key: str, *, base_url: str) -> Standing:
    """Have a fresh link mailed to the address that is held of a key's holder.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        holder = holders.of(connection, key)
        if holder.standing is not Standing.READER or not holder.written_to:
            return Standing.LEFT if holder.standing is Standing.READER else holder.standing
        holders.hold(connection, holder.supporter_id)
        recent = passes.made_since(connection, PassKind.DETAILS, holder.supporter_id, clock.now() - VALID)
        if recent < MOST_LINKS:
            token = passes.make(connection, PassKind.DETAILS, supporter_id=holder.supporter_id, valid=VALID,
                                address_hash=holder.address_hash)
            service.ask(connection, kind=LINK, deed=passes.hashed(token), address=holder.address,
                        address_hash=holder.address_hash, values={"link": f"{base_url}/details/{token}"},
                        supporter_id=holder.supporter_id, not_after=clock.now() + VALID)
        return Standing.READER


def look(store: Store, token: str, settings: PreferenceSettings) -> Details | None:
    """What a link opens; None when it is good no more. Changes nothing."""
    with store.reading() as connection:
        person = _opened(connection, passes.find(connection, PassKind.DETAILS, token))
        if person is None:
            return None
        left = tuple(choice for choice in preferences.choices(connection, person.id, settings)
                     if choice.membership is preferences.Membership.LEFT)
        return Details(title=person.title, first_name=person.first_name, last_name=person.last_name,
                       salutation=person.salutation, email=person.address, left=left)


def save(store: Store, token: str, wanted: Details, back_to: frozenset[str], settings: PreferenceSettings, *,
         secret: bytes, base_url: str, ascii_mailboxes: bool = False) -> Saved:
    """Save what the form says; the link is used up.

    Args:
        store: the database.
        token: of the link.
        wanted: what the form says.
        back_to: names of left lists to come back to.
        settings: which lists are open to choice.
        secret: the project's key.
        base_url: where supporters reach us.
        ascii_mailboxes: whether no letter can be sent to any other.

    Raises:
        StoreError: it could not be saved.
    """
    try:
        address = addresses.normalise(values.one_line(wanted.email[:values.VALUE_LIMIT]))
    except ValueError:
        return Saved.BAD_ADDRESS
    with store.writing() as connection:
        held = _opened(connection, passes.find(connection, PassKind.DETAILS, token))
        if (ascii_mailboxes and held is not None and address != held.address
                and not addresses.has_ascii_mailbox(address)):
            return Saved.BAD_ADDRESS
        person = _opened(connection, passes.use(connection, PassKind.DETAILS, token))
        if person is None:
            return Saved.EXPIRED
        holders.hold(connection, person.id)
        _name(connection, person, wanted)
        for choice in preferences.choices(connection, person.id, settings):
            list_id = lists.find(connection, choice.name)
            if choice.name in back_to and list_id is not None and lists.come_back(
                    connection, list_id, person.id, clock.now()):
                wishes.note(connection, person.id, source=SOURCE, changes={"lists": {choice.name: ["off", "on"]}},
                            at=clock.now())
        if address == person.address:
            return Saved.SAVED
        _ask_to_confirm(connection, person, address, addresses.keyed_hash(address, secret), base_url,
                        passes.hashed(token))
        return Saved.TO_CONFIRM


def new_address(store: Store, token: str) -> str | None:
    """The address that a link would confirm; None when it is good no more. Changes nothing."""
    with store.reading() as connection:
        found = passes.find(connection, PassKind.ADDRESS, token)
        return None if found is None else str(found._mapping["values"]["address"])


def confirm(store: Store, token: str) -> Saved:
    """The owner of a new address confirms: from now on letters go there. Consents and wishes are the person's.

    Raises:
        StoreError: it could not be saved.
    """
    try:
        with store.writing() as connection:
            return _confirm(connection, token)
    except ClashError:  # somebody took it a moment ago
        return Saved.NOT_POSSIBLE


def _confirm(connection: Connection, token: str) -> Saved:
    found = passes.use(connection, PassKind.ADDRESS, token)
    if found is None:
        return Saved.EXPIRED
    holders.hold(connection, found.supporter_id)
    person = connection.execute(select(supporters).where(supporters.c.id == found.supporter_id)).one()
    known = found._mapping["values"]
    if person.address_hash != known["from"] or not _is_free(connection, found.address_hash, person.id):
        return Saved.NOT_POSSIBLE
    at = clock.now()
    connection.execute(update(supporters).where(supporters.c.id == person.id).values(
        address=known["address"], address_hash=found.address_hash, updated_at=at))
    wishes.take_up(connection, found.address_hash)
    wishes.give_up(connection, person.address_hash, person.id, at)
    for reason in suppressions.reasons(connection, person.address_hash):
        if reason in OWN_WORD:  # who said no says no wherever they are reached
            suppressions.add(connection, address_hash=found.address_hash, address=known["address"], reason=reason,
                             source="followed a change of address", since=at)
    passes.drop(connection, PassKind.DETAILS, person.id)
    wishes.note(connection, person.id, source=SOURCE, changes={"address": ["held", "another"]}, at=at)
    audit.record(connection, actor="supporter", action="change of address", subject=f"supporter {person.id}")
    return Saved.SAVED


def _opened(connection: Connection, good: Row[Any] | None) -> Row[Any] | None:
    """The supporter whom a pass opens: only while they are reached where it was mailed, and get our letters."""
    if good is None:
        return None
    person = connection.execute(select(supporters).where(supporters.c.id == good.supporter_id)).one()
    return person if person.address and person.address_hash == good.address_hash else None


def _name(connection: Connection, person: Row[Any], wanted: Details) -> None:
    """The name as they write it themselves: no import writes over it."""
    said = {name: values.one_line(getattr(wanted, name))[:values.NAME_LIMIT] for name in _NAMES}
    changed = {name: text for name, text in said.items() if text != getattr(person, name)}
    if not changed:
        return
    at = clock.now()
    connection.execute(update(supporters).where(supporters.c.id == person.id).values(**changed, updated_at=at))
    before = wishes.of(connection, person.id)
    wishes.keep(connection, person.id, wishes.own(before), at)
    wishes.note(connection, person.id, source=SOURCE, changes={"name": sorted(changed)}, at=at)


def _ask_to_confirm(connection: Connection, person: Row[Any], address: str, address_hash: str, base_url: str,
                    deed: str) -> None:
    if _is_free(connection, address_hash, person.id):
        passes.drop(connection, PassKind.ADDRESS, person.id)
        token = passes.make(connection, PassKind.ADDRESS, supporter_id=person.id, valid=VALID,
                            address_hash=address_hash, values={"address": address, "from": person.address_hash})
        # Not in the supporter's name: by a slip of the pen this may be a stranger's inbox.
        service.ask(connection, kind=CONFIRM, deed=passes.hashed(token), address=address, address_hash=address_hash,
                    values={"link": f"{base_url}/address/{token}"}, not_after=clock.now() + VALID)
    service.ask(connection, kind=NOTE, deed=deed, address=person.address, address_hash=person.address_hash, values={},
                supporter_id=person.id)


def _is_free(connection: Connection, address_hash: str, supporter_id: int) -> bool:
    """Whether letters of this supporter may go to an address: nobody else is reached there, and nobody said no."""
    taken = connection.execute(select(supporters.c.id).where(
        supporters.c.address_hash == address_hash, supporters.c.id != supporter_id)).first()
    return taken is None and not set(suppressions.reasons(connection, address_hash)) & set(OWN_WORD)
