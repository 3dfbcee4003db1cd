"""The tables. One vocabulary; UTC times; the ledger's guarantees as constraints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import JSON, TypeDecorator

from pillarbox.model.states import MailingState, MessageState

metadata = MetaData(naming_convention={
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
})


class Moment(TypeDecorator[datetime]):
    """An aware time: refused when naive, kept in UTC, given back aware on every engine."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time must be aware")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy names it
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_Id = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[Any]:
    return Column("id", _Id, primary_key=True, autoincrement=True)


project = Table(
    "project", metadata,
    Column("id", String(8), primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("machine", String(64), nullable=False),
    Column("key_fingerprint", String(16), nullable=False),
    Column("sealed", Boolean, nullable=False, server_default=text("false")),
)

imports = Table(
    "imports", metadata, _id(),
    Column("kind", String(20), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("options", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    sqlite_autoincrement=True,
)

supporters = Table(
    "supporters", metadata, _id(),
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
    "lists", metadata, _id(),
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
    "consent_changes", metadata, _id(),
    Column("supporter_id", ForeignKey("supporters.id"), nullable=False, index=True),
    Column("channel", String(12), nullable=False),
    Column("before", String(16), nullable=False),
    Column("after", String(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

suppressions = Table(
    "suppressions", metadata, _id(),
    Column("address_hash", String(32), nullable=False),
    Column("address", Text),
    Column("reason", String(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("since", Moment, nullable=False),
    UniqueConstraint("address_hash", "reason"),
)

bundles = Table(
    "bundles", metadata,
    Column("id", String(64), primary_key=True),
    Column("appeal", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

editions = Table(
    "editions", metadata, _id(),
    Column("appeal", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("practice", Boolean, nullable=False),
    UniqueConstraint("appeal", "label", "practice"),
)

mailings = Table(
    "mailings", metadata, _id(),
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
    sqlite_autoincrement=True,
)

shapes = Table(
    "shapes", metadata, _id(),
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
    "attempts", metadata, _id(),
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
    "messages", metadata, _id(),
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
    Index("ix_messages_supporter_id", "supporter_id"),
    sqlite_autoincrement=True,
)

# Beside its message, not in it: a claim and a settling rewrite narrow rows.
message_values = Table(
    "message_values", metadata,
    Column("message_id", ForeignKey("messages.id"), primary_key=True),
    Column("values", Text, nullable=False),
)

events = Table(
    "events", metadata, _id(),
    Column("message_id", ForeignKey("messages.id"), index=True),
    Column("mailing_id", ForeignKey("mailings.id")),
    Column("kind", String(12), nullable=False),
    Column("at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("provider", String(12), nullable=False),
    Column("provider_event_id", Text, nullable=False),
    Column("fingerprint", String(32), nullable=False, unique=True),
    Column("provider_id", Text, nullable=False, server_default=""),
    Column("address_hash", String(32), index=True),
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
    "donations", metadata, _id(),
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

audit = Table(
    "audit", metadata, _id(),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    sqlite_autoincrement=True,
)

marks = Table(
    "marks", metadata,
    Column("name", String(40), primary_key=True),
    Column("at", Moment, nullable=False),
)

workers = Table(
    "workers", metadata,
    Column("id", String(96), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("host", Text, nullable=False, server_default=""),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)

# One row a limit: the time (epoch seconds, the database's clock) at which all that was taken is paid for (GCRA).
throttles = Table(
    "throttles", metadata,
    Column("name", Text, primary_key=True),
    Column("paid_until", Float, nullable=False),
)

# What a day's cap has spent.
quotas = Table(
    "quotas", metadata,
    Column("name", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("used", Integer, nullable=False),
)

schedules = Table(
    "schedules", metadata, _id(),
    Column("appeal", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("at", String(5), nullable=False),
    Column("zone", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("audience", JSON, nullable=False),
    Column("late_hours", Float, nullable=False),
    Column("own_zone", Boolean, nullable=False, server_default=text("false")),
    Column("practice", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("removed_at", Moment),
    sqlite_autoincrement=True,
)

occurrences = Table(
    "occurrences", metadata, _id(),
    Column("schedule_id", ForeignKey("schedules.id"), nullable=False),
    Column("local", String(16), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("appeal", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("mailing_id", ForeignKey("mailings.id")),
    Column("reason", Text, nullable=False, server_default=""),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("schedule_id", "local"),
    sqlite_autoincrement=True,
)

# What staff are told: shown by `status` and `doctor`, mailed to [staff] email.
notices = Table(
    "notices", metadata, _id(),
    Column("at", Moment, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("mailing_id", ForeignKey("mailings.id")),
    Column("words", Text, nullable=False),
    Column("told_at", Moment),
    sqlite_autoincrement=True,
)
