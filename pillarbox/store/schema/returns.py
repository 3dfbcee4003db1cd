"""Tables of what comes back: events and donations."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from pillarbox.store.schema.base import Moment, id_column, metadata

events = Table(
    "events", metadata, id_column(),
    Column("message_id", ForeignKey("messages.id"), index=True),
    Column("mailing_id", ForeignKey("mailings.id")),
    Column("kind", String(12), nullable=False),
    Column("at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("provider", String(12), nullable=False),
    Column("provider_event_id", Text, nullable=False),
    Column("fingerprint", String(32), nullable=False, unique=True),
    Column("provider_id", Text, nullable=False, server_default=""),
    Column("address_hash", String(32)),
    Column("agent", String(8), nullable=False),
    Column("url", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("domain", Text, nullable=False, server_default=""),
    Column("device", String(12), nullable=False, server_default=""),
    Column("raw", Text),
    UniqueConstraint("provider", "provider_event_id"),
    Index("ix_events_mailing_kind", "mailing_id", "kind", "at"),
    # Events that wait for their message: few, looked for with every post.
    Index("ix_events_ownerless", "provider_id", sqlite_where=text("message_id IS NULL"),
          postgresql_where=text("message_id IS NULL")),
    sqlite_autoincrement=True,
)

donations = Table(
    "donations", metadata, id_column(),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("source", String(24), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("method", String(24), nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    Column("address", Text),
    Column("address_hash", String(32)),
    Column("code", Text, nullable=False, server_default=""),
    Column("gift_aid", Boolean, nullable=False),
    Column("regular", Boolean, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("supporter_id", ForeignKey("supporters.id"), index=True),
    Column("mailing_id", ForeignKey("mailings.id"), index=True),
    Column("message_id", ForeignKey("messages.id")),
    Column("attribution", String(12), nullable=False),
    Column("import_id", ForeignKey("imports.id")),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("source", "external_id"),
    sqlite_autoincrement=True,
)
