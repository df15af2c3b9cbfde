"""Disputes, what both sides say in them, and the platform that rules.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
TABLES = ("disputes", "dispute_statements")
STATES = "'evidence', 'review', 'withdrawn', 'ruled', 'appealed', 'final'"
PARTIES = "'buyer', 'merchant'"
ROLES = "'buyer', 'publishable', 'agent', 'warehouse', 'finance', 'admin'"
OWNERS = "'buyer', 'agent', 'warehouse', 'finance', 'admin'"


def upgrade() -> None:
    _disputes()
    _statements()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO returns_app")
    _check("credentials", "role", f"{ROLES}, 'platform'")
    _check("deadlines", "owner", f"{OWNERS}, 'platform', 'system'")


def _disputes() -> None:
    op.create_table(
        "disputes",
        *(
            sa.Column(name, sa.UUID(), nullable=False)
            for name in ("shop_id", "id", "return_id", "order_id")
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("claimed_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("award_minor", sa.BigInteger(), nullable=True),
        sa.Column("ruling", sa.Text(), nullable=True),
        sa.Column("ruled_by", sa.UUID(), nullable=True),
        sa.Column("appealed_by", sa.Text(), nullable=True),
        sa.Column("refund_id", sa.UUID(), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_disputes_state")),
        sa.CheckConstraint(f"appealed_by IN ({PARTIES})", name=op.f("ck_disputes_appealed_by")),
        sa.CheckConstraint("claimed_minor >= 1", name=op.f("ck_disputes_claimed_minor_min")),
        sa.CheckConstraint(
            "award_minor BETWEEN 0 AND claimed_minor", name=op.f("ck_disputes_award")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id", "order_id"],
            ["returns.shop_id", "returns.id", "returns.order_id"],
            name=op.f("fk_disputes_shop_id_return_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "refund_id", "order_id"],
            ["refunds.shop_id", "refunds.id", "refunds.order_id"],
            name=op.f("fk_disputes_shop_id_refund_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_disputes")),
        sa.UniqueConstraint("shop_id", "return_id", name=op.f("uq_disputes_shop_id_return_id")),
        sa.UniqueConstraint("shop_id", "refund_id", name=op.f("uq_disputes_shop_id_refund_id")),
    )


def _statements() -> None:
    op.create_table(
        "dispute_statements",
        *(sa.Column(name, sa.UUID(), nullable=False) for name in ("shop_id", "id", "dispute_id")),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("author", sa.UUID(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"party IN ({PARTIES})", name=op.f("ck_dispute_statements_party")),
        sa.ForeignKeyConstraint(
            ["shop_id", "dispute_id"],
            ["disputes.shop_id", "disputes.id"],
            name=op.f("fk_dispute_statements_shop_id_dispute_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_dispute_statements")),
    )
    op.create_index(
        "ix_dispute_statements_dispute", "dispute_statements", ["shop_id", "dispute_id", "id"]
    )


def _check(table: str, column: str, values: str) -> None:
    name = op.f(f"ck_{table}_{column}")
    op.drop_constraint(name, table)
    op.create_check_constraint(name, table, f"{column} IN ({values})")


def downgrade() -> None:
    op.execute("DELETE FROM deadlines WHERE object = 'dispute' OR kind = 'dispute_window'")
    op.execute("DELETE FROM credentials WHERE role = 'platform'")
    _check("deadlines", "owner", f"{OWNERS}, 'system'")
    _check("credentials", "role", ROLES)
    for table in reversed(TABLES):
        op.drop_table(table)
