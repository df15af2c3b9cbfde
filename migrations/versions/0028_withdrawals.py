"""Withdrawals from contracts and their acknowledgements.

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
RIGHTS = {
    "withdrawals": "SELECT, INSERT, UPDATE, DELETE",
    "withdrawal_acknowledgements": "SELECT, INSERT",
}


def upgrade() -> None:
    _withdrawals()
    _acknowledgements()
    for table, rights in RIGHTS.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
        op.execute(f"GRANT {rights} ON {table} TO returns_app")
    op.execute("GRANT SELECT (shop_id, id, due_at) ON withdrawals TO returns_sweep")
    op.execute("CREATE POLICY keys_only ON withdrawals FOR SELECT TO returns_sweep USING (true)")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON withdrawal_acknowledgements"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _withdrawals() -> None:
    op.create_table(
        "withdrawals",
        *(sa.Column(name, sa.UUID(), nullable=False) for name in ("shop_id", "id", "order_id")),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.UUID(), nullable=True),
        sa.Column("return_id", sa.UUID(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('submitted', 'confirmed', 'opened', 'unopened')",
            name=op.f("ck_withdrawals_state"),
        ),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (state = 'submitted')",
            name=op.f("ck_withdrawals_confirmed_at"),
        ),
        sa.CheckConstraint(
            "(due_at IS NOT NULL) = (state = 'confirmed')",
            name=op.f("ck_withdrawals_due_until_followed"),
        ),
        sa.CheckConstraint(
            "(return_id IS NOT NULL) = (state = 'opened')",
            name=op.f("ck_withdrawals_opened_with_a_return"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_withdrawals_shop_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id", "order_id"],
            ["returns.shop_id", "returns.id", "returns.order_id"],
            name=op.f("fk_withdrawals_shop_id_return_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_withdrawals")),
        sa.UniqueConstraint("shop_id", "return_id", name=op.f("uq_withdrawals_shop_id_return_id")),
    )
    op.create_index("ix_withdrawals_order", "withdrawals", ["shop_id", "order_id", "id"])
    op.create_index(
        "ix_withdrawals_due_at_sweep",
        "withdrawals",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def _acknowledgements() -> None:
    op.create_table(
        "withdrawal_acknowledgements",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("withdrawal_id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "withdrawal_id"],
            ["withdrawals.shop_id", "withdrawals.id"],
            name=op.f("fk_withdrawal_acknowledgements_shop_id_withdrawal_id"),
        ),
        sa.PrimaryKeyConstraint(
            "shop_id", "withdrawal_id", name=op.f("pk_withdrawal_acknowledgements")
        ),
    )


def downgrade() -> None:
    for table in reversed(RIGHTS):
        op.drop_table(table)
