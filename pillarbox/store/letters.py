"""A supporter's own letter, as the ledger keeps it: its shape and the values that go into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from sqlalchemy import Column, Connection, Row, select

from pillarbox.model.records import Place, Shape, Token
from pillarbox.model.states import Kind
from pillarbox.store.schema import mailings, message_values, messages, shapes

_KEPT: tuple[Column[Any], ...] = (
    shapes.c.content_hash, shapes.c.subject, shapes.c.html, shapes.c.text, shapes.c.tokens, shapes.c.private,
    message_values.c["values"], messages.c.address)
_SENT: tuple[Column[Any], ...] = (
    messages.c.id, messages.c.mailing_id, messages.c.supporter_id, messages.c.address_hash, messages.c.address,
    mailings.c.kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One message as it was composed."""

    shape: Shape
    values: tuple[str, ...]


def pack_tokens(tokens: Sequence[Token]) -> list[list[Any]]:
    """Tokens as the column ``shapes.tokens`` keeps them: [mark, index of the value, place]."""
    return [[token.mark, token.value, token.place.value] for token in tokens]


def unpack_shape(row: Row[Any]) -> Shape:
    """A shape from a row that has its columns."""
    return Shape(id=row.content_hash, subject=row.subject, html=row.html, text=row.text, private=row.private,
                 tokens=tuple(Token(mark=mark, value=value, place=Place(place)) for mark, value, place in row.tokens))


def pack_values(values: Sequence[str]) -> str:
    """A message's values as ``message_values.values`` keeps them: a JSON array."""
    return orjson.dumps(values).decode()


def unpack_values(values: str) -> tuple[str, ...]:
    """What ``pack_values`` wrote."""
    return tuple(orjson.loads(values))


def kept_by_key(connection: Connection, key: str) -> Kept | None:
    """The letter with this key; None when there is none, or its supporter was forgotten."""
    row = connection.execute(select(*_KEPT).select_from(messages).join(message_values)
                             .join(shapes, shapes.c.id == messages.c.shape_id)
                             .where(messages.c.key == key)).one_or_none()
    if row is None or not row.address:
        return None
    return Kept(shape=unpack_shape(row), values=unpack_values(row._mapping["values"]))


def message_by_key(connection: Connection, key: str) -> Row[Any] | None:
    """Whose key it is: id, mailing_id, supporter_id, address_hash, address, and the mailing's kind."""
    return connection.execute(select(*_SENT).join(mailings, mailings.c.id == messages.c.mailing_id)
                              .where(messages.c.key == key)).one_or_none()


class Addressed(Protocol):
    """What a donate link needs to know of the mailing that it stood in."""

    @property
    def name(self) -> str:
        """The mailing's name."""
    @property
    def appeal(self) -> str:
        """Its appeal's folder."""
    @property
    def bundle_id(self) -> str:
        """What its letters were made from."""


_MAILING: tuple[Column[Any], ...] = (
    mailings.c.name, mailings.c.appeal, mailings.c.kind, mailings.c.source_code, mailings.c.bundle_id)


def donor_by_key(connection: Connection, key: str) -> Row[Any] | None:
    """Whose donate link it is: id, code, tracked, supporter_id, address, and of the mailing name, appeal, kind,
    source_code, bundle_id."""
    return connection.execute(
        select(messages.c.id, messages.c.code, messages.c.tracked, messages.c.supporter_id, messages.c.address,
               *_MAILING).join(mailings, mailings.c.id == messages.c.mailing_id)
        .where(messages.c.key == key)).one_or_none()


def mailing_by_source_code(connection: Connection, code: str) -> Row[Any] | None:
    """The mailing with this source code, in any letter case, never a proof: name, appeal, kind, source_code,
    bundle_id."""
    return connection.execute(select(*_MAILING).where(
        mailings.c.source_code == code.upper(), mailings.c.kind != Kind.PROOF)).one_or_none()
