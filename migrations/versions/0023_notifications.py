"""Telling buyers: settings, one row per message, opt-outs.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
TABLES = ("notification_settings", "notifications", "notification_opt_outs")
CHANNELS = "channel IN ('email', 'sms', 'push')"
OPEN = "state IN ('queued', 'sending')"
KINDS = "'shop', 'payments', 'carrier'"


def upgrade() -> None:
    _settings()
    _notifications()
    _opt_outs()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO returns_app")
    op.execute(
        "GRANT SELECT (shop_id, event_id, due_at, leased_until) ON notifications TO returns_sweep"
    )
    op.execute("CREATE POLICY keys_only ON notifications FOR SELECT TO returns_sweep USING (true)")
    _connections(f"{KINDS}, 'messaging'")


def _settings() -> None:
    op.create_table(
        "notification_settings",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sender", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        *(
            sa.Column(name, sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
            for name in ("switched_off", "topics")
        ),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(CHANNELS, name=op.f("ck_notification_settings_channel")),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_notification_settings_shop_id")
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_notification_settings")),
        sa.UniqueConstraint(
            "shop_id", "channel", name=op.f("uq_notification_settings_shop_id_channel")
        ),
    )


def _notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("return_id", sa.UUID(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'failed', 'suppressed', 'sent')",
            name=op.f("ck_notifications_state"),
        ),
        sa.CheckConstraint(CHANNELS, name=op.f("ck_notifications_channel")),
        sa.CheckConstraint(
            f"(due_at IS NOT NULL) = ({OPEN})", name=op.f("ck_notifications_due_until_told")
        ),
        sa.CheckConstraint(
            f"(ended_at IS NULL) = ({OPEN})", name=op.f("ck_notifications_ended_at")
        ),
        sa.CheckConstraint("attempt >= 0", name=op.f("ck_notifications_attempt_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "event_id"],
            ["events.shop_id", "events.id"],
            name=op.f("fk_notifications_shop_id_event_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_notifications_shop_id_order_id"),
        ),
        sa.PrimaryKeyConstraint(
            "shop_id", "event_id", "kind", "channel", name=op.f("pk_notifications")
        ),
    )
    op.create_index("ix_notifications_order", "notifications", ["shop_id", "order_id", "event_id"])
    op.create_index(
        "ix_notifications_due_at_sweep",
        "notifications",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def _opt_outs() -> None:
    op.create_table(
        "notification_opt_outs",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("address_key", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(CHANNELS, name=op.f("ck_notification_opt_outs_channel")),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_notification_opt_outs_shop_id")
        ),
        sa.PrimaryKeyConstraint(
            "shop_id", "address_key", "channel", name=op.f("pk_notification_opt_outs")
        ),
    )


def _connections(kinds: str) -> None:
    op.drop_constraint(op.f("ck_connections_kind"), "connections")
    op.create_check_constraint(op.f("ck_connections_kind"), "connections", f"kind IN ({kinds})")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DELETE FROM connections WHERE kind = 'messaging'")
    _connections(KINDS)
