"""The table of public letters: what of a mailing anybody may read. Nothing in it is about a supporter."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, ForeignKey, LargeBinary, String, Table, Text

from pillarbox.store.schema.base import Moment, id_column, metadata

public_letters = Table(
    "public_letters", metadata, id_column(),
    Column("mailing_id", ForeignKey("mailings.id"), nullable=False, unique=True),
    Column("slug", String(120), nullable=False, unique=True),
    Column("practice", Boolean, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False, server_default=""),
    # The day that stands in it.
    Column("dated", Date, nullable=False),
    Column("language", String(35), nullable=False),
    Column("html", Text, nullable=False),
    # What social networks show beside a link to it.
    Column("card", LargeBinary, nullable=False),
    Column("card_kind", String(16), nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("published_by", Text, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    sqlite_autoincrement=True,
)
