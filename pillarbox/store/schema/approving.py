"""Tables of approval: who planned a mailing, who stands for it, and for exactly what."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from pillarbox.store.schema.base import Moment, id_column, metadata

# Beside its mailing, not in it: what a later plan is compared with, and who may not be the second pair of eyes.
plannings = Table(
    "plannings", metadata,
    Column("mailing_id", ForeignKey("mailings.id"), primary_key=True),
    Column("planned_by", Text, nullable=False),
    # What the letters' links were made from, beside the bundle.
    Column("roads", JSON, nullable=False),
)

approvals = Table(
    "approvals", metadata, id_column(),
    Column("mailing_id", ForeignKey("mailings.id"), nullable=False),
    Column("approved_by", Text, nullable=False),
    # Whoever it is, however they wrote their name: nobody counts twice.
    Column("person", Text, nullable=False),
    Column("approved_at", Moment, nullable=False),
    Column("via", String(12), nullable=False),
    Column("bundle_id", ForeignKey("bundles.id"), nullable=False),
    Column("count", Integer, nullable=False),
    Column("terms", JSON, nullable=False),
    # Taken back by whoever gave it; kept, so that a later plan does not go back to an older one of theirs.
    Column("withdrawn_at", Moment),
    # Given for an earlier plan of the same, and still true of this one.
    Column("kept_from_id", ForeignKey("approvals.id")),
    UniqueConstraint("mailing_id", "person"),
    sqlite_autoincrement=True,
)
