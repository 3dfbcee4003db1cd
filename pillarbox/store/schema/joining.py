"""The table of sign-ups: asked for on a form, confirmed (or not) by who owns the address."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, String, Table, Text, text

from pillarbox.store.schema.base import Moment, id_column, metadata

sign_ups = Table(
    "sign_ups", metadata, id_column(),
    # SHA-256 of the link's token: who reads the database cannot confirm for somebody else.
    Column("token_hash", String(64), nullable=False, unique=True),
    # The service letter's.
    Column("deed", String(64), nullable=False, unique=True),
    Column("address", Text),
    Column("address_hash", String(32), nullable=False, index=True),
    Column("first_name", Text, nullable=False, server_default=""),
    Column("last_name", Text, nullable=False, server_default=""),
    Column("lists", JSON, nullable=False),
    # What the form said, word for word: evidence of what was agreed to.
    Column("wording", Text, nullable=False),
    Column("tracking_wording", Text, nullable=False, server_default=""),
    Column("tracking", Boolean, nullable=False, server_default=text("false")),
    Column("page", Text, nullable=False, server_default=""),
    Column("asked_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("confirmed_at", Moment),
    # Why staff must decide, when they must: the reason that keeps the address out.
    Column("kept_out", String(16), nullable=False, server_default=""),
    Column("supporter_id", ForeignKey("supporters.id"), index=True),
    Index("ix_sign_ups_open", "expires_at", sqlite_where=text("confirmed_at IS NULL"),
          postgresql_where=text("confirmed_at IS NULL")),
    sqlite_autoincrement=True,
)
