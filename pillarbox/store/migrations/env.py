"""Alembic runs this file: on the connection that ``store/migrate.py`` hands over, in its transaction.

The ``alembic`` command itself may run it too, to compare a scratch database with the schema (docs/decisions/0009).
"""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, create_engine

from pillarbox.store.schema import Moment, metadata


def _plain_types(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:  # noqa: ARG001 - Alembic names it
    """A migration must not change when a type of ours does: it says what the column is made of."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moment) else False


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_item=_plain_types,
                      render_as_batch=connection.dialect.name == "sqlite")
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with create_engine(context.get_x_argument(as_dictionary=True)["url"]).begin() as opened:
        _run(opened)
