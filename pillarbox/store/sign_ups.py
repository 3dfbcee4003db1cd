"""Sign-ups in the database, and how often a network or an address may ask for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from pillarbox.ground import clock
from pillarbox.store import throttles
from pillarbox.store.schema import service_letters, sign_ups
from pillarbox.store.schema import throttles as throttles_table

_T = sign_ups.c
_LIMITS = "join:"


def add(connection: Connection, values: Mapping[str, Any]) -> None:
    """Note a sign-up that waits for its confirmation."""
    connection.execute(insert(sign_ups).values(dict(values)))


def by_token(connection: Connection, token_hash: str) -> Row[Any] | None:
    """The sign-up of a token; None when there is none."""
    return connection.execute(select(sign_ups).where(_T.token_hash == token_hash)).one_or_none()


def confirm(connection: Connection, sign_up_id: int, at: datetime) -> bool:
    """Whether this is the confirmation: once, and before it expires."""
    return connection.execute(
        update(sign_ups).where(_T.id == sign_up_id, _T.confirmed_at.is_(None), _T.expires_at > at,
                               _T.address.is_not(None)).values(confirmed_at=at)).rowcount == 1


def settle(connection: Connection, sign_up_id: int, *, supporter_id: int | None, kept_out: str) -> None:
    """What the confirmation led to. The row stays as evidence; what the supporter's own row says now leaves it."""
    gone = {"address": None, "first_name": "", "last_name": ""} if supporter_id is not None else {}
    connection.execute(update(sign_ups).where(_T.id == sign_up_id).values(
        supporter_id=supporter_id, kept_out=kept_out, **gone))


def kept_out(connection: Connection) -> list[Row[Any]]:
    """Confirmed sign-ups that led to nothing, since the address is kept out; oldest first."""
    return list(connection.execute(select(sign_ups).where(_T.kept_out != "").order_by(_T.id)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How often something may be asked for: one each so many seconds, and so many at once."""

    name: str
    seconds: float
    at_once: int = 1

    def refuses(self, paid_until: float, moment: float) -> bool:
        """Whether one more is too many (GCRA)."""
        return paid_until - moment > self.seconds * (self.at_once - 1)


class Counted(StrEnum):
    """Which limit one more sign-up met."""

    NONE = "none"
    NETWORK = "network"
    ALL = "all"
    """What may go to everybody together."""
    ADDRESS = "address"


def count(connection: Connection, network: Limit, in_all: Limit, address: Sequence[Limit]) -> Counted:
    """Count one more sign-up from a network, and to an address unless it is too many; locks until the end.

    What meets the network's limit, or that of all together, counts for nothing else; what meets an address's, for the
    network alone. The address is looked at last: the answers before say nothing of it.
    """
    moment = throttles.now(connection)
    limits = {f"{_LIMITS}{limit.name}": limit for limit in (network, in_all, *address)}
    paid = {name: max(until, moment) for name, until in throttles.hold(connection, sorted(limits)).items()}
    refused = [limit for name, limit in limits.items() if limit.refuses(paid[name], moment)]
    if network in refused:
        return Counted.NETWORK
    if in_all in refused:
        return Counted.ALL
    throttles.pay(connection, {name: paid[name] + limit.seconds for name, limit in limits.items()
                               if limit is network or not refused})
    return Counted.ADDRESS if refused else Counted.NONE


def sweep(connection: Connection) -> int:
    """Delete what expired unconfirmed, with the letters that were sent for it, and limits that limit nothing any more.

    Returns:
        how many sign-ups.
    """
    moment = clock.now()
    expired = select(_T.deed).where(_T.confirmed_at.is_(None), _T.expires_at <= moment)
    connection.execute(delete(service_letters).where(
        service_letters.c.kind == "confirm", service_letters.c.deed.in_(expired),
        service_letters.c.state.not_in(("submitting",))))
    gone = connection.execute(delete(sign_ups).where(_T.confirmed_at.is_(None), _T.expires_at <= moment)).rowcount
    connection.execute(delete(throttles_table).where(
        throttles_table.c.name.startswith(_LIMITS, autoescape=True),
        throttles_table.c.paid_until < throttles.now(connection)))
    return gone
