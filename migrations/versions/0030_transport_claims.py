"""What the shop wants of carriers and insurers.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
STATES = "'opened', 'submitted', 'withdrawn', 'accepted', 'rejected', 'paid'"
CAUSES = "'lost', 'stalled', 'damaged', 'freight_insured'"
CHECKS = {
    "state": f"state IN ({STATES})",
    "against": "against IN ('carrier', 'insurer')",
    "cause": f"cause IN ({CAUSES})",
    "claimed_minor_min": "claimed_minor >= 1",
    "accepted": "accepted_minor BETWEEN 1 AND claimed_minor",
    "an_amount_is_owed": "(accepted_minor IS NOT NULL) = (state IN ('accepted', 'paid'))",
    "paid_with_evidence": "(payment_reference IS NOT NULL) = (state = 'paid')",
}


def upgrade() -> None:
    op.create_table(
        "transport_claims",
        *(
            sa.Column(name, sa.UUID(), nullable=False)
            for name in ("shop_id", "id", "return_id", "order_id")
        ),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("against", "cause", "state")),
        sa.Column("claimed_minor", sa.BigInteger(), nullable=False),
        sa.Column("accepted_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=True)
            for name in ("reference", "payment_reference", "note")
        ),
        sa.Column("refund_id", sa.UUID(), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_transport_claims_{name}"))
            for name, rule in CHECKS.items()
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id", "order_id"],
            ["returns.shop_id", "returns.id", "returns.order_id"],
            name=op.f("fk_transport_claims_shop_id_return_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "refund_id", "order_id"],
            ["refunds.shop_id", "refunds.id", "refunds.order_id"],
            name=op.f("fk_transport_claims_shop_id_refund_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_transport_claims")),
        sa.UniqueConstraint(
            "shop_id",
            "return_id",
            "against",
            name=op.f("uq_transport_claims_shop_id_return_id_against"),
        ),
        sa.UniqueConstraint(
            "shop_id", "refund_id", name=op.f("uq_transport_claims_shop_id_refund_id")
        ),
    )
    op.execute("ALTER TABLE transport_claims ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE transport_claims FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY one_shop ON transport_claims TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON transport_claims TO returns_app")


def downgrade() -> None:
    op.execute("DELETE FROM deadlines WHERE object IN ('shipment', 'transport_claim')")
    op.drop_table("transport_claims")
