"""Tables of wishes: what supporters ask for on their own pages, and the one-time passes that open the personal ones."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, String, Table, Text, text

from pillarbox.store.schema.base import Moment, id_column, metadata

# One row a supporter who wishes for anything but the usual: mostly there is none. Lists and consents have their own.
wishes = Table(
    "wishes", metadata,
    Column("supporter_id", ForeignKey("supporters.id"), primary_key=True),
    Column("frequency", String(12), nullable=False),
    Column("paused_until", Moment),
    # They wrote their name themselves: no import writes over it.
    Column("own_name", Boolean, nullable=False, server_default=text("false")),
    Column("changed_at", Moment, nullable=False),
)

# Every change of a wish, list or consent by the supporter's own hand: when, on which page, and what it was before.
wish_changes = Table(
    "wish_changes", metadata, id_column(),
    Column("supporter_id", ForeignKey("supporters.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("source", Text, nullable=False),
    Column("changes", JSON, nullable=False),
)

# Shown or mailed to one person, good once and for a while: an undo, a link to their details, a new address to confirm.
passes = Table(
    "passes", metadata,
    # SHA-256 of what was handed out: who reads the database cannot use it.
    Column("token_hash", String(64), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("supporter_id", ForeignKey("supporters.id"), nullable=False),
    # Where it was mailed; empty when it was shown on a page.
    Column("address_hash", String(32), nullable=False, server_default=""),
    Column("values", JSON, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Index("ix_passes_supporter_id", "supporter_id", "kind"),
)

# Where a supporter was to be reached before they said where now: an import of an old list must not begin there anew.
former_addresses = Table(
    "former_addresses", metadata,
    Column("address_hash", String(32), primary_key=True),
    Column("supporter_id", ForeignKey("supporters.id"), nullable=False, index=True),
    Column("left_at", Moment, nullable=False),
)
