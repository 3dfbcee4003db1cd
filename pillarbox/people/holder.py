"""Who holds a letter's key, and how it stands with them. The key opens nothing personal: a letter may be passed on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, bindparam, select

from pillarbox.model.states import Basis, Channel, Kind, SuppressionReason
from pillarbox.people.segments import has_consent, there_is
from pillarbox.store.schema import mailings, messages, supporters, suppressions

OWN_WORD = (SuppressionReason.UNSUBSCRIBED, SuppressionReason.COMPLAINED, SuppressionReason.FPS,
            SuppressionReason.ERASED, SuppressionReason.MANUAL)
"""Why nothing may go to a person, wherever they are reached; the other reasons are an address's own."""


class Standing(StrEnum):
    """How it stands with the owner of a letter's key."""

    UNKNOWN = "unknown"
    """No letter has this key."""
    READER = "reader"
    """Letters may come."""
    LEFT = "left"
    """Unsubscribed, or forgotten."""
    PROOF = "proof"
    """The key of a proof: made to be looked at, it changes nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Whose key it is. ``UNKNOWN`` has ids of 0."""

    standing: Standing
    written_to: bool = False
    """Whether they get our letters: they agreed, and nothing of their own word keeps them out."""
    message_id: int = 0
    supporter_id: int = 0
    message_hash: str = ""
    """Hash of the address that the letter went to."""
    address: str = ""
    """Where they are reached now; empty when they were forgotten."""
    address_hash: str = ""


def _kept_out(*reasons: SuppressionReason) -> ColumnElement[bool]:
    return there_is(select(suppressions.c.id).where(
        suppressions.c.address_hash == supporters.c.address_hash, suppressions.c.reason.in_(reasons))
        .correlate(supporters))


# Built once: putting a statement together takes longer than the database takes to answer it.
_BY_KEY = (
    select(messages.c.id, messages.c.supporter_id, messages.c.address_hash.label("message_hash"),
           messages.c.address.label("was"), mailings.c.kind, supporters.c.address, supporters.c.address_hash,
           _kept_out(SuppressionReason.UNSUBSCRIBED).label("left"), _kept_out(*OWN_WORD).label("kept_out"),
           has_consent(Channel.EMAIL, (Basis.CONSENT, Basis.SOFT_OPT_IN)).label("agreed"))
    .select_from(messages.join(mailings, mailings.c.id == messages.c.mailing_id)
                 .join(supporters, supporters.c.id == messages.c.supporter_id))
    .where(messages.c.key == bindparam("of_key")))


def of(connection: Connection, key: str) -> Holder:
    """Who holds a key; one look-up, the same for every key."""
    row = connection.execute(_BY_KEY, {"of_key": key}).one_or_none()
    if row is None:
        return Holder(standing=Standing.UNKNOWN)
    if row.kind == Kind.PROOF:
        return Holder(standing=Standing.PROOF)
    gone = row.left or not row.was or not row.address
    return Holder(standing=Standing.LEFT if gone else Standing.READER,
                  written_to=bool(row.agreed and not row.kept_out and not gone), message_id=row.id,
                  supporter_id=row.supporter_id, message_hash=row.message_hash if row.was else "",
                  address=row.address or "", address_hash=row.address_hash if row.address else "")


def hold(connection: Connection, supporter_id: int) -> None:
    """Two changes of one person's wishes take turns, until the transaction ends."""
    connection.execute(select(supporters.c.id).where(supporters.c.id == supporter_id).with_for_update())
