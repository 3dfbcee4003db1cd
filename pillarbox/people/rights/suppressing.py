"""Nothing more to an address: the supporter's own word, a provider's, or staff's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from pillarbox.ground import address as addresses
from pillarbox.ground import clock
from pillarbox.model.states import SuppressionReason
from pillarbox.people.rights.theirs import address as proper
from pillarbox.people.rights.theirs import supporter as supporter_of
from pillarbox.store import consents, suppressions
from pillarbox.store.connect import Store


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
    known = supporter_of(connection, address_hash)
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
    address = proper(email)
    with store.writing() as connection:
        return suppress(connection, address_hash=addresses.keyed_hash(address, secret), address=address, reason=reason,
                        source=source, at=clock.now())
