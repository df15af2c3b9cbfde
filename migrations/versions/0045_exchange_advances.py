"""Let new goods of an exchange go out before the old ones are seen.

Revision ID: 0045
Revises: 0050

An advance is given in money, by its refund, or in goods, by its exchange; never by both. Every row
that is there was given in money, or declined.
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0050"
branch_labels = None
depends_on = None

GIVEN = "state IN ('completed', 'released', 'shipped')"
DECLINED = "'unknown_buyer', 'payments_do_not_cover_it', 'needs_approval', 'buyer_cap', 'shop_cap'"


def upgrade() -> None:
    op.add_column(
        "exchanges",
        sa.Column("in_advance", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_exchanges_first_within_what_comes_back"),
        "exchanges",
        f"NOT in_advance OR ({GIVEN} AND kind = 'exchange' AND paid_minor = 0"
        " AND drawn_minor BETWEEN 1 AND expected_minor AND credit_minor IS NULL)",
    )
    for table in ("advances", "recoveries"):
        op.add_column(table, sa.Column("exchange_id", sa.UUID(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_shop_id_exchange_id_order_id"),
            table,
            "exchanges",
            ["shop_id", "exchange_id", "order_id"],
            ["shop_id", "id", "order_id"],
        )
    op.create_unique_constraint(
        op.f("uq_advances_shop_id_exchange_id"), "advances", ["shop_id", "exchange_id"]
    )
    op.drop_constraint(op.f("ck_advances_granted_by_a_refund"), "advances")
    op.create_check_constraint(
        op.f("ck_advances_granted_in_money_or_goods"),
        "advances",
        "num_nonnulls(refund_id, exchange_id) = CASE state WHEN 'declined' THEN 0 ELSE 1 END",
    )
    _reasons(f"'difference_due', {DECLINED}")
    op.alter_column("recoveries", "refund_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_recoveries_of_money_or_goods"),
        "recoveries",
        "num_nonnulls(refund_id, exchange_id) = 1",
    )


def _reasons(reasons: str) -> None:
    op.drop_constraint(op.f("ck_advances_reason"), "advances")
    op.create_check_constraint(op.f("ck_advances_reason"), "advances", f"reason IN ({reasons})")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_recoveries_of_money_or_goods"), "recoveries")
    op.alter_column("recoveries", "refund_id", nullable=False)
    op.drop_constraint(op.f("ck_advances_granted_in_money_or_goods"), "advances")
    op.create_check_constraint(
        op.f("ck_advances_granted_by_a_refund"),
        "advances",
        "(state = 'declined') = (refund_id IS NULL)",
    )
    _reasons(DECLINED)
    for table in ("advances", "recoveries"):
        op.drop_column(table, "exchange_id")
    op.drop_column("exchanges", "in_advance")
