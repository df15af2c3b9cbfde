"""An index that leads from an account to its transfers that are pending.

Revision ID: 0061
Revises: 0056
"""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_transfers_pending",
        "transfers",
        ["shop_id", "account", "id"],
        postgresql_where=sa.text("state = 'pending'"),
    )


def downgrade() -> None:
    op.drop_index("ix_transfers_pending", "transfers")
