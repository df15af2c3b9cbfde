"""Find the line of a transfer without reading the whole book.

Revision ID: 0036
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0033"
branch_labels = None
depends_on = None

INDEX = "ix_reconciliation_lines_transfer"


def upgrade() -> None:
    op.create_index(
        INDEX,
        "reconciliation_lines",
        ["shop_id", "reconciliation_id", "transfer_id"],
        postgresql_where=sa.text("transfer_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(INDEX, "reconciliation_lines")
