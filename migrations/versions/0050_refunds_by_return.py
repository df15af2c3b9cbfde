"""An index that leads from a return to its refunds.

Revision ID: 0050
Revises: 0048
"""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_refunds_return",
        "refunds",
        ["shop_id", "return_id"],
        postgresql_where=sa.text("return_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_refunds_return", "refunds")
