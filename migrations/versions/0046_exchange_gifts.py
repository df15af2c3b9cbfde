"""Let a shop add a gift to the refund of an exchange whose goods ran out.

Revision ID: 0046
Revises: 0045

The gift that was promised stands with the exchange, within what its people may promise; the goodwill
that gave it in a row of its own, once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"


def upgrade() -> None:
    op.add_column(
        "exchanges",
        sa.Column("gift_drawn_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("exchanges", sa.Column("gift_minor", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_exchanges_gift_drawn_minor_min"), "exchanges", "gift_drawn_minor >= 0"
    )
    op.create_check_constraint(
        op.f("ck_exchanges_gift_with_a_refund"),
        "exchanges",
        "gift_minor IS NULL OR (state = 'converted' AND outcome = 'refund'"
        " AND gift_minor BETWEEN 1 AND gift_drawn_minor)",
    )
    _gifts()


def _gifts() -> None:
    table = "exchange_gifts"
    op.create_table(
        table,
        *(
            sa.Column(name, sa.UUID(), nullable=False)
            for name in ("shop_id", "exchange_id", "order_id", "refund_id")
        ),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor >= 1", name=op.f(f"ck_{table}_amount_minor_min")),
        *(
            sa.ForeignKeyConstraint(
                ["shop_id", column, "order_id"],
                [f"{parent}.shop_id", f"{parent}.id", f"{parent}.order_id"],
                name=op.f(f"fk_{table}_shop_id_{column}_order_id"),
            )
            for column, parent in (("exchange_id", "exchanges"), ("refund_id", "refunds"))
        ),
        sa.PrimaryKeyConstraint("shop_id", "exchange_id", name=op.f(f"pk_{table}")),
    )
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY one_shop ON {table} TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    op.execute(f"GRANT SELECT, INSERT ON {table} TO returns_app")
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("exchange_gifts")
    op.drop_column("exchanges", "gift_minor")
    op.drop_column("exchanges", "gift_drawn_minor")
