"""The table of service letters: what one person asked for by a deed of their own (a sign-up, a fresh link, a gift)."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from pillarbox.store.schema.base import Moment, id_column, metadata

SERVICE_STATES = ("waiting", "submitting", "accepted", "failed", "in_doubt")
"""The life of a service letter; the words are the ledger's."""

service_letters = Table(
    "service_letters", metadata, id_column(),
    Column("kind", String(24), nullable=False),
    # What it answers, opaque: one letter a deed, however often the deed is reported.
    Column("deed", String(64), nullable=False),
    Column("supporter_id", ForeignKey("supporters.id")),
    Column("address", Text),
    Column("address_hash", String(32), nullable=False),
    Column("values", JSON, nullable=False),
    Column("state", String(12), nullable=False, server_default="waiting"),
    Column("asked_at", Moment, nullable=False),
    Column("not_after", Moment),
    # When it may be tried again, after it surely did not go; and which try this is: no two claims have the same number.
    Column("due_at", Moment),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("transport", String(12), nullable=False, server_default=""),
    Column("worker", String(96), nullable=False, server_default=""),
    Column("lease_until", Moment),
    Column("accepted_at", Moment),
    Column("provider_id", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    UniqueConstraint("kind", "deed"),
    CheckConstraint(f"state IN ({', '.join(repr(state) for state in SERVICE_STATES)})", name="state"),
    Index("ix_service_letters_waiting", "asked_at", sqlite_where=text("state IN ('waiting', 'submitting')"),
          postgresql_where=text("state IN ('waiting', 'submitting')")),
    sqlite_autoincrement=True,
)

# Who stands for which words: a live project sends a service letter only as it was approved.
service_approvals = Table(
    "service_approvals", metadata,
    Column("kind", String(24), primary_key=True),
    Column("content_hash", String(32), primary_key=True),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", Moment, nullable=False),
)
