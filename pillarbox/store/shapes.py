"""The shapes of a mailing: the letters that all its messages are made from."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select, update

from pillarbox.model.records import Place, Shape
from pillarbox.store.letters import pack_tokens, unpack_shape
from pillarbox.store.schema import messages, shapes


def add(connection: Connection, mailing_id: int, shape: Shape) -> int:
    """Keep a shape; returns its row id."""
    return int(connection.execute(insert(shapes).values(
        mailing_id=mailing_id, content_hash=shape.id, subject=shape.subject, html=shape.html, text=shape.text,
        tokens=pack_tokens(shape.tokens), private=shape.private,
    ).returning(shapes.c.id)).scalar_one())


def get(connection: Connection, shape_id: int) -> Shape:
    """A kept shape."""
    return unpack_shape(connection.execute(select(shapes).where(shapes.c.id == shape_id)).one())


def subjects(connection: Connection, mailing_id: int, most: int) -> list[str]:
    """The first few subject lines of a mailing, each once, with ``…`` where a supporter's own words go."""
    found: dict[str, None] = {}
    for row in connection.execute(select(shapes.c.subject, shapes.c.tokens).where(shapes.c.mailing_id == mailing_id)
                                  .order_by(shapes.c.id).limit(20 * most)):
        subject = row.subject
        for mark, _value, place in row.tokens:
            if place == Place.SUBJECT:
                subject = subject.replace(mark, "…")
        found[subject] = None
    return list(found)[:most]


def make_lone_private(connection: Connection, mailing_id: int) -> None:
    """A shape that serves one message goes with that message when its supporter is forgotten."""
    lone = (select(messages.c.shape_id).where(messages.c.mailing_id == mailing_id)
            .group_by(messages.c.shape_id).having(func.count() == 1))
    connection.execute(update(shapes).where(shapes.c.mailing_id == mailing_id, shapes.c.id.in_(lone))
                       .values(private=True))
