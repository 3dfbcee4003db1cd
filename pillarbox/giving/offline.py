"""A cheque, a CAF voucher, a banknote: a donation that staff add by hand."""

from __future__ import annotations

from datetime import datetime

from pillarbox.giving.attribute import codes_in
from pillarbox.giving.record import Recorded, write_down
from pillarbox.ground.address import normalise
from pillarbox.ground.errors import Refused
from pillarbox.ground.keys import new_key
from pillarbox.ground.money import Money
from pillarbox.model.records import Gift
from pillarbox.store import donations as table
from pillarbox.store.connect import Store

METHODS = ("cheque", "caf-voucher", "cash", "bank-transfer", "standing-order", "card", "other")


def add(store: Store, *, amount: Money, received: datetime, method: str, secret: bytes, window_days: int, actor: str,
        email: str = "", name: str = "", mailing: str = "", gift_aid: bool = False, regular: bool = False,
        reference: str = "", note: str = "") -> Recorded:
    """Add one donation.

    Args:
        store: the database.
        amount: above nothing.
        received: when it came (aware).
        method: one of ``METHODS``.
        secret: the project's key, for the hash of addresses.
        window_days: see ``giving.attribute``.
        actor: who adds it, for the audit log.
        email: the donor's address; either this or ``name`` is needed.
        name: the donor's name.
        mailing: the mailing's name or source code, as printed on the reply slip; empty: found by address.
        gift_aid: whether there is a declaration.
        regular: part of regular giving.
        reference: the cheque's or voucher's number: adding it twice then counts once.
        note: a remark for staff.

    Raises:
        Refused: no such mailing, method or address, or no amount; nothing was added.
    """
    if amount.minor <= 0:
        raise Refused(f"A donation of {amount} is none.", todo="Give the amount that came, for instance 25.00.")
    if method not in METHODS:
        raise Refused(f"There is no method {method!r}.", todo=f"Choose one of: {', '.join(METHODS)}.")
    if not email and not name:
        raise Refused("A donation needs the donor's email address or name.", todo="Give one of them.")
    try:
        address = normalise(email) if email else ""
    except ValueError:
        raise Refused("The donor's email address cannot be read.", todo="Correct it, or give a name alone.") from None
    with store.writing() as connection:
        code = ""
        if mailing:
            known = table.mailings_by_source_code(connection, codes_in(mailing))
            code = mailing if known else (table.source_code_of(connection, mailing) or "")
            if not code:
                raise Refused(f"No mailing has the name or source code {mailing!r}.",
                              todo="`pillarbox report` lists the names.")
        gift = Gift(amount=amount, received=received, source=method, external_id=reference or new_key(),
                    address=address, name=name, code=code, method=method, gift_aid=gift_aid, regular=regular, note=note)
        return write_down(connection, [gift], secret=secret, window_days=window_days, actor=actor)
