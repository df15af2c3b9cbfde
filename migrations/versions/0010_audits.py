"""Audits and what they anchor.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "audits",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("breaches", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("place", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("requested_by", sa.UUID(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed')", name=op.f("ck_audits_state")
        ),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_audits_{name}_min"))
            for name in ("total", "done", "breaches", "position", "attempt")
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], name=op.f("fk_audits_shop_id")),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_audits")),
    )
    op.create_index(
        "ix_audits_due_at_sweep",
        "audits",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_audits_anchors",
        "audits",
        ["shop_id", "position"],
        postgresql_where=sa.text("digest IS NOT NULL"),
    )
    op.execute("ALTER TABLE audits ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE audits FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY one_shop ON audits TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON audits TO returns_app")
    op.execute("GRANT SELECT (shop_id, id, due_at, leased_until) ON audits TO returns_sweep")
    op.execute("CREATE POLICY keys_only ON audits FOR SELECT TO returns_sweep USING (true)")


def downgrade() -> None:
    op.drop_table("audits")
