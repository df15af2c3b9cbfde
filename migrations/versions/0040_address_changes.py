"""Wishes for another address of goods that were not sent yet, and telling what became of them.

Revision ID: 0040
Revises: 0039

Shops that tell their buyers of what happens tell them of cancellations and address changes too.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
OWNERS = "'buyer', 'agent', 'warehouse', 'finance', 'admin', 'platform', 'system'"
CHECKS = {
    "state": "state IN ('requested', 'applied', 'declined', 'withdrawn')",
    "asked_by": f"asked_by IN ({OWNERS})",
    "reason": "reason IN ('dispatched', 'not_possible', 'no_answer')",
    "declined_for_a_reason": "(reason IS NOT NULL) = (state = 'declined')",
}
TOLD = (
    "cancellation.confirmed",
    "cancellation.declined",
    "cancellation.coming_back",
    "address_change.applied",
    "address_change.declined",
)


def upgrade() -> None:
    name = "address_changes"
    op.create_table(
        name,
        *(sa.Column(each, sa.UUID(), nullable=False) for each in ("shop_id", "id", "order_id")),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("address", JSONB(), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_{name}_{check}"))
            for check, rule in CHECKS.items()
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f(f"fk_{name}_shop_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{name}")),
    )
    op.create_index(f"ix_{name}_order", name, ["shop_id", "order_id", "id"])
    op.create_index(
        f"uq_{name}_open",
        name,
        ["shop_id", "order_id"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY one_shop ON {name} TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO returns_app")
    _topics("array_cat(topics, ARRAY[{told}])")


def _topics(after: str) -> None:
    """What the outbox writes notifications for. Every shop's rows are meant, and the owner is bound
    by row-level security as well."""
    told = ", ".join(f"'{kind}'" for kind in TOLD)
    op.execute("ALTER TABLE notification_settings NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE notification_settings SET topics = ARRAY(SELECT DISTINCT topic FROM"
        f" unnest({after.format(told=told)}) AS topic ORDER BY topic)"
    )
    op.execute("ALTER TABLE notification_settings FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("DELETE FROM order_deadlines WHERE object = 'address_change'")
    op.drop_table("address_changes")
    _topics("ARRAY(SELECT t FROM unnest(topics) AS t WHERE t <> ALL (ARRAY[{told}]))")
