"""Tables of the house itself: the project, its audit, workers, limits, schedules, notices."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from pillarbox.store.schema.base import Moment, id_column, metadata

project = Table(
    "project", metadata,
    Column("id", String(8), primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("machine", String(64), nullable=False),
    Column("key_fingerprint", String(16), nullable=False),
    Column("sealed", Boolean, nullable=False, server_default=text("false")),
)

audit = Table(
    "audit", metadata, id_column(),
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
    "schedules", metadata, id_column(),
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
    "occurrences", metadata, id_column(),
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
    "notices", metadata, id_column(),
    Column("at", Moment, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("mailing_id", ForeignKey("mailings.id")),
    Column("words", Text, nullable=False),
    Column("told_at", Moment),
    sqlite_autoincrement=True,
)
