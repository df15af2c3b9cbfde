"""Goods that are mended and given back, and what a shop charges for it.

Revision ID: 0037
Revises: 0036

Shops that tell their buyers of what happens tell them of repairs too, unless they switched it off.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
BACK = "state IN ('completed', 'ready', 'shipped')"
STATES = (
    "'awaiting_goods', 'diagnosing', 'failed', 'lapsed', 'quoted', 'repairing', 'unrepairable',"
    " 'ready', 'escalated', 'awaiting_payment', 'converted', 'shipped', 'completed'"
)
IN_MONEY = "'refund', 'store_credit'"
CAUSES = "'beyond_repair', 'no_parts', 'not_worth_it', 'no_fault_found', 'no_answer'"
AMOUNTS = ("freight_minor", "decline_most_minor", "total_minor", "decline_minor", "due_minor",
           "paid_minor", "waived_minor")  # fmt: skip
NULLABLE = frozenset({"total_minor", "decline_minor", "due_minor"})
STARTS_AT_ZERO = frozenset({"paid_minor", "waived_minor"})
TOLD = ("repair.quoted", "repair.unrepairable", "repair.payment_due", "repair.shipped")
CHECKS = {
    "state": f"state IN ({STATES})",
    "fallback": f"fallback IN ({IN_MONEY})",
    "result": "result IN ('repaired', 'declined', 'unrepairable')",
    "cause": f"cause IN ({CAUSES})",
    "quantity_min": "quantity >= 1",
    **{f"{name}_min": f"{name} >= 0" for name in AMOUNTS},
    "units": "cardinality(units) BETWEEN 1 AND quantity",
    "money_instead": "(state = 'converted') = (outcome IS NOT NULL)",
    "as_offered": "outcome IS NULL OR CASE outcome WHEN 'replacement' THEN replaceable"
    " ELSE outcome IS NOT DISTINCT FROM fallback END",
    "free_of_charge": "NOT free OR freight_minor + decline_most_minor + coalesce(total_minor, 0)"
    " = 0",
    "declined_as_quoted": "decline_minor <= decline_most_minor",
    "due_as_quoted": "(due_minor IS NULL) = (result IS NULL) AND CASE result"
    " WHEN 'repaired' THEN due_minor IS NOT DISTINCT FROM total_minor"
    " WHEN 'declined' THEN due_minor = coalesce(decline_minor, 0)"
    " WHEN 'unrepairable' THEN due_minor = 0 ELSE true END",
    "goes_back_as": f"({BACK} OR state = 'awaiting_payment') = (result IS NOT NULL)",
    "units_go_back": "result IS NULL OR units IS NOT NULL",
    "paid_or_waived": f"paid_minor + waived_minor = CASE WHEN {BACK} THEN coalesce(due_minor, 0)"
    " ELSE 0 END",
    "paid_by_evidence": "(paid_minor > 0) = (payment_reference IS NOT NULL)",
}


def _text(*names: str, null: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def _money(name: str) -> sa.Column[object]:
    start = sa.text("0") if name in STARTS_AT_ZERO else None
    return sa.Column(name, sa.BigInteger(), server_default=start, nullable=name in NULLABLE)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    op.add_column(
        "shops",
        sa.Column(
            "repairs",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.create_table(
        "repairs",
        *(
            sa.Column(name, sa.UUID(), nullable=False)
            for name in ("shop_id", "id", "return_id", "order_id", "return_line_id")
        ),
        *_text("state"),
        sa.Column("free", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        *_text("fallback", null=True),
        sa.Column("replaceable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        *(_money(name) for name in AMOUNTS),
        sa.Column("positions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("units", postgresql.ARRAY(sa.Integer()), nullable=True),
        *_text("note", "result", "cause", "payment_reference", "payment_url", null=True),
        *_text("outcome", "carrier", "tracking", null=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_repairs_{name}"))
            for name, rule in CHECKS.items()
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id", "order_id"],
            ["returns.shop_id", "returns.id", "returns.order_id"],
            name=op.f("fk_repairs_shop_id_return_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_line_id"],
            ["return_lines.shop_id", "return_lines.id"],
            name=op.f("fk_repairs_shop_id_return_line_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_repairs")),
        sa.UniqueConstraint("shop_id", "return_id", name=op.f("uq_repairs_shop_id_return_id")),
        sa.UniqueConstraint(
            "shop_id", "payment_reference", name=op.f("uq_repairs_shop_id_payment_reference")
        ),
    )
    op.create_index("ix_repairs_order", "repairs", ["shop_id", "order_id"])
    op.create_index("ix_repairs_state", "repairs", ["shop_id", "state", "id"])
    op.execute("ALTER TABLE repairs ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE repairs FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY one_shop ON repairs TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON repairs TO returns_app")
    _topics()


def _topics() -> None:
    """What the outbox writes notifications for; it follows from what is switched off."""
    told = ", ".join(f"'{kind}'" for kind in TOLD)
    op.execute("ALTER TABLE notification_settings NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE notification_settings SET topics = ARRAY(SELECT DISTINCT topic FROM"
        f" unnest(topics || ARRAY[{told}]) AS topic"
        " WHERE NOT topic = ANY (switched_off) OR topic = ANY (topics) ORDER BY topic)"
    )
    op.execute("ALTER TABLE notification_settings FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("DELETE FROM deadlines WHERE object = 'repair'")
    op.drop_table("repairs")
    op.drop_column("shops", "repairs")
