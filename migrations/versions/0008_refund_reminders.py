"""Let overdue refunds make themselves heard: the next reminder stands in the row.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refunds", sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "refunds",
        sa.Column("reminders", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("refunds", sa.Column("overdue_since", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_refunds_reminders_min"), "refunds", "reminders >= 0")
    op.execute(
        "UPDATE refunds SET remind_at = due_by WHERE state NOT IN ('succeeded', 'canceled')"
        " AND NOT (given_up AND state = 'partially_succeeded')"
    )
    op.create_index(
        "ix_refunds_remind_at_sweep",
        "refunds",
        ["remind_at"],
        postgresql_where=sa.text("remind_at IS NOT NULL"),
    )
    op.create_index(
        "ix_refunds_overdue",
        "refunds",
        ["shop_id", "id"],
        postgresql_where=sa.text("overdue_since IS NOT NULL AND remind_at IS NOT NULL"),
    )
    op.execute("GRANT SELECT (shop_id, id, remind_at) ON refunds TO returns_sweep")
    op.execute("CREATE POLICY keys_only ON refunds FOR SELECT TO returns_sweep USING (true)")


def downgrade() -> None:
    op.execute("DROP POLICY keys_only ON refunds")
    op.execute("REVOKE ALL ON refunds FROM returns_sweep")
    op.drop_index("ix_refunds_overdue", "refunds")
    op.drop_index("ix_refunds_remind_at_sweep", "refunds")
    op.drop_constraint(op.f("ck_refunds_reminders_min"), "refunds")
    op.drop_column("refunds", "overdue_since")
    op.drop_column("refunds", "reminders")
    op.drop_column("refunds", "remind_at")
