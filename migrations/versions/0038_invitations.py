"""Shops that tell their buyers of what happens may ask them how it was, too.

Revision ID: 0038
Revises: 0037

Whether they do is a setting of each shop, and nobody does before setting it.
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

ASKED = "ARRAY['order.check_in', 'order.review_invited']"


def upgrade() -> None:
    _topics(
        f"ARRAY(SELECT DISTINCT topic FROM unnest(topics || {ASKED}) AS topic"
        " WHERE NOT topic = ANY (switched_off) ORDER BY topic)"
    )


def downgrade() -> None:
    op.execute("DELETE FROM order_deadlines WHERE object = 'invitation'")
    _topics(f"ARRAY(SELECT topic FROM unnest(topics) AS topic WHERE topic <> ALL ({ASKED}))")


def _topics(value: str) -> None:
    """What the outbox writes notifications for; the owner sees all shops while it is not forced."""
    op.execute("ALTER TABLE notification_settings NO FORCE ROW LEVEL SECURITY")
    op.execute(f"UPDATE notification_settings SET topics = {value}")
    op.execute("ALTER TABLE notification_settings FORCE ROW LEVEL SECURITY")
