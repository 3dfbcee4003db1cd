"""The images of planned and published letters: kept once by name, for as long as anybody may open such a letter."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from pillarbox.ground import clock
from pillarbox.store.schema import images
from pillarbox.store.upsert import insert_for


def keep(connection: Connection, found: Mapping[str, bytes]) -> None:
    """Keep images, each once.

    Args:
        connection: to write with.
        found: public name (``content.images.public_name``) → content.
    """
    for name, content in found.items():
        connection.execute(insert_for(connection, images).values(name=name, content=content, made_at=clock.now())
                           .on_conflict_do_nothing())


def content(connection: Connection, name: str) -> bytes | None:
    """An image by its public name; None when there is none."""
    found = connection.execute(select(images.c.content).where(images.c.name == name)).scalar_one_or_none()
    return None if found is None else bytes(found)
