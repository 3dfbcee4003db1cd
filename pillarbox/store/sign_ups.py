"""Sign-ups in the database, and how often a network or an address may ask for one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
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


def allow(connection: Connection, limits: Mapping[str, tuple[float, int]]) -> bool:
    """Whether one more is allowed by every limit, which is then counted in each; held in order of their names.

    Args:
        connection: in a transaction.
        limits: name → (seconds for one, how many at once).
    """
    moment = throttles.now(connection)
    names = {f"{_LIMITS}{name}": terms for name, terms in limits.items()}
    paid = {name: max(until, moment) for name, until in throttles.hold(connection, sorted(names)).items()}
    if any(paid[name] - moment > seconds * (burst - 1) for name, (seconds, burst) in names.items()):
        return False
    throttles.pay(connection, {name: paid[name] + seconds for name, (seconds, _) in names.items()})
    return True


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
