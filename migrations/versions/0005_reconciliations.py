"""Compare our books with a provider's; pause an account that does not answer.

Revision ID: 0005
Revises: 0004

What is known of an account's health stands in its own row, so that every worker process sees it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NEW_TABLES = ("reconciliations", "reconciliation_lines", "reconciliation_differences")
THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
HEALTH = ("paused_since", "paused_until", "retries_until", "reconcile_at")


def upgrade() -> None:
    op.add_column(
        "connections",
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    for name in HEALTH:
        op.add_column("connections", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_connections_failures_min"), "connections", "failures >= 0")
    op.create_index(
        "ix_connections_reconcile_at_sweep",
        "connections",
        ["reconcile_at"],
        postgresql_where=sa.text("reconcile_at IS NOT NULL"),
    )
    op.execute("UPDATE connections SET reconcile_at = clock_timestamp() WHERE kind = 'payments'")
    _runs()
    _lines()
    _differences()
    _guard()


def _runs() -> None:
    counters = ("total", "done", "unmatched", "tries")
    op.create_table(
        "reconciliations",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("whole", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        *(
            sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
            for name in counters
        ),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requested_by", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "origin IN ('sweep', 'provider', 'statement')", name=op.f("ck_reconciliations_origin")
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed')",
            name=op.f("ck_reconciliations_state"),
        ),
        sa.CheckConstraint(
            "phase IN ('gather', 'compare', 'look_back', 'over')",
            name=op.f("ck_reconciliations_phase"),
        ),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_reconciliations_{name}_min"))
            for name in (*counters, "attempt")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_reconciliations_shop_id")
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_reconciliations")),
    )
    op.create_index(
        "ix_reconciliations_due_at_sweep",
        "reconciliations",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def _lines() -> None:
    op.create_table(
        "reconciliation_lines",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("reconciliation_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.UUID(), nullable=True),
        sa.Column("payment", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('refund', 'dispute')", name=op.f("ck_reconciliation_lines_kind")
        ),
        sa.CheckConstraint(
            "amount_minor >= 0", name=op.f("ck_reconciliation_lines_amount_minor_min")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "reconciliation_id"],
            ["reconciliations.shop_id", "reconciliations.id"],
            name=op.f("fk_reconciliation_lines_shop_id_reconciliation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "shop_id",
            "reconciliation_id",
            "kind",
            "external_id",
            name=op.f("pk_reconciliation_lines"),
        ),
    )


def _differences() -> None:
    parents = {
        "reconciliation_id": "reconciliations",
        "order_id": "orders",
        "payment_id": "payments",
        "transfer_id": "transfers",
        "refund_id": "refunds",
    }
    op.create_table(
        "reconciliation_differences",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("reconciliation_id", sa.UUID(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=True),
        sa.Column("payment_id", sa.UUID(), nullable=True),
        sa.Column("transfer_id", sa.UUID(), nullable=True),
        sa.Column("refund_id", sa.UUID(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("ours", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("theirs", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("proposal", sa.Text(), nullable=False),
        sa.Column("applied", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "subject IN ('refund', 'dispute')", name=op.f("ck_reconciliation_differences_subject")
        ),
        sa.CheckConstraint(
            "kind IN ('missing_here', 'missing_there', 'amount', 'currency', 'state', 'timing')",
            name=op.f("ck_reconciliation_differences_kind"),
        ),
        sa.CheckConstraint(
            "proposal IN ('record_fact', 'take_provider_state', 'wait', 'ask_provider', 'review')",
            name=op.f("ck_reconciliation_differences_proposal"),
        ),
        *(
            sa.ForeignKeyConstraint(
                ["shop_id", column],
                [f"{table}.shop_id", f"{table}.id"],
                name=op.f(f"fk_reconciliation_differences_shop_id_{column}"),
            )
            for column, table in parents.items()
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_reconciliation_differences")),
        sa.UniqueConstraint(
            "shop_id",
            "reconciliation_id",
            "subject",
            "kind",
            "about",
            name=op.f("uq_reconciliation_differences_shop_id_reconciliation_id_0ba6"),
        ),
    )


def _guard() -> None:
    for table in NEW_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO returns_app")
    for table, columns in (
        ("reconciliations", "shop_id, id, due_at, leased_until"),
        ("connections", "shop_id, id, reconcile_at"),
    ):
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO returns_sweep")
        op.execute(f"CREATE POLICY keys_only ON {table} FOR SELECT TO returns_sweep USING (true)")


def downgrade() -> None:
    op.execute("DROP POLICY keys_only ON connections")
    op.execute("REVOKE ALL ON connections FROM returns_sweep")
    for table in reversed(NEW_TABLES):
        op.drop_table(table)
    op.drop_index("ix_connections_reconcile_at_sweep", "connections")
    op.drop_constraint(op.f("ck_connections_failures_min"), "connections")
    for name in (*HEALTH, "failures"):
        op.drop_column("connections", name)
