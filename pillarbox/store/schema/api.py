"""The table of tokens: who may read the API. Nothing in it is about a supporter."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, String, Table, Text, text

from pillarbox.model.states import TokenScope
from pillarbox.store.schema.base import Moment, id_column, metadata

api_tokens = Table(
    "api_tokens", metadata, id_column(),
    Column("name", Text, nullable=False),
    # The token itself is nowhere: who reads the database cannot read the API with what it says.
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("scope", String(8), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
    CheckConstraint(f"scope IN ({', '.join(repr(scope.value) for scope in TokenScope)})", name="scope"),
    # A name is free again once its token is revoked.
    Index("uq_api_tokens_name", "name", unique=True, sqlite_where=text("revoked_at IS NULL"),
          postgresql_where=text("revoked_at IS NULL")),
    sqlite_autoincrement=True,
)
