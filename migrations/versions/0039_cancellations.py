"""Units of orders that end without a return.

Revision ID: 0039
Revises: 0038
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
OWNERS = "'buyer', 'agent', 'warehouse', 'finance', 'admin', 'platform', 'system'"
CHECKS = {
    "state": "state IN ('requested', 'coming_back', 'confirmed', 'declined', 'withdrawn')",
    "cause": "cause IN ('before_dispatch', 'recalled', 'refused', 'lost', 'not_received')",
    "asked_by": f"asked_by IN ({OWNERS})",
    "reason": "reason IN ('dispatched', 'too_late', 'delivered', 'not_possible', 'no_answer')",
    "overrun_min": "overrun >= 0",
    "sent_in_a_parcel": "(parcel_id IS NULL) = (cause = 'before_dispatch')",
    "declined_for_a_reason": "(reason IS NOT NULL) = (state = 'declined')",
    "paid_once_confirmed": "refund_id IS NULL OR state = 'confirmed'",
    "overrun_once_confirmed": "overrun = 0 OR state = 'confirmed'",
}
GROWTH = """
CREATE OR REPLACE FUNCTION order_lines_growth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A later order edit or an outside return may undercut what is claimed; only growth is bound.
    IF NEW.claimed > OLD.claimed
       AND NEW.claimed + NEW.outside_returned > least({live}, NEW.shipped) THEN
        RAISE EXCEPTION 'order line %: claimed more than was shipped', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_lines_growth';
    END IF;
    RETURN NEW;
END
$$
"""
UNSENT = """
CREATE FUNCTION cancellation_lines_unsent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line order_lines;
BEGIN
    -- What is sent, returned and cancelled together never exceeds what was bought. That units were
    -- sent is a fact and may undercut it later; only a new cancellation is bound.
    SELECT * INTO line FROM order_lines
    WHERE shop_id = NEW.shop_id AND id = NEW.order_line_id FOR NO KEY UPDATE;
    IF NEW.quantity + line.cancelled + greatest(line.shipped, line.claimed + line.outside_returned)
       > line.ordered - line.removed THEN
        RAISE EXCEPTION 'order line %: cancelled more than is left', NEW.order_line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'cancellation_lines_unsent';
    END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    _cancellations()
    _lines()
    _claims()
    for table in ("cancellations", "cancellation_lines"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO returns_app")
    op.execute(GROWTH.format(live="NEW.ordered - NEW.removed - NEW.cancelled"))
    op.execute(UNSENT)
    op.execute(
        "CREATE TRIGGER cancellation_lines_unsent BEFORE INSERT ON cancellation_lines"
        " FOR EACH ROW WHEN (NOT NEW.dispatched) EXECUTE FUNCTION cancellation_lines_unsent()"
    )


def _ids(*names: str) -> list[sa.Column[sa.UUID]]:
    return [sa.Column(name, sa.UUID(), nullable=False) for name in names]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _at(name: str, *, nullable: bool = False) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _checks(table: str, rules: dict[str, str]) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}")) for name, rule in rules.items()
    ]


def _to(table: str, parent: str, *columns: str) -> sa.ForeignKeyConstraint:
    """A key to ``parent``: its id, and with a second column its ``order_id`` as well."""
    names = ["shop_id", *columns]
    there = ["shop_id", "id", "order_id"][: len(names)]
    return sa.ForeignKeyConstraint(
        names, [f"{parent}.{name}" for name in there], name=op.f(f"fk_{table}_{'_'.join(names)}")
    )


def _cancellations() -> None:
    name = "cancellations"
    op.create_table(
        name,
        *_ids("shop_id", "id", "order_id"),
        sa.Column("parcel_id", sa.UUID(), nullable=True),
        *_texts("cause", "state", "asked_by"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("refund_id", sa.UUID(), nullable=True),
        sa.Column("certificate_version", sa.Integer(), nullable=False),
        sa.Column("overrun", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _at("created_at"),
        _at("updated_at"),
        *_checks(name, CHECKS),
        _to(name, "orders", "order_id"),
        _to(name, "parcels", "parcel_id", "order_id"),
        _to(name, "refunds", "refund_id", "order_id"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint(
            "shop_id", "id", "order_id", name=op.f(f"uq_{name}_shop_id_id_order_id")
        ),
        sa.UniqueConstraint("shop_id", "refund_id", name=op.f(f"uq_{name}_shop_id_refund_id")),
    )
    op.create_index("ix_cancellations_order", name, ["shop_id", "order_id", "id"])


def _lines() -> None:
    name = "cancellation_lines"
    op.create_table(
        name,
        *_ids("shop_id", "id", "cancellation_id", "order_id", "order_line_id"),
        sa.Column("dispatched", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("units", ARRAY(sa.Integer()), nullable=False),
        *_checks(
            name,
            {
                "quantity_min": "quantity >= 1",
                "at_most_what_was_asked": "cardinality(units) <= quantity",
            },
        ),
        _to(name, "cancellations", "cancellation_id", "order_id"),
        _to(name, "order_lines", "order_line_id", "order_id"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint(
            "shop_id",
            "cancellation_id",
            "order_line_id",
            name=op.f(f"uq_{name}_shop_id_cancellation_id_order_line_id"),
        ),
        sa.UniqueConstraint(
            "shop_id", "id", "order_line_id", name=op.f(f"uq_{name}_shop_id_id_order_line_id")
        ),
    )


def _claims() -> None:
    op.add_column(
        "order_lines",
        sa.Column("cancelled", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_order_lines_cancelled_min"), "order_lines", "cancelled >= 0"
    )
    name = "unit_claims"
    op.add_column(name, sa.Column("cancellation_line_id", sa.UUID(), nullable=True))
    op.alter_column(name, "return_line_id", nullable=True)
    op.create_check_constraint(
        op.f(f"ck_{name}_held_by_one"),
        name,
        "num_nonnulls(return_line_id, cancellation_line_id) = 1",
    )
    op.create_foreign_key(
        op.f(f"fk_{name}_shop_id_cancellation_line_id_line_id"),
        name,
        "cancellation_lines",
        ["shop_id", "cancellation_line_id", "line_id"],
        ["shop_id", "id", "order_line_id"],
    )
    op.create_index(
        f"ix_{name}_cancellation_line",
        name,
        ["shop_id", "cancellation_line_id"],
        postgresql_where=sa.text("cancellation_line_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.execute(GROWTH.format(live="NEW.ordered - NEW.removed"))
    name = "unit_claims"
    op.execute(f"DELETE FROM {name} WHERE cancellation_line_id IS NOT NULL")
    op.drop_index(f"ix_{name}_cancellation_line", name)
    op.drop_constraint(op.f(f"fk_{name}_shop_id_cancellation_line_id_line_id"), name)
    op.drop_constraint(op.f(f"ck_{name}_held_by_one"), name)
    op.alter_column(name, "return_line_id", nullable=False)
    op.drop_column(name, "cancellation_line_id")
    op.drop_column("order_lines", "cancelled")
    op.execute("DELETE FROM order_deadlines WHERE object = 'cancellation'")
    for table in ("cancellation_lines", "cancellations"):
        op.drop_table(table)
    op.execute("DROP FUNCTION cancellation_lines_unsent()")
