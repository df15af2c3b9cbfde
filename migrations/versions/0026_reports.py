"""Figures of reports by day and month, what they are counted by, and when quality is reported.

Revision ID: 0026
Revises: 0025

Lines of orders learn the options of their variants from now on; those that are there have none.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
TABLES = ("report_rollups", "report_progress")


def upgrade() -> None:
    op.add_column(
        "order_lines",
        sa.Column(
            "options",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.create_index("ix_orders_placed", "orders", ["shop_id", "placed_at"])
    op.create_index("ix_returns_opened", "returns", ["shop_id", "created_at"])
    _quality()
    _rollups()
    _progress()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO returns_app")
    op.execute("GRANT SELECT (shop_id, due_at, leased_until) ON report_progress TO returns_sweep")
    op.execute(
        "CREATE POLICY keys_only ON report_progress FOR SELECT TO returns_sweep USING (true)"
    )


def _quality() -> None:
    """Returns that were closed before stay silent: nobody waited for a report of them."""
    op.add_column("returns", sa.Column("quality_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_returns_quality_at_sweep",
        "returns",
        ["quality_at"],
        postgresql_where=sa.text("quality_at IS NOT NULL"),
    )
    op.execute("GRANT SELECT (shop_id, id, quality_at) ON returns TO returns_sweep")
    op.execute("CREATE POLICY keys_only ON returns FOR SELECT TO returns_sweep USING (true)")


def _rollups() -> None:
    table = "report_rollups"
    op.create_table(
        table,
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("span", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("keys", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("figures", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.CheckConstraint("span IN ('day', 'month')", name=op.f(f"ck_{table}_span")),
        sa.PrimaryKeyConstraint(
            "shop_id", "source", "span", "starts_on", "keys", "currency", name=op.f(f"pk_{table}")
        ),
    )


def _progress() -> None:
    table = "report_progress"
    op.create_table(
        table,
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("building_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cursor", sa.UUID(), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quiet", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], name=op.f(f"fk_{table}_shop_id")),
        sa.PrimaryKeyConstraint("shop_id", name=op.f(f"pk_{table}")),
    )
    op.create_index(
        f"ix_{table}_due_at_sweep",
        table,
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("REVOKE ALL ON returns FROM returns_sweep")
    op.execute("DROP POLICY keys_only ON returns")
    op.drop_index("ix_returns_quality_at_sweep", "returns")
    op.drop_column("returns", "quality_at")
    op.drop_index("ix_returns_opened", "returns")
    op.drop_index("ix_orders_placed", "orders")
    op.drop_column("order_lines", "options")
