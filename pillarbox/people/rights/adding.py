"""One supporter added by hand, on the terms of an import."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy import Connection

from pillarbox.ground import address as addresses
from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.model.states import Basis, Channel
from pillarbox.people import intake, values
from pillarbox.people.enrolment import Terms, enrol
from pillarbox.people.entries import Entry
from pillarbox.people.rights.theirs import address as proper
from pillarbox.people.rights.theirs import supporter as supporter_of
from pillarbox.people.tidy import Name, tidy
from pillarbox.store import audit, consents, lists
from pillarbox.store.connect import Store


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
    address = proper(email)
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
    known = supporter_of(connection, hashed)
    if known is None or consents.of(connection, [known.id]).get((known.id, Channel.TRACKING)) is not Basis.CONSENT:
        return False
    consents.withdraw(connection, known.id, source, at, [Channel.TRACKING])
    return True


def _line(text: str) -> str:
    return values.one_line(text)[: values.NAME_LIMIT]
