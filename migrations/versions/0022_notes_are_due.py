"""A credit note is due only where money at rest is not noted.

Revision ID: 0022
Revises: 0021

Whoever numbers notes may rely on it: a due refund always has something to note.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_check_constraint(
        op.f("ck_refunds_note_is_due"),
        "refunds",
        "note_at IS NULL OR (arrived_minor <> noted_minor AND state IN"
        " ('canceled', 'failed', 'partially_succeeded', 'reversed', 'succeeded'))",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_refunds_note_is_due"), "refunds")
