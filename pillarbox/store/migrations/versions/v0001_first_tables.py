"""The first tables."""

# ruff: noqa: E501 - a constraint stands on one line, as the database keeps it

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make every table."""
    op.create_table("api_tokens",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.CheckConstraint("scope IN ('all', 'letters')", name=op.f('ck_api_tokens_scope')),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
        sqlite_autoincrement=True
    )
    op.create_index("uq_api_tokens_name", "api_tokens", ["name"], unique=True, sqlite_where=sa.text("revoked_at IS NULL"), postgresql_where=sa.text("revoked_at IS NULL"))
    op.create_table("audit",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True
    )
    op.create_table("bundles",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundles"))
    )
    op.create_table("editions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("practice", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editions")),
        sa.UniqueConstraint("appeal", "label", "practice", name=op.f("uq_editions_appeal_label_practice"))
    )
    op.create_table("hook_events",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("provider", sa.String(length=12), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("about", sa.String(length=8), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("pledge", sa.Text(), server_default="", nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("address_hash", sa.String(length=32), nullable=True),
        sa.Column("ask_at", MOMENT, nullable=True),
        sa.Column("asked", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hook_events")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_hook_events_provider_event_id")),
        sqlite_autoincrement=True
    )
    op.create_index(op.f("ix_hook_events_address_hash"), "hook_events", ["address_hash"], unique=False)
    op.create_index("ix_hook_events_ask_at", "hook_events", ["ask_at"], unique=False, sqlite_where=sa.text("ask_at IS NOT NULL"), postgresql_where=sa.text("ask_at IS NOT NULL"))
    op.create_index("ix_hook_events_pledge", "hook_events", ["provider", "pledge"], unique=False)
    op.create_table("images",
        sa.Column("name", sa.String(length=36), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_images"))
    )
    op.create_table("imports",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sqlite_autoincrement=True
    )
    op.create_table("lists",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lists")),
        sa.UniqueConstraint("name", name=op.f("uq_lists_name"))
    )
    op.create_table("marks",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks"))
    )
    op.create_table("project",
        sa.Column("id", sa.String(length=8), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("machine", sa.String(length=64), nullable=False),
        sa.Column("key_fingerprint", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project"))
    )
    op.create_table("quotas",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "day", name=op.f("pk_quotas"))
    )
    op.create_table("schedules",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=5), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("late_hours", sa.Float(), nullable=False),
        sa.Column("own_zone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("practice", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sqlite_autoincrement=True
    )
    op.create_table("service_approvals",
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("content_hash", sa.String(length=32), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "content_hash", name=op.f("pk_service_approvals"))
    )
    op.create_table("staff_users",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("password_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.Column("seen_at", MOMENT, nullable=True),
        sa.CheckConstraint("role IN ('view', 'prepare', 'send')", name=op.f('ck_staff_users_role')),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_users")),
        sa.UniqueConstraint("folded", name=op.f("uq_staff_users_folded")),
        sqlite_autoincrement=True
    )
    op.create_table("supporters",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("address_hash", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("first_name", sa.Text(), server_default="", nullable=False),
        sa.Column("last_name", sa.Text(), server_default="", nullable=False),
        sa.Column("salutation", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.String(length=16), server_default="", nullable=False),
        sa.Column("country", sa.String(length=2), server_default="", nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("forgotten_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supporters")),
        sa.UniqueConstraint("address", name=op.f("uq_supporters_address")),
        sa.UniqueConstraint("address_hash", name=op.f("uq_supporters_address_hash")),
        sqlite_autoincrement=True
    )
    op.create_table("suppressions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("address_hash", sa.String(length=32), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint("address_hash", "reason", name=op.f("uq_suppressions_address_hash_reason"))
    )
    op.create_table("throttles",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paid_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_throttles"))
    )
    op.create_table("workers",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers"))
    )
    op.create_table("consent_changes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("supporter_id", ID, nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("before", sa.String(length=16), nullable=False),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_consent_changes_supporter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_changes"))
    )
    op.create_index(op.f("ix_consent_changes_supporter_id"), "consent_changes", ["supporter_id"], unique=False)
    op.create_table("consents",
        sa.Column("supporter_id", ID, nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("wording", sa.Text(), server_default="", nullable=False),
        sa.Column("obtained_on", sa.Date(), nullable=True),
        sa.Column("opt_out_offered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("import_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_consents_import_id")),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_consents_supporter_id")),
        sa.PrimaryKeyConstraint("supporter_id", "channel", name=op.f("pk_consents"))
    )
    op.create_table("former_addresses",
        sa.Column("address_hash", sa.String(length=32), nullable=False),
        sa.Column("supporter_id", ID, nullable=False),
        sa.Column("left_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_former_addresses_supporter_id")),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_former_addresses"))
    )
    op.create_index(op.f("ix_former_addresses_supporter_id"), "former_addresses", ["supporter_id"], unique=False)
    op.create_table("hook_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("hook_event_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["hook_event_id"], ["hook_events.id"], name=op.f("fk_hook_keys_hook_event_id")),
        sa.PrimaryKeyConstraint("key", "hook_event_id", name=op.f("pk_hook_keys"))
    )
    op.create_index("ix_hook_keys_hook_event_id", "hook_keys", ["hook_event_id"], unique=False)
    op.create_table("list_members",
        sa.Column("list_id", ID, nullable=False),
        sa.Column("supporter_id", ID, nullable=False),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.Column("left_at", MOMENT, nullable=True),
        sa.Column("import_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_list_members_import_id")),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name=op.f("fk_list_members_list_id")),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_list_members_supporter_id")),
        sa.PrimaryKeyConstraint("list_id", "supporter_id", name=op.f("pk_list_members"))
    )
    op.create_index("ix_list_members_supporter_id", "list_members", ["supporter_id"], unique=False)
    op.create_table("mailings",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("edition_id", ID, nullable=False),
        sa.Column("practice", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="composing", nullable=False),
        sa.Column("transport", sa.String(length=12), nullable=False),
        sa.Column("bundle_id", sa.String(length=64), nullable=False),
        sa.Column("source_code", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("audience_size", sa.Integer(), server_default="0", nullable=False),
        sa.Column("excluded", sa.JSON(), nullable=False),
        sa.Column("planned", sa.Integer(), server_default="0", nullable=False),
        sa.Column("shapes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("slow_path", sa.Integer(), server_default="0", nullable=False),
        sa.Column("content_hash", sa.String(length=64), server_default="", nullable=False),
        sa.Column("for_date", sa.Date(), nullable=False),
        sa.Column("not_before", MOMENT, nullable=True),
        sa.Column("not_after", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("planned_at", MOMENT, nullable=True),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", MOMENT, nullable=True),
        sa.Column("state_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("send_at", MOMENT, nullable=True),
        sa.Column("send_by", sa.Text(), server_default="", nullable=False),
        sa.Column("per_second", sa.Float(), nullable=True),
        sa.Column("hours", sa.String(length=11), server_default="", nullable=False),
        sa.Column("span_hours", sa.Float(), nullable=True),
        sa.Column("wave", sa.Integer(), server_default="1", nullable=False),
        sa.Column("watch_until", MOMENT, nullable=True),
        sa.Column("watched", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("spread_seconds", sa.Float(), nullable=True),
        sa.Column("provider_batch", sa.Text(), server_default="", nullable=False),
        sa.Column("corrects_id", ID, nullable=True),
        sa.Column("variants", sa.JSON(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["bundle_id"], ["bundles.id"], name=op.f("fk_mailings_bundle_id")),
        sa.ForeignKeyConstraint(["corrects_id"], ["mailings.id"], name=op.f("fk_mailings_corrects_id")),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name=op.f("fk_mailings_edition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailings")),
        sa.UniqueConstraint("name", name=op.f("uq_mailings_name")),
        sa.UniqueConstraint("source_code", name=op.f("uq_mailings_source_code")),
        sqlite_autoincrement=True
    )
    op.create_index(op.f("ix_mailings_edition_id"), "mailings", ["edition_id"], unique=False)
    op.create_table("passes",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("supporter_id", ID, nullable=False),
        sa.Column("address_hash", sa.String(length=32), server_default="", nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_passes_supporter_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_passes"))
    )
    op.create_index(op.f("ix_passes_expires_at"), "passes", ["expires_at"], unique=False)
    op.create_index("ix_passes_supporter_id", "passes", ["supporter_id", "kind"], unique=False)
    op.create_table("service_letters",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("deed", sa.String(length=64), nullable=False),
        sa.Column("supporter_id", ID, nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("address_hash", sa.String(length=32), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="waiting", nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("not_after", MOMENT, nullable=True),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("transport", sa.String(length=12), server_default="", nullable=False),
        sa.Column("worker", sa.String(length=96), server_default="", nullable=False),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("accepted_at", MOMENT, nullable=True),
        sa.Column("provider_id", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'submitting', 'accepted', 'failed', 'in_doubt')", name=op.f('ck_service_letters_state')),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_service_letters_supporter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_letters")),
        sa.UniqueConstraint("kind", "deed", name=op.f("uq_service_letters_kind_deed")),
        sqlite_autoincrement=True
    )
    op.create_index('ix_service_letters_waiting', 'service_letters', ['asked_at'], unique=False, sqlite_where=sa.text("state IN ('waiting', 'submitting')"), postgresql_where=sa.text("state IN ('waiting', 'submitting')"))
    op.create_table("sign_ups",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("deed", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("address_hash", sa.String(length=32), nullable=False),
        sa.Column("first_name", sa.Text(), server_default="", nullable=False),
        sa.Column("last_name", sa.Text(), server_default="", nullable=False),
        sa.Column("lists", sa.JSON(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("tracking_wording", sa.Text(), server_default="", nullable=False),
        sa.Column("tracking", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("page", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("kept_out", sa.String(length=16), server_default="", nullable=False),
        sa.Column("supporter_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_sign_ups_supporter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ups")),
        sa.UniqueConstraint("deed", name=op.f("uq_sign_ups_deed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_ups_token_hash")),
        sqlite_autoincrement=True
    )
    op.create_index(op.f("ix_sign_ups_address_hash"), "sign_ups", ["address_hash"], unique=False)
    op.create_index("ix_sign_ups_open", "sign_ups", ["expires_at"], unique=False, sqlite_where=sa.text("confirmed_at IS NULL"), postgresql_where=sa.text("confirmed_at IS NULL"))
    op.create_index(op.f("ix_sign_ups_supporter_id"), "sign_ups", ["supporter_id"], unique=False)
    op.create_table("staff_sessions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("device", sa.Text(), server_default="", nullable=False),
        sa.Column("flash", sa.Text(), server_default="", nullable=False),
        sa.Column("flash_kind", sa.String(length=8), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["staff_users.id"], name=op.f("fk_staff_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_sessions_token_hash")),
        sqlite_autoincrement=True
    )
    op.create_index(op.f("ix_staff_sessions_user_id"), "staff_sessions", ["user_id"], unique=False)
    op.create_table("wish_changes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("supporter_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_wish_changes_supporter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish_changes"))
    )
    op.create_index(op.f("ix_wish_changes_supporter_id"), "wish_changes", ["supporter_id"], unique=False)
    op.create_table("wishes",
        sa.Column("supporter_id", ID, nullable=False),
        sa.Column("frequency", sa.String(length=12), nullable=False),
        sa.Column("paused_until", MOMENT, nullable=True),
        sa.Column("own_name", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_wishes_supporter_id")),
        sa.PrimaryKeyConstraint("supporter_id", name=op.f("pk_wishes"))
    )
    op.create_table("approvals",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("mailing_id", ID, nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved_at", MOMENT, nullable=False),
        sa.Column("via", sa.String(length=12), nullable=False),
        sa.Column("bundle_id", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("kept_from_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["bundle_id"], ["bundles.id"], name=op.f("fk_approvals_bundle_id")),
        sa.ForeignKeyConstraint(["kept_from_id"], ["approvals.id"], name=op.f("fk_approvals_kept_from_id")),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_approvals_mailing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("mailing_id", "person", name=op.f("uq_approvals_mailing_id_person")),
        sqlite_autoincrement=True
    )
    op.create_table("attempts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("mailing_id", ID, nullable=False),
        sa.Column("worker", sa.String(length=96), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("lease_until", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("provider_id", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_attempts_mailing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sqlite_autoincrement=True
    )
    op.create_index(op.f("ix_attempts_mailing_id"), "attempts", ["mailing_id"], unique=False)
    op.create_table("notices",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("mailing_id", ID, nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_notices_mailing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sqlite_autoincrement=True
    )
    op.create_table("occurrences",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("local", sa.String(length=16), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("mailing_id", ID, nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_occurrences_mailing_id")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], name=op.f("fk_occurrences_schedule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occurrences")),
        sa.UniqueConstraint("schedule_id", "local", name=op.f("uq_occurrences_schedule_id_local")),
        sqlite_autoincrement=True
    )
    op.create_table("plannings",
        sa.Column("mailing_id", ID, nullable=False),
        sa.Column("planned_by", sa.Text(), nullable=False),
        sa.Column("roads", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_plannings_mailing_id")),
        sa.PrimaryKeyConstraint("mailing_id", name=op.f("pk_plannings"))
    )
    op.create_table("public_letters",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("mailing_id", ID, nullable=False),
        sa.Column("slug", sa.String(length=120), nullable=False),
        sa.Column("practice", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.Column("card_kind", sa.String(length=16), nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_public_letters_mailing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_letters")),
        sa.UniqueConstraint("mailing_id", name=op.f("uq_public_letters_mailing_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_public_letters_slug")),
        sqlite_autoincrement=True
    )
    op.create_table("shapes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("mailing_id", ID, nullable=False),
        sa.Column("content_hash", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("tokens", sa.JSON(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_shapes_mailing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shapes")),
        sa.UniqueConstraint("mailing_id", "content_hash", name=op.f("uq_shapes_mailing_id_content_hash")),
        sqlite_autoincrement=True
    )
    op.create_table("tallies",
        sa.Column("mailing_id", ID, nullable=False),
        sa.Column("facet", sa.String(length=16), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_tallies_mailing_id")),
        sa.PrimaryKeyConstraint("mailing_id", "facet", "key", name=op.f("pk_tallies"))
    )
    op.create_table("messages",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("mailing_id", ID, nullable=False),
        sa.Column("edition_id", ID, nullable=False),
        sa.Column("supporter_id", ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.String(length=32), nullable=False),
        sa.Column("to_name", sa.Text(), server_default="", nullable=False),
        sa.Column("key", sa.String(length=30), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=True),
        sa.Column("shape_id", ID, nullable=False),
        sa.Column("tracked", sa.Boolean(), nullable=False),
        sa.Column("variant", sa.String(length=1), server_default="", nullable=False),
        sa.Column("wave", sa.Integer(), server_default="1", nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("domain", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("outcome", sa.String(length=12), server_default="none", nullable=False),
        sa.Column("attempt_id", ID, nullable=True),
        sa.Column("provider_id", sa.Text(), server_default="", nullable=False),
        sa.Column("accepted_at", MOMENT, nullable=True),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('planned', 'submitting', 'accepted', 'failed', 'in_doubt', 'cancelled', 'withdrawn')", name=op.f('ck_messages_state')),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name=op.f("fk_messages_attempt_id")),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name=op.f("fk_messages_edition_id")),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_messages_mailing_id")),
        sa.ForeignKeyConstraint(["shape_id"], ["shapes.id"], name=op.f("fk_messages_shape_id")),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_messages_supporter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("address_hash", "mailing_id", name=op.f("uq_messages_address_hash_mailing_id")),
        sa.UniqueConstraint("code", name=op.f("uq_messages_code")),
        sa.UniqueConstraint("key", name=op.f("uq_messages_key")),
        sqlite_autoincrement=True
    )
    op.create_index("ix_messages_claim", "messages", ["mailing_id", "state", "wave", "shape_id", "tracked"], unique=False)
    op.create_index("ix_messages_standing", "messages", ["mailing_id", "state", "tracked", "outcome", "variant"], unique=False)
    op.create_index("ix_messages_supporter_id", "messages", ["supporter_id"], unique=False)
    op.create_index('uq_messages_edition_supporter', 'messages', ['edition_id', 'supporter_id'], unique=True, sqlite_where=sa.text("state NOT IN ('cancelled', 'withdrawn', 'failed')"), postgresql_where=sa.text("state NOT IN ('cancelled', 'withdrawn', 'failed')"))
    op.create_table("events",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("mailing_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("provider", sa.String(length=12), nullable=False),
        sa.Column("provider_key", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("provider_id", sa.Text(), server_default="", nullable=False),
        sa.Column("address_hash", sa.String(length=32), nullable=True),
        sa.Column("agent", sa.String(length=8), nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("domain", sa.Text(), server_default="", nullable=False),
        sa.Column("device", sa.String(length=12), server_default="", nullable=False),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_events_mailing_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_events_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_events_fingerprint")),
        sa.UniqueConstraint("provider_key", name=op.f("uq_events_provider_key")),
        sqlite_autoincrement=True
    )
    op.create_index(op.f("ix_events_message_id"), "events", ["message_id"], unique=False)
    op.create_index("ix_events_ownerless", "events", ["provider_id"], unique=False, sqlite_where=sa.text("message_id IS NULL"), postgresql_where=sa.text("message_id IS NULL"))
    op.create_index('ix_events_telling', 'events', ['mailing_id', 'kind'], unique=False, sqlite_where=sa.text("(kind IN ('bounced', 'blocked', 'complained') OR provider = 'pillarbox')"), postgresql_where=sa.text("(kind IN ('bounced', 'blocked', 'complained') OR provider = 'pillarbox')"))
    op.create_table("message_values",
        sa.Column("message_id", ID, nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_message_values_message_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_values"))
    )
    op.create_table("pledges",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=24), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit", sa.String(length=5), nullable=False),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("yearly_minor", sa.BigInteger(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("failed_at", MOMENT, nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("address_hash", sa.String(length=32), nullable=True),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("supporter_id", ID, nullable=True),
        sa.Column("mailing_id", ID, nullable=True),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("attribution", sa.String(length=12), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_pledges_mailing_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_pledges_message_id")),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_pledges_supporter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pledges")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_pledges_source_external_id")),
        sqlite_autoincrement=True
    )
    op.create_index(op.f("ix_pledges_address_hash"), "pledges", ["address_hash"], unique=False)
    op.create_index(op.f("ix_pledges_mailing_id"), "pledges", ["mailing_id"], unique=False)
    op.create_index(op.f("ix_pledges_supporter_id"), "pledges", ["supporter_id"], unique=False)
    op.create_table("responses",
        sa.Column("message_id", ID, nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("delivered_hour", sa.Integer(), nullable=True),
        sa.Column("opened_hour", sa.Integer(), nullable=True),
        sa.Column("machine_hour", sa.Integer(), nullable=True),
        sa.Column("clicked_hour", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_responses_message_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_responses"))
    )
    op.create_table("donations",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("source", sa.String(length=24), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=24), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("address_hash", sa.String(length=32), nullable=True),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("gift_aid", sa.Boolean(), nullable=False),
        sa.Column("regular", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("supporter_id", ID, nullable=True),
        sa.Column("mailing_id", ID, nullable=True),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("attribution", sa.String(length=12), nullable=False),
        sa.Column("import_id", ID, nullable=True),
        sa.Column("pledge_id", ID, nullable=True),
        sa.Column("refunded_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_donations_import_id")),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_donations_mailing_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_donations_message_id")),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledges.id"], name=op.f("fk_donations_pledge_id")),
        sa.ForeignKeyConstraint(["supporter_id"], ["supporters.id"], name=op.f("fk_donations_supporter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donations")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_donations_source_external_id")),
        sqlite_autoincrement=True
    )
    op.create_index(op.f("ix_donations_mailing_id"), "donations", ["mailing_id"], unique=False)
    op.create_index(op.f("ix_donations_pledge_id"), "donations", ["pledge_id"], unique=False)
    op.create_index(op.f("ix_donations_supporter_id"), "donations", ["supporter_id"], unique=False)
    op.create_table("refunds",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=24), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("donation_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["donation_id"], ["donations.id"], name=op.f("fk_refunds_donation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_refunds_source_external_id")),
        sqlite_autoincrement=True
    )
    op.create_index(op.f("ix_refunds_donation_id"), "refunds", ["donation_id"], unique=False)
