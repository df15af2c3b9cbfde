"""Let a second person approve refunds, and count what one may pay out alone.

Revision ID: 0006
Revises: 0005

Four eyes are kept by the database itself: who asked cannot approve, an approval is of the refund's
own amount and currency, a transfer of a refund that waits is set free only by an approval that
names it with its payment and amount, and none of these ever changes afterwards.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NEW_TABLES = ("refund_approvals", "refund_allowances")
THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"

BOUND = """
CREATE FUNCTION refund_approvals_bound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM refunds r
        WHERE r.shop_id = NEW.shop_id AND r.id = NEW.refund_id AND r.hold_reason IS NOT NULL
          AND r.requested_by IS NOT DISTINCT FROM NEW.requester_id
          AND r.amount_minor = NEW.amount_minor AND r.currency = NEW.currency
    ) THEN
        RAISE EXCEPTION 'approval of another refund than %', NEW.refund_id
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""
HELD = """
CREATE FUNCTION transfers_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM refunds r
        WHERE r.shop_id = NEW.shop_id AND r.id = NEW.refund_id AND r.hold_reason IS NOT NULL
    ) AND NOT EXISTS (
        SELECT FROM refund_approvals a
        WHERE a.shop_id = NEW.shop_id AND a.refund_id = NEW.refund_id
          AND a.releases @> jsonb_build_array(jsonb_build_object(
                'transfer', NEW.id, 'payment', NEW.payment_id,
                'amount', NEW.amount_minor, 'currency', NEW.currency))
    ) THEN
        RAISE EXCEPTION 'transfer %: no second person approved it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""
FIXED = """
CREATE FUNCTION refuse_other_money() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% %: what was asked for does not change', TG_TABLE_NAME, OLD.id
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END
$$
"""
# AFTER, so that a CHECK, a key or a reference speaks first where it has something to say.
TRIGGERS = {
    "refund_approvals": (
        """CREATE TRIGGER refund_approvals_bound AFTER INSERT ON refund_approvals
           FOR EACH ROW EXECUTE FUNCTION refund_approvals_bound()""",
        """CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON refund_approvals
           FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    ),
    "transfers": (
        """CREATE TRIGGER transfers_start_held AFTER INSERT ON transfers
           FOR EACH ROW WHEN (NEW.state <> 'on_hold') EXECUTE FUNCTION transfers_held()""",
        """CREATE TRIGGER transfers_released AFTER UPDATE OF state ON transfers
           FOR EACH ROW WHEN (OLD.state = 'on_hold' AND NEW.state NOT IN ('on_hold', 'canceled'))
           EXECUTE FUNCTION transfers_held()""",
        """CREATE TRIGGER transfers_fixed AFTER UPDATE ON transfers FOR EACH ROW WHEN (
               (OLD.id, OLD.refund_id, OLD.order_id, OLD.payment_id, OLD.amount_minor, OLD.currency)
               IS DISTINCT FROM
               (NEW.id, NEW.refund_id, NEW.order_id, NEW.payment_id, NEW.amount_minor, NEW.currency)
           ) EXECUTE FUNCTION refuse_other_money()""",
    ),
    "refunds": (
        """CREATE TRIGGER refunds_fixed AFTER UPDATE ON refunds FOR EACH ROW WHEN (
               (OLD.id, OLD.order_id, OLD.return_id, OLD.kind, OLD.amount_minor, OLD.currency,
                OLD.requested_by, OLD.hold_reason)
               IS DISTINCT FROM
               (NEW.id, NEW.order_id, NEW.return_id, NEW.kind, NEW.amount_minor, NEW.currency,
                NEW.requested_by, NEW.hold_reason)
           ) EXECUTE FUNCTION refuse_other_money()""",
    ),
}


def upgrade() -> None:
    op.add_column(
        "shops",
        sa.Column(
            "refund_limits",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column("refunds", sa.Column("hold_reason", sa.Text(), nullable=True))
    _create_tables()
    for table in NEW_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
    op.execute("GRANT SELECT, INSERT ON refund_approvals TO returns_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON refund_allowances TO returns_app")
    for function in (BOUND, HELD, FIXED):
        op.execute(function)
    for statements in TRIGGERS.values():
        for statement in statements:
            op.execute(statement)


def _create_tables() -> None:
    op.create_table(
        "refund_approvals",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("refund_id", sa.UUID(), nullable=False),
        sa.Column("requester_id", sa.UUID(), nullable=True),
        sa.Column("approver_id", sa.UUID(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("binding", sa.Text(), nullable=False),
        sa.Column("releases", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "requester_id IS DISTINCT FROM approver_id",
            name=op.f("ck_refund_approvals_two_persons"),
        ),
        sa.CheckConstraint("amount_minor >= 1", name=op.f("ck_refund_approvals_amount_minor_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "refund_id"],
            ["refunds.shop_id", "refunds.id"],
            name=op.f("fk_refund_approvals_shop_id_refund_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_refund_approvals")),
        sa.UniqueConstraint(
            "shop_id",
            "refund_id",
            "approver_id",
            "binding",
            name=op.f("uq_refund_approvals_shop_id_refund_id_approver_id_binding"),
        ),
    )
    op.create_table(
        "refund_allowances",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("spent_minor", sa.BigInteger(), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('order', 'person', 'shop')", name=op.f("ck_refund_allowances_kind")
        ),
        sa.CheckConstraint("spent_minor <= limit_minor", name=op.f("ck_refund_allowances_within")),
        sa.CheckConstraint("spent_minor >= 0", name=op.f("ck_refund_allowances_spent_minor_min")),
        sa.PrimaryKeyConstraint(
            "shop_id", "kind", "subject_id", "day", "currency", name=op.f("pk_refund_allowances")
        ),
    )


def downgrade() -> None:
    for table, statements in TRIGGERS.items():
        for statement in statements:
            op.execute(f"DROP TRIGGER {statement.split()[2]} ON {table}")
    for function in ("refund_approvals_bound", "transfers_held", "refuse_other_money"):
        op.execute(f"DROP FUNCTION {function}()")
    for table in NEW_TABLES:
        op.drop_table(table)
    op.drop_column("refunds", "hold_reason")
    op.drop_column("shops", "refund_limits")
