"""Goods for what comes back: exchanges, what they draw on, and a payment's share of it.

Revision ID: 0024
Revises: 0023

What new goods drew on stays with the shop and can neither be reserved nor refunded: the counter of
the payment says so, and its guard binds growth of both.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
GIVEN = "state IN ('completed', 'released', 'shipped')"
STATES = (
    "'requested', 'awaiting_goods', 'offered', 'out_of_stock', 'converted', 'released',"
    " 'awaiting_payment', 'failed', 'shipped', 'completed', 'lapsed'"
)
IN_MONEY = "'refund', 'store_credit'"
AMOUNTS = ("expected_minor", "unit_price_minor", "credit_minor", "due_minor", "drawn_minor",
           "paid_minor")  # fmt: skip
NULLABLE = frozenset({"unit_price_minor", "credit_minor", "due_minor"})

GROWTH = """
CREATE OR REPLACE FUNCTION payments_growth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Binds only our own increase: an outside refund or a chargeback is a fact and must be storable.
    IF {grows} AND NEW.reserved + NEW.refunded + NEW.external + NEW.disputed{more}
       > NEW.captured THEN
        RAISE EXCEPTION 'payment %: reserved more than is left', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_growth';
    END IF;
    RETURN NEW;
END
$$
"""
START = """
CREATE OR REPLACE FUNCTION payments_start_untouched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reserved <> 0 OR NEW.refunded <> 0{more} THEN
        RAISE EXCEPTION 'a payment starts with nothing reserved or refunded'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_start_untouched';
    END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    op.add_column(
        "payments",
        sa.Column("exchanged", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.create_check_constraint(op.f("ck_payments_exchanged_min"), "payments", "exchanged >= 0")
    op.execute(
        GROWTH.format(
            grows="(NEW.reserved > OLD.reserved OR NEW.exchanged > OLD.exchanged)",
            more=" + NEW.exchanged",
        )
    )
    op.execute(START.format(more=" OR NEW.exchanged <> 0"))
    _guarded("reserved, exchanged")
    _exchanges()
    _draws()
    for table in ("exchanges", "exchange_draws"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON exchanges TO returns_app")
    op.execute("GRANT SELECT, INSERT ON exchange_draws TO returns_app")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON exchange_draws"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _guarded(columns: str) -> None:
    op.execute("DROP TRIGGER payments_growth ON payments")
    op.execute(
        f"CREATE TRIGGER payments_growth BEFORE UPDATE OF {columns} ON payments"
        " FOR EACH ROW EXECUTE FUNCTION payments_growth()"
    )


def _text(*names: str, null: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def _ids(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.UUID(), nullable=False) for name in names]


def _money(name: str) -> sa.Column[object]:
    start = sa.text("0") if name in {"drawn_minor", "paid_minor"} else None
    return sa.Column(name, sa.BigInteger(), server_default=start, nullable=name in NULLABLE)


def _check(table: str, **checks: str) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(text, name=op.f(f"ck_{table}_{name}")) for name, text in checks.items()
    ]


def _belongs(table: str, parent: str, *columns: str) -> sa.ForeignKeyConstraint:
    """The first column is the parent's id, the others have the parent's names."""
    return sa.ForeignKeyConstraint(
        ["shop_id", *columns],
        [f"{parent}.{name}" for name in ("shop_id", "id", *columns[1:])],
        name=op.f("_".join(("fk", table, "shop_id", *columns))),
    )


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    name = "_".join(("uq", table, "shop_id", *columns))
    return sa.UniqueConstraint("shop_id", *columns, name=op.f(name))


def _checks(table: str) -> list[sa.CheckConstraint]:
    return _check(
        table,
        state=f"state IN ({STATES})",
        kind="kind IN ('exchange', 'replacement')",
        fallback=f"fallback IN ({IN_MONEY})",
        outcome=f"outcome IN ({IN_MONEY})",
        failed_since="failed_since IN ('no_unit_passed_inspection', 'payments_do_not_cover_it')",
        quantity_min="quantity >= 1",
        names_goods="kind = 'replacement' OR variant IS NOT NULL OR sku IS NOT NULL",
        money_instead="(state IN ('converted', 'failed')) = (outcome IS NOT NULL)",
        fails_for_a_reason="(state = 'failed') = (failed_since IS NOT NULL)",
        units="cardinality(units) BETWEEN 1 AND quantity",
        given_for_units=f"NOT ({GIVEN}) OR units IS NOT NULL",
        paid_for=f"CASE WHEN {GIVEN} AND kind = 'exchange'"
        " THEN drawn_minor + paid_minor = unit_price_minor * cardinality(units)"
        " ELSE drawn_minor + paid_minor = 0 END IS TRUE",
        paid_by_evidence="(paid_minor > 0) = (payment_reference IS NOT NULL)",
        rest_of_given_goods=f"refund_id IS NULL OR {GIVEN}",
        **{f"{name}_min": f"{name} >= 0" for name in AMOUNTS},
    )


def _exchanges() -> None:
    table = "exchanges"
    op.create_table(
        table,
        *_ids("shop_id", "id", "return_id", "order_id", "return_line_id"),
        *_text("kind", "state", "fallback"),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        _money("expected_minor"),
        *_text("variant", "sku", "title", null=True),
        _money("unit_price_minor"),
        sa.Column("alternatives", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        *_text("payment_url", null=True),
        sa.Column("units", postgresql.ARRAY(sa.Integer()), nullable=True),
        *(_money(name) for name in ("credit_minor", "due_minor", "drawn_minor", "paid_minor")),
        *_text("payment_reference", null=True),
        sa.Column("refund_id", sa.UUID(), nullable=True),
        *_text("outcome", "failed_since", "carrier", "tracking", null=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        *_checks(table),
        _belongs(table, "returns", "return_id", "order_id"),
        _belongs(table, "return_lines", "return_line_id"),
        _belongs(table, "refunds", "refund_id", "order_id"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{table}")),
        _unique(table, "return_id"),
        _unique(table, "refund_id"),
        _unique(table, "payment_reference"),
        _unique(table, "id", "order_id"),
    )
    op.create_index("ix_exchanges_order", table, ["shop_id", "order_id"])
    op.create_index("ix_exchanges_state", table, ["shop_id", "state", "id"])


def _draws() -> None:
    table = "exchange_draws"
    op.create_table(
        table,
        *_ids("shop_id", "exchange_id", "payment_id", "order_id"),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        *_check(table, amount_minor_min="amount_minor >= 1"),
        _belongs(table, "exchanges", "exchange_id", "order_id"),
        _belongs(table, "payments", "payment_id", "order_id"),
        sa.PrimaryKeyConstraint(
            "shop_id", "exchange_id", "payment_id", "order_id", name=op.f(f"pk_{table}")
        ),
    )
    op.create_index("ix_exchange_draws_payment", table, ["shop_id", "payment_id"])


def downgrade() -> None:
    op.execute("DELETE FROM deadlines WHERE object = 'exchange'")
    for table in ("exchange_draws", "exchanges"):
        op.drop_table(table)
    _guarded("reserved")
    op.execute(GROWTH.format(grows="NEW.reserved > OLD.reserved", more=""))
    op.execute(START.format(more=""))
    op.drop_constraint(op.f("ck_payments_exchanged_min"), "payments")
    op.drop_column("payments", "exchanged")
