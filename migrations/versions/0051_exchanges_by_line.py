"""Let one return exchange several lines, each by an exchange of its own.

Revision ID: 0051
Revises: 0054

Every exchange that is there is the only one of its return, so it is the only one of its line. The
refund of what new goods cost less is the return's, which all its exchanges share.
"""

from alembic import op

revision = "0051"
down_revision = "0054"
branch_labels = None
depends_on = None

DECLINED = (
    "'difference_due', 'unknown_buyer', 'payments_do_not_cover_it', 'needs_approval', 'buyer_cap',"
    " 'shop_cap'"
)


def upgrade() -> None:
    op.create_unique_constraint(
        op.f("uq_exchanges_shop_id_return_id_return_line_id"),
        "exchanges",
        ["shop_id", "return_id", "return_line_id"],
    )
    op.drop_constraint(op.f("uq_exchanges_shop_id_return_id"), "exchanges")
    op.drop_constraint(op.f("uq_exchanges_shop_id_refund_id"), "exchanges")
    _reasons(f"'several_lines', {DECLINED}")


def _reasons(reasons: str) -> None:
    op.drop_constraint(op.f("ck_advances_reason"), "advances")
    op.create_check_constraint(op.f("ck_advances_reason"), "advances", f"reason IN ({reasons})")


def downgrade() -> None:
    _reasons(DECLINED)
    op.create_unique_constraint(
        op.f("uq_exchanges_shop_id_refund_id"), "exchanges", ["shop_id", "refund_id"]
    )
    op.create_unique_constraint(
        op.f("uq_exchanges_shop_id_return_id"), "exchanges", ["shop_id", "return_id"]
    )
    op.drop_constraint(op.f("uq_exchanges_shop_id_return_id_return_line_id"), "exchanges")
