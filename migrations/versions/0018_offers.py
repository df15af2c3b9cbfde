"""Offers for keeping the goods.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
STATES = (
    "'awaiting_buyer', 'awaiting_approval', 'awaiting_merchant', 'declined', 'withdrawn',"
    " 'accepted', 'countered', 'expired', 'lapsed'"
)
STANDING = "state IN ('awaiting_approval', 'awaiting_buyer', 'awaiting_merchant')"
LINES = (
    "'requested', 'approved', 'rejected', 'canceled', 'kept', 'expired', 'received', 'inspected',"
    " 'settled'"
)
LINES_BEFORE = (
    "'requested', 'approved', 'rejected', 'canceled', 'expired', 'received', 'inspected', 'settled'"
)


def upgrade() -> None:
    op.create_table(
        "offers",
        *(
            sa.Column(name, sa.UUID(), nullable=False)
            for name in ("shop_id", "id", "return_id", "order_id")
        ),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("answers", sa.UUID(), nullable=True),
        sa.Column("made_by", sa.UUID(), nullable=True),
        sa.Column("drawn_minor", sa.BigInteger(), nullable=False),
        sa.Column("valid_seconds", sa.Integer(), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refund_id", sa.UUID(), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_offers_state")),
        sa.CheckConstraint("party IN ('buyer', 'merchant')", name=op.f("ck_offers_party")),
        sa.CheckConstraint("amount_minor >= 1", name=op.f("ck_offers_amount_minor_min")),
        sa.CheckConstraint("valid_seconds >= 1", name=op.f("ck_offers_valid_seconds_min")),
        sa.CheckConstraint("drawn_minor >= 0", name=op.f("ck_offers_drawn_minor_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id", "order_id"],
            ["returns.shop_id", "returns.id", "returns.order_id"],
            name=op.f("fk_offers_shop_id_return_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "refund_id", "order_id"],
            ["refunds.shop_id", "refunds.id", "refunds.order_id"],
            name=op.f("fk_offers_shop_id_refund_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_offers")),
        sa.UniqueConstraint("shop_id", "refund_id", name=op.f("uq_offers_shop_id_refund_id")),
    )
    op.create_index("ix_offers_return", "offers", ["shop_id", "return_id", "id"])
    op.create_index(
        "uq_offers_standing",
        "offers",
        ["shop_id", "return_id"],
        unique=True,
        postgresql_where=sa.text(STANDING),
    )
    op.execute("ALTER TABLE offers ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE offers FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY one_shop ON offers TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON offers TO returns_app")
    _lines(LINES)


def _lines(states: str) -> None:
    op.drop_constraint(op.f("ck_return_lines_state"), "return_lines")
    op.create_check_constraint(
        op.f("ck_return_lines_state"), "return_lines", f"state IN ({states})"
    )


def downgrade() -> None:
    _lines(LINES_BEFORE)
    op.execute("DELETE FROM deadlines WHERE object = 'offer'")
    op.drop_table("offers")
