"""Keep the day that the law wants a return refunded by, and which law.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("returns", sa.Column("refund_law_by", sa.DateTime(timezone=True), nullable=True))
    op.add_column("returns", sa.Column("refund_law", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_returns_a_day_has_its_law"),
        "returns",
        "(refund_law_by IS NULL) = (refund_law IS NULL)",
    )


def downgrade() -> None:
    op.drop_column("returns", "refund_law")
    op.drop_column("returns", "refund_law_by")
