"""Tables of the dashboard: who may log in, and who is logged in."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, String, Table, Text

from pillarbox.model.states import Role
from pillarbox.store.schema.base import Moment, id_column, metadata

staff_users = Table(
    "staff_users", metadata, id_column(),
    Column("name", Text, nullable=False),
    # The name as it is compared: two that look alike are one.
    Column("folded", Text, nullable=False, unique=True),
    Column("role", String(8), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("password_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
    Column("seen_at", Moment),
    CheckConstraint(f"role IN ({', '.join(repr(role.value) for role in Role)})", name="role"),
    sqlite_autoincrement=True,
)

staff_sessions = Table(
    "staff_sessions", metadata, id_column(),
    Column("user_id", ForeignKey("staff_users.id"), nullable=False, index=True),
    # The cookie's token itself is nowhere: who reads the database cannot log in with what it says.
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("began_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("device", Text, nullable=False, server_default=""),
    # What the next page says of what was just done, and how it went.
    Column("flash", Text, nullable=False, server_default=""),
    Column("flash_kind", String(8), nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
