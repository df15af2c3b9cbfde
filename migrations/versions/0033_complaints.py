"""Complaints, the deadlines of what hangs on an order alone, and what shops do after a sale.

Revision ID: 0033
Revises: 0030

Messages may be about a complaint from now on; those that are there stay about their returns. Shops
that tell their buyers of what happens tell them of complaints too, and of what earlier versions
brought without saying so here (exchanges, withdrawals), unless they switched it off.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0030"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
TABLES = ("complaints", "order_deadlines")
STATES = (
    "'open', 'in_progress', 'waiting', 'resolved', 'withdrawn', 'escalated', 'closed', 'rated',"
    " 'unrated'"
)
CATEGORIES = "'refund', 'decision', 'exchange', 'delivery', 'goods', 'service', 'other'"
OWNERS = "'buyer', 'agent', 'warehouse', 'finance', 'admin', 'platform', 'system'"
TOLD = (
    "exchange.offered",
    "exchange.out_of_stock",
    "exchange.payment_due",
    "exchange.shipped",
    "withdrawal.confirmed",
    "complaint.opened",
    "complaint.progress",
    "complaint.info_requested",
    "complaint.resolved",
    "complaint.closed",
)
CHECKS = {
    "state": f"state IN ({STATES})",
    "category": f"category IN ({CATEGORIES})",
    "score": "score BETWEEN 1 AND 5",
    "rated_once": "(score IS NOT NULL) = (state = 'rated')",
    "a_comment_has_a_score": "comment_id IS NULL OR score IS NOT NULL",
    "resolved_in_words": "(resolved_at IS NULL) = (resolution_id IS NULL)",
    "reopened_min": "reopened >= 0",
}
DEADLINE_CHECKS = {
    "state": "state IN ('open', 'paused', 'kept', 'passed', 'dropped')",
    "owner": f"owner IN ({OWNERS})",
    "open_ones_wake": "(wake_at IS NOT NULL) = (state = 'open')",
    "paused_since": "(paused_at IS NOT NULL) = (state = 'paused')",
    "ended_at": "(ended_at IS NULL) = (state IN ('open', 'paused'))",
}


def upgrade() -> None:
    _complaints()
    _deadlines()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO returns_app")
    op.execute("GRANT SELECT (shop_id, order_id, wake_at) ON order_deadlines TO returns_sweep")
    op.execute(
        "CREATE POLICY keys_only ON order_deadlines FOR SELECT TO returns_sweep USING (true)"
    )
    _messages()
    op.add_column(
        "shops",
        sa.Column(
            "after_sales",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )

    _topics()


def _topics() -> None:
    """What the outbox writes notifications for; it follows from what is switched off."""
    told = ", ".join(f"'{kind}'" for kind in TOLD)
    op.execute("ALTER TABLE notification_settings NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE notification_settings SET topics = ARRAY(SELECT DISTINCT topic FROM"
        f" unnest(topics || ARRAY[{told}]) AS topic"
        " WHERE NOT topic = ANY (switched_off) OR topic = ANY (topics) ORDER BY topic)"
    )
    op.execute("ALTER TABLE notification_settings FORCE ROW LEVEL SECURITY")


def _complaints() -> None:
    table = "complaints"
    op.create_table(
        table,
        *(
            sa.Column(name, sa.UUID(), nullable=name in {"return_id"})
            for name in ("shop_id", "id", "order_id", "return_id")
        ),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("category", "state")),
        *(
            sa.Column(name, sa.UUID(), nullable=name != "statement_id")
            for name in ("statement_id", "resolution_id", "comment_id")
        ),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("reopened", sa.Integer(), server_default=sa.text("0"), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            for name in ("escalated_at", "resolved_at")
        ),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))
            for name, rule in CHECKS.items()
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f(f"fk_{table}_shop_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id", "order_id"],
            ["returns.shop_id", "returns.id", "returns.order_id"],
            name=op.f(f"fk_{table}_shop_id_return_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(
            "shop_id", "id", "order_id", name=op.f(f"uq_{table}_shop_id_id_order_id")
        ),
    )
    op.create_index("ix_complaints_order", table, ["shop_id", "order_id", "id"])
    op.create_index("ix_complaints_state", table, ["shop_id", "state", "id"])
    op.create_index("ix_complaints_opened", table, ["shop_id", "created_at"])


def _deadlines() -> None:
    table = "order_deadlines"
    op.create_table(
        table,
        *(
            sa.Column(name, sa.UUID(), nullable=False)
            for name in ("shop_id", "order_id", "object_id")
        ),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("object", "kind", "owner", "on_silence", "state")
        ),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=name not in {"due_at", "begun_at"})
            for name in ("due_at", "wake_at", "paused_at", "begun_at", "ended_at")
        ),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))
            for name, rule in DEADLINE_CHECKS.items()
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f(f"fk_{table}_shop_id_order_id"),
        ),
        sa.PrimaryKeyConstraint(
            "shop_id", "order_id", "object_id", "kind", name=op.f(f"pk_{table}")
        ),
    )
    op.create_index(
        f"ix_{table}_wake_at_sweep",
        table,
        ["wake_at"],
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )


def _messages() -> None:
    table = "return_messages"
    op.add_column(table, sa.Column("complaint_id", sa.UUID(), nullable=True))
    op.alter_column(table, "return_id", nullable=True)
    op.create_check_constraint(
        op.f(f"ck_{table}_about_one_thing"), table, "num_nonnulls(return_id, complaint_id) = 1"
    )
    op.create_foreign_key(
        op.f(f"fk_{table}_shop_id_complaint_id_order_id"),
        table,
        "complaints",
        ["shop_id", "complaint_id", "order_id"],
        ["shop_id", "id", "order_id"],
    )
    op.create_index("ix_return_messages_complaint", table, ["shop_id", "complaint_id", "id"])


def downgrade() -> None:
    """What was said about complaints goes with them."""
    op.drop_column("shops", "after_sales")
    op.execute("ALTER TABLE return_messages DISABLE TRIGGER append_only")
    for table in ("return_messages", "message_texts"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "DELETE FROM message_texts t USING return_messages m WHERE m.shop_id = t.shop_id"
        " AND m.id = t.message_id AND m.complaint_id IS NOT NULL"
    )
    op.execute("DELETE FROM return_messages WHERE complaint_id IS NOT NULL")
    for table in ("return_messages", "message_texts"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE return_messages ENABLE TRIGGER append_only")
    op.drop_index("ix_return_messages_complaint", "return_messages")
    op.drop_constraint(op.f("fk_return_messages_shop_id_complaint_id_order_id"), "return_messages")
    op.drop_constraint(op.f("ck_return_messages_about_one_thing"), "return_messages")
    op.alter_column("return_messages", "return_id", nullable=False)
    op.drop_column("return_messages", "complaint_id")
    for table in reversed(TABLES):
        op.drop_table(table)
