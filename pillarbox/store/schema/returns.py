"""Tables of what comes back: events, donations, and what payment providers tell of them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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

from pillarbox.model.states import EventKind
from pillarbox.store.schema.base import Moment, id_column, metadata

OURSELVES = "pillarbox"
"""The provider of events that our own pages noted: who left, who followed the donate link."""
BAD_NEWS = (EventKind.BOUNCED, EventKind.BLOCKED, EventKind.COMPLAINED)
TELLING = text(f"(kind IN ({', '.join(repr(kind.value) for kind in BAD_NEWS)}) OR provider = {OURSELVES!r})")
"""The few events that are sought by their mailing: the bad ones, and those that our own pages noted."""

events = Table(
    "events", metadata, id_column(),
    Column("message_id", ForeignKey("messages.id"), index=True),
    Column("mailing_id", ForeignKey("mailings.id")),
    Column("kind", String(12), nullable=False),
    Column("at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("provider", String(12), nullable=False),
    # Two names of the event, either of which tells a repeat: the provider's own id of it, and what it tells. Both as
    # digests that begin with its time: what is heard together stands together in an index that grows large.
    Column("provider_key", String(32), nullable=False, unique=True),
    Column("fingerprint", String(32), nullable=False, unique=True),
    Column("provider_id", Text, nullable=False, server_default=""),
    Column("address_hash", String(32)),
    Column("agent", String(8), nullable=False),
    Column("url", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("domain", Text, nullable=False, server_default=""),
    Column("device", String(12), nullable=False, server_default=""),
    Column("raw", Text),
    Index("ix_events_telling", "mailing_id", "kind", sqlite_where=TELLING, postgresql_where=TELLING),
    # Events that wait for their message: few, looked for with every post.
    Index("ix_events_ownerless", "provider_id", sqlite_where=text("message_id IS NULL"),
          postgresql_where=text("message_id IS NULL")),
    sqlite_autoincrement=True,
)

# What was promised: a gift that comes again. What it brought stands in ``donations``.
pledges = Table(
    "pledges", metadata, id_column(),
    Column("source", String(24), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    # Every so many weeks, months …; ``yearly_minor`` is what that comes to in a year.
    Column("unit", String(5), nullable=False),
    Column("every", Integer, nullable=False),
    Column("yearly_minor", BigInteger, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    # When a payment last failed, if none has come since.
    Column("failed_at", Moment),
    Column("name", Text, nullable=False, server_default=""),
    Column("address", Text),
    Column("address_hash", String(32), index=True),
    Column("code", Text, nullable=False, server_default=""),
    Column("supporter_id", ForeignKey("supporters.id"), index=True),
    Column("mailing_id", ForeignKey("mailings.id"), index=True),
    Column("message_id", ForeignKey("messages.id")),
    Column("attribution", String(12), nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("source", "external_id"),
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
    Column("pledge_id", ForeignKey("pledges.id"), index=True),
    # The sum of its refunds that stand, never more than the amount: a report counts what stayed.
    Column("refunded_minor", BigInteger, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("source", "external_id"),
    sqlite_autoincrement=True,
)

# What was given back of a donation, or taken back; it may be told before the donation is.
refunds = Table(
    "refunds", metadata, id_column(),
    Column("source", String(24), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("donation_id", ForeignKey("donations.id"), index=True),
    Column("kind", String(8), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    # Whether it holds: a dispute may be won, a refund may fail.
    Column("stands", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("source", "external_id"),
    sqlite_autoincrement=True,
)

# Each event of a payment provider, once: what it says that matters here, not the event itself.
hook_events = Table(
    "hook_events", metadata, id_column(),
    Column("provider", String(12), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("about", String(8), nullable=False),
    Column("resource", Text, nullable=False),
    Column("pledge", Text, nullable=False, server_default=""),
    Column("at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("address", Text),
    Column("address_hash", String(32), index=True),
    # Set while the provider must still be asked for what the event only names.
    Column("ask_at", Moment),
    Column("asked", Integer, nullable=False, server_default="0"),
    UniqueConstraint("provider", "event_id"),
    Index("ix_hook_events_pledge", "provider", "pledge"),
    Index("ix_hook_events_ask_at", "ask_at", sqlite_where=text("ask_at IS NOT NULL"),
          postgresql_where=text("ask_at IS NOT NULL")),
    sqlite_autoincrement=True,
)

# The names that providers give to one payment: an event that names two of them says that they are the same.
hook_keys = Table(
    "hook_keys", metadata,
    Column("key", Text, primary_key=True),
    Column("hook_event_id", ForeignKey("hook_events.id"), primary_key=True),
    Index("ix_hook_keys_hook_event_id", "hook_event_id"),
)
