"""Tables of mail: what was planned, and the ledger of who was sent what, with its guarantees as constraints."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from pillarbox.model.states import MailingState, MessageState
from pillarbox.store.schema.base import Moment, id_column, metadata

bundles = Table(
    "bundles", metadata,
    Column("id", String(64), primary_key=True),
    Column("appeal", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

editions = Table(
    "editions", metadata, id_column(),
    Column("appeal", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("practice", Boolean, nullable=False),
    UniqueConstraint("appeal", "label", "practice"),
)

mailings = Table(
    "mailings", metadata, id_column(),
    Column("name", Text, nullable=False, unique=True),
    Column("appeal", Text, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("edition_id", ForeignKey("editions.id"), nullable=False, index=True),
    Column("practice", Boolean, nullable=False),
    Column("state", String(12), nullable=False, server_default=MailingState.COMPOSING),
    Column("transport", String(12), nullable=False),
    Column("bundle_id", ForeignKey("bundles.id"), nullable=False),
    Column("source_code", String(16), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("audience", JSON, nullable=False),
    Column("audience_size", Integer, nullable=False, server_default="0"),
    Column("excluded", JSON, nullable=False),
    Column("planned", Integer, nullable=False, server_default="0"),
    Column("shapes", Integer, nullable=False, server_default="0"),
    Column("slow_path", Integer, nullable=False, server_default="0"),
    Column("content_hash", String(64), nullable=False, server_default=""),
    Column("for_date", Date, nullable=False),
    Column("not_before", Moment),
    Column("not_after", Moment),
    Column("created_at", Moment, nullable=False),
    Column("planned_at", Moment),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("approved_by", Text),
    Column("approved_at", Moment),
    Column("state_reason", Text, nullable=False, server_default=""),
    # When it shall leave by itself, and how: the letter of `send --at`, of a schedule, of a launch.
    Column("send_at", Moment),
    Column("send_by", Text, nullable=False, server_default=""),
    Column("per_second", Float),
    Column("hours", String(11), nullable=False, server_default=""),
    Column("span_hours", Float),
    Column("wave", Integer, nullable=False, server_default="1"),
    Column("watch_until", Moment),
    Column("watched", Boolean, nullable=False, server_default=text("false")),
    Column("spread_seconds", Float),
    Column("provider_batch", Text, nullable=False, server_default=""),
    Column("corrects_id", ForeignKey("mailings.id")),
    # Label → what the variant was when it was planned, and how many got it; empty where all get the same letter.
    Column("variants", JSON, nullable=False, server_default="{}"),
    sqlite_autoincrement=True,
)

shapes = Table(
    "shapes", metadata, id_column(),
    Column("mailing_id", ForeignKey("mailings.id"), nullable=False),
    Column("content_hash", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("tokens", JSON, nullable=False),
    Column("private", Boolean, nullable=False),
    UniqueConstraint("mailing_id", "content_hash"),
    sqlite_autoincrement=True,
)

attempts = Table(
    "attempts", metadata, id_column(),
    Column("mailing_id", ForeignKey("mailings.id"), nullable=False, index=True),
    Column("worker", String(96), nullable=False),
    Column("size", Integer, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("provider_id", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)

UNREACHED = (MessageState.CANCELLED, MessageState.WITHDRAWN, MessageState.FAILED)
"""Where a message surely never left."""
_UNREACHED = f"state NOT IN ({', '.join(repr(state.value) for state in UNREACHED)})"

messages = Table(
    "messages", metadata, id_column(),
    Column("mailing_id", ForeignKey("mailings.id"), nullable=False),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    Column("supporter_id", ForeignKey("supporters.id"), nullable=False),
    Column("address", Text, nullable=False),
    Column("address_hash", String(32), nullable=False),
    Column("to_name", Text, nullable=False, server_default=""),
    Column("key", String(30), nullable=False, unique=True),
    Column("code", String(30), unique=True),
    Column("shape_id", ForeignKey("shapes.id"), nullable=False),
    Column("tracked", Boolean, nullable=False),
    # Which variant of the letter the supporter got, whatever its shape; empty where there is only one.
    Column("variant", String(1), nullable=False, server_default=""),
    # Where it stands in the order of leaving: its wave, not before a time, and the domain that may have a cap.
    Column("wave", Integer, nullable=False, server_default="1"),
    Column("due_at", Moment),
    Column("domain", Text, nullable=False, server_default=""),
    Column("state", String(12), nullable=False),
    Column("outcome", String(12), nullable=False, server_default="none"),
    Column("attempt_id", ForeignKey("attempts.id")),
    Column("provider_id", Text, nullable=False, server_default=""),
    Column("accepted_at", Moment),
    Column("detail", Text, nullable=False, server_default=""),
    # The address first: one index answers for one mailing and for a person's whole past.
    UniqueConstraint("address_hash", "mailing_id"),
    CheckConstraint(f"state IN ({', '.join(repr(s.value) for s in MessageState)})", name="state"),
    # One letter of one edition to one supporter; a message that surely never left may be replaced.
    Index("uq_messages_edition_supporter", "edition_id", "supporter_id", unique=True,
          sqlite_where=text(_UNREACHED), postgresql_where=text(_UNREACHED)),
    Index("ix_messages_claim", "mailing_id", "state", "wave", "shape_id", "tracked"),
    # Reports count a million messages by it without looking at one (docs/decisions/0013).
    Index("ix_messages_standing", "mailing_id", "state", "tracked", "outcome", "variant"),
    Index("ix_messages_supporter_id", "supporter_id"),
    sqlite_autoincrement=True,
)

# Beside its message, not in it: a claim and a settling rewrite narrow rows.
message_values = Table(
    "message_values", metadata,
    Column("message_id", ForeignKey("messages.id"), primary_key=True),
    Column("values", Text, nullable=False),
)
