"""Photos as evidence, and the buyer's answer to the shop's question.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"


def upgrade() -> None:
    op.add_column("returns", sa.Column("info_answer", sa.Text(), nullable=True))
    op.create_table(
        "photos",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("return_id", sa.UUID(), nullable=True),
        sa.Column("return_line_id", sa.UUID(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.UUID(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "state IN ('storing', 'kept', 'deleting', 'deleted')", name=op.f("ck_photos_state")
        ),
        *(
            sa.CheckConstraint(f"{name} >= 1", name=op.f(f"ck_photos_{name}_min"))
            for name in ("size", "width", "height")
        ),
        sa.CheckConstraint(
            "(name IS NULL) = (state = 'deleted')", name=op.f("ck_photos_a_name_until_deleted")
        ),
        sa.CheckConstraint(
            "(digest IS NULL) OR (state <> 'deleted')",
            name=op.f("ck_photos_a_digest_until_deleted"),
        ),
        sa.CheckConstraint(
            "return_line_id IS NULL OR return_id IS NOT NULL",
            name=op.f("ck_photos_a_line_has_a_return"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_photos_shop_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id", "order_id"],
            ["returns.shop_id", "returns.id", "returns.order_id"],
            name=op.f("fk_photos_shop_id_return_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_line_id"],
            ["return_lines.shop_id", "return_lines.id"],
            name=op.f("fk_photos_shop_id_return_line_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_photos")),
    )
    op.create_index("ix_photos_order", "photos", ["shop_id", "order_id"])
    op.create_index("ix_photos_return", "photos", ["shop_id", "return_id"])
    op.create_index(
        "ix_photos_due_at_sweep",
        "photos",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.execute("ALTER TABLE photos ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE photos FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY one_shop ON photos TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON photos TO returns_app")
    op.execute("GRANT SELECT (shop_id, id, due_at) ON photos TO returns_sweep")
    op.execute("CREATE POLICY keys_only ON photos FOR SELECT TO returns_sweep USING (true)")


def downgrade() -> None:
    op.drop_table("photos")
    op.drop_column("returns", "info_answer")
