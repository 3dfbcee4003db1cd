"""Tables of what was counted as events came in, so that a report need not count millions of them again.

Both follow from the events alone: ``pillarbox store rebuild`` makes them anew, and says whether anything differed.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, PrimaryKeyConstraint, String, Table, Text

from pillarbox.store.schema.base import metadata

# What became of a message, in one narrow row; none for a message of which nothing of this was heard.
responses = Table(
    "responses", metadata,
    Column("message_id", ForeignKey("messages.id"), primary_key=True),
    # ``store.contributions.Mark``
    Column("flags", Integer, nullable=False),
    # Hours since 1970 (UTC) in which it first happened.
    Column("delivered_hour", Integer),
    Column("opened_hour", Integer),
    Column("machine_hour", Integer),
    Column("clicked_hour", Integer),
)

# How many messages (or clicks) of a mailing have one thing in common: ``store.contributions.Facet``.
tallies = Table(
    "tallies", metadata,
    Column("mailing_id", ForeignKey("mailings.id"), nullable=False),
    Column("facet", String(16), nullable=False),
    Column("key", Text, nullable=False),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("mailing_id", "facet", "key"),
)
