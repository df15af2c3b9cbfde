"""Number credit notes without gaps, shop by shop.

Revision ID: 0009
Revises: 0008

The counter moves by one and only with a note that takes the number: looked at when the transaction
ends, so that neither a lost note nor a drawn number can be committed alone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NEW_TABLES = ("number_series", "credit_notes")
THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"

STEP = """
CREATE FUNCTION number_series_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.last_number <> (CASE WHEN TG_OP = 'INSERT' THEN 0 ELSE OLD.last_number END) + 1
       OR (TG_OP = 'UPDATE' AND (NEW.shop_id, NEW.name) IS DISTINCT FROM (OLD.shop_id, OLD.name))
    THEN
        RAISE EXCEPTION 'numbers have no gaps'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""
USED = """
CREATE FUNCTION number_series_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name = 'credit_notes' AND NOT EXISTS (
        SELECT FROM credit_notes n WHERE n.shop_id = NEW.shop_id AND n.number = NEW.last_number
    ) THEN
        RAISE EXCEPTION 'number % of % was drawn and not used', NEW.last_number, NEW.name
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""
DRAWN = """
CREATE FUNCTION credit_notes_drawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM number_series s
        WHERE s.shop_id = NEW.shop_id AND s.name = 'credit_notes' AND s.last_number = NEW.number
    ) THEN
        RAISE EXCEPTION 'credit note %: not the next number', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""
TRIGGERS = (
    """CREATE TRIGGER number_series_step AFTER INSERT OR UPDATE ON number_series
       FOR EACH ROW EXECUTE FUNCTION number_series_step()""",
    """CREATE TRIGGER number_series_kept AFTER DELETE ON number_series
       FOR EACH ROW EXECUTE FUNCTION number_series_step()""",
    """CREATE CONSTRAINT TRIGGER number_series_used AFTER INSERT OR UPDATE ON number_series
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION number_series_used()""",
    """CREATE TRIGGER credit_notes_drawn AFTER INSERT ON credit_notes
       FOR EACH ROW EXECUTE FUNCTION credit_notes_drawn()""",
    """CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON credit_notes
       FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
)


def upgrade() -> None:
    op.add_column(
        "refunds",
        sa.Column("noted_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.create_check_constraint(op.f("ck_refunds_noted_minor_min"), "refunds", "noted_minor >= 0")
    _create_tables()
    for table in NEW_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON number_series TO returns_app")
    op.execute("GRANT SELECT, INSERT ON credit_notes TO returns_app")
    for function in (STEP, USED, DRAWN):
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(trigger)


def _create_tables() -> None:
    op.create_table(
        "number_series",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("last_number >= 1", name=op.f("ck_number_series_last_number_min")),
        sa.PrimaryKeyConstraint("shop_id", "name", name=op.f("pk_number_series")),
    )
    op.create_table(
        "credit_notes",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("refund_id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "kind IN ('credit_note', 'cancellation')", name=op.f("ck_credit_notes_kind")
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_credit_notes_number_min")),
        sa.CheckConstraint("amount_minor >= 1", name=op.f("ck_credit_notes_amount_minor_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "refund_id", "order_id"],
            ["refunds.shop_id", "refunds.id", "refunds.order_id"],
            name=op.f("fk_credit_notes_shop_id_refund_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_credit_notes")),
        sa.UniqueConstraint("shop_id", "number", name=op.f("uq_credit_notes_shop_id_number")),
    )
    op.create_index("ix_credit_notes_refund", "credit_notes", ["shop_id", "refund_id"])
    op.create_index("ix_credit_notes_order", "credit_notes", ["shop_id", "order_id"])


def downgrade() -> None:
    for table in reversed(NEW_TABLES):
        op.drop_table(table)
    for function in ("number_series_step", "number_series_used", "credit_notes_drawn"):
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_constraint(op.f("ck_refunds_noted_minor_min"), "refunds")
    op.drop_column("refunds", "noted_minor")
