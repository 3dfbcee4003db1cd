"""Tables of people: supporters, lists, what they agreed to, whom not to write to."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from pillarbox.store.schema.base import Moment, id_column, metadata

imports = Table(
    "imports", metadata, id_column(),
    Column("kind", String(20), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("options", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    sqlite_autoincrement=True,
)

supporters = Table(
    "supporters", metadata, id_column(),
    Column("address", Text, unique=True),
    Column("address_hash", String(32), nullable=False, unique=True),
    Column("title", Text, nullable=False, server_default=""),
    Column("first_name", Text, nullable=False, server_default=""),
    Column("last_name", Text, nullable=False, server_default=""),
    Column("salutation", Text, nullable=False, server_default=""),
    Column("language", String(16), nullable=False, server_default=""),
    Column("country", String(2), nullable=False, server_default=""),
    Column("fields", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("forgotten_at", Moment),
    sqlite_autoincrement=True,
)

lists = Table(
    "lists", metadata, id_column(),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

list_members = Table(
    "list_members", metadata,
    Column("list_id", ForeignKey("lists.id"), primary_key=True),
    Column("supporter_id", ForeignKey("supporters.id"), primary_key=True),
    Column("joined_at", Moment, nullable=False),
    Column("left_at", Moment),
    Column("import_id", ForeignKey("imports.id")),
    Index("ix_list_members_supporter_id", "supporter_id"),
)

consents = Table(
    "consents", metadata,
    Column("supporter_id", ForeignKey("supporters.id"), primary_key=True),
    Column("channel", String(12), primary_key=True),
    Column("basis", String(16), nullable=False),
    Column("source", Text, nullable=False, server_default=""),
    Column("wording", Text, nullable=False, server_default=""),
    Column("obtained_on", Date),
    Column("opt_out_offered", Boolean, nullable=False, server_default=text("false")),
    Column("recorded_at", Moment, nullable=False),
    Column("import_id", ForeignKey("imports.id")),
)

consent_changes = Table(
    "consent_changes", metadata, id_column(),
    Column("supporter_id", ForeignKey("supporters.id"), nullable=False, index=True),
    Column("channel", String(12), nullable=False),
    Column("before", String(16), nullable=False),
    Column("after", String(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

suppressions = Table(
    "suppressions", metadata, id_column(),
    Column("address_hash", String(32), nullable=False),
    Column("address", Text),
    Column("reason", String(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("since", Moment, nullable=False),
    UniqueConstraint("address_hash", "reason"),
)
