"""The passes table: what was handed to one person to use once, and for a while. Kept as hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select

from pillarbox.ground import clock
from pillarbox.ground.keys import new_key
from pillarbox.store.schema import passes


class PassKind(StrEnum):
    """What a pass opens."""

    UNDO = "undo"
    """Takes back what a supporter did a moment ago; shown to whoever did it, and to nobody else."""
    DETAILS = "details"
    """Name and address; mailed to the address held."""
    ADDRESS = "address"
    """Confirms a new address; mailed there."""


def make(connection: Connection, kind: PassKind, *, supporter_id: int, valid: timedelta, address_hash: str = "",
         values: Mapping[str, Any] | None = None) -> str:
    """A new pass, of 150 random bits; what expired is swept away.

    Returns:
        what is handed out; the database keeps its hash.
    """
    at, token = clock.now(), new_key()
    connection.execute(delete(passes).where(passes.c.expires_at <= at))
    connection.execute(insert(passes).values(
        token_hash=hashed(token), kind=kind, supporter_id=supporter_id, address_hash=address_hash,
        values=dict(values or {}), made_at=at, expires_at=at + valid))
    return token


def hashed(token: str) -> str:
    """What stands for a pass in the database."""
    return hashlib.sha256(token.encode()).hexdigest()


def find(connection: Connection, kind: PassKind, token: str) -> Row[Any] | None:
    """The pass, while it is good; changes nothing."""
    return connection.execute(select(passes).where(*_good(kind, token))).one_or_none()


def use(connection: Connection, kind: PassKind, token: str) -> Row[Any] | None:
    """Use a pass up: whoever gets it back is the only one who does."""
    return connection.execute(delete(passes).where(*_good(kind, token)).returning(*passes.c)).one_or_none()


def newest(connection: Connection, kind: PassKind, supporter_id: int) -> Mapping[str, Any] | None:
    """What a supporter's newest pass of a kind holds, while it is good."""
    found: Mapping[str, Any] | None = connection.execute(
        select(passes.c["values"]).where(passes.c.supporter_id == supporter_id, passes.c.kind == kind,
                                         passes.c.expires_at > clock.now())
        .order_by(passes.c.made_at.desc()).limit(1)).scalar_one_or_none()
    return found


def drop(connection: Connection, kind: PassKind, supporter_id: int) -> None:
    """A supporter's passes of this kind are good no more."""
    connection.execute(delete(passes).where(passes.c.supporter_id == supporter_id, passes.c.kind == kind))


def made_since(connection: Connection, kind: PassKind, supporter_id: int, since: datetime) -> int:
    """How many of a kind a supporter was given since then, and has not used."""
    return int(connection.execute(select(func.count()).select_from(passes).where(
        passes.c.supporter_id == supporter_id, passes.c.kind == kind, passes.c.made_at > since)).scalar_one())


def _good(kind: PassKind, token: str) -> list[ColumnElement[bool]]:
    return [passes.c.token_hash == hashed(token), passes.c.kind == kind, passes.c.expires_at > clock.now()]
