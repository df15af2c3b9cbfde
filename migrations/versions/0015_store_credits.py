"""Store credit as an account of its own, and transfers that end there.

Revision ID: 0015
Revises: 0014

A balance changes only with the movement that says so: looked at when the transaction ends.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NEW_TABLES = (
    "store_credits",
    "store_credit_lots",
    "store_credit_movements",
    "store_credit_draws",
)
THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"

MOVED = """
CREATE FUNCTION store_credits_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.balance_minor <> (CASE WHEN TG_OP = 'INSERT' THEN 0 ELSE OLD.balance_minor END)
       AND NOT EXISTS (
        SELECT FROM store_credit_movements m
        WHERE m.shop_id = NEW.shop_id AND m.store_credit_id = NEW.id AND m.no = NEW.sequence
          AND m.balance_minor = NEW.balance_minor
    ) THEN
        RAISE EXCEPTION 'store credit %: a balance of % that no movement made', NEW.id,
            NEW.balance_minor
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""
TRIGGERS = (
    """CREATE CONSTRAINT TRIGGER store_credits_moved AFTER INSERT OR UPDATE ON store_credits
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION store_credits_moved()""",
    """CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON store_credit_movements
       FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
)
FIXED = """
CREATE TRIGGER transfers_fixed AFTER UPDATE ON transfers FOR EACH ROW WHEN (
    (OLD.id, OLD.refund_id, OLD.order_id, OLD.payment_id, OLD.amount_minor, OLD.currency{more_old})
    IS DISTINCT FROM
    (NEW.id, NEW.refund_id, NEW.order_id, NEW.payment_id, NEW.amount_minor, NEW.currency{more_new})
) EXECUTE FUNCTION refuse_other_money()
"""


def upgrade() -> None:
    op.add_column(
        "shops",
        sa.Column(
            "store_credit",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    _create_accounts()
    _create_movements()
    for table in NEW_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
        rights = (
            "SELECT, INSERT"
            if table == "store_credit_movements"
            else ("SELECT, INSERT, UPDATE, DELETE")
        )
        op.execute(f"GRANT {rights} ON {table} TO returns_app")
    op.execute("GRANT SELECT (shop_id, id, due_at) ON store_credit_lots TO returns_sweep")
    op.execute(
        "CREATE POLICY keys_only ON store_credit_lots FOR SELECT TO returns_sweep USING (true)"
    )
    op.create_index(
        "ix_ledger_postings_store_credit",
        "ledger_postings",
        ["shop_id", "entry_id"],
        postgresql_where=sa.text("debit = 'store_credit' OR credit = 'store_credit'"),
    )
    op.execute(MOVED)
    for trigger in TRIGGERS:
        op.execute(trigger)
    _let_transfers_end_there()


def _let_transfers_end_there() -> None:
    op.alter_column("transfers", "payment_id", existing_type=sa.UUID(), nullable=True)
    op.add_column("transfers", sa.Column("store_credit_id", sa.UUID(), nullable=True))
    op.create_foreign_key(
        op.f("fk_transfers_shop_id_store_credit_id_currency"),
        "transfers",
        "store_credits",
        ["shop_id", "store_credit_id", "currency"],
        ["shop_id", "id", "currency"],
    )
    op.create_check_constraint(
        op.f("ck_transfers_goes_somewhere"),
        "transfers",
        "payment_id IS NOT NULL OR store_credit_id IS NOT NULL",
    )
    op.execute("DROP TRIGGER transfers_fixed ON transfers")
    op.execute(FIXED.format(more_old=", OLD.store_credit_id", more_new=", NEW.store_credit_id"))


def _create_accounts() -> None:
    op.create_table(
        "store_credits",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("holder_key", sa.LargeBinary(), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "holder IN ('customer', 'email', 'order', 'nobody')",
            name=op.f("ck_store_credits_holder"),
        ),
        sa.CheckConstraint("balance_minor >= 0", name=op.f("ck_store_credits_balance_minor_min")),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_store_credits_sequence_min")),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_store_credits_shop_id")
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_store_credits")),
        sa.UniqueConstraint(
            "shop_id",
            "holder_key",
            "holder",
            "currency",
            name=op.f("uq_store_credits_shop_id_holder_key_holder_currency"),
        ),
        sa.UniqueConstraint(
            "shop_id", "id", "currency", name=op.f("uq_store_credits_shop_id_id_currency")
        ),
    )
    op.create_table(
        "store_credit_lots",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("store_credit_id", sa.UUID(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("remaining_minor", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('refund', 'goodwill', 'bonus')", name=op.f("ck_store_credit_lots_kind")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'used', 'expired')", name=op.f("ck_store_credit_lots_state")
        ),
        sa.CheckConstraint("amount_minor >= 1", name=op.f("ck_store_credit_lots_amount_minor_min")),
        sa.CheckConstraint(
            "remaining_minor >= 0", name=op.f("ck_store_credit_lots_remaining_minor_min")
        ),
        sa.CheckConstraint(
            "remaining_minor <= amount_minor", name=op.f("ck_store_credit_lots_within")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (remaining_minor > 0)",
            name=op.f("ck_store_credit_lots_open_while_it_lasts"),
        ),
        sa.CheckConstraint(
            "due_at IS NOT DISTINCT FROM CASE WHEN remaining_minor > 0 THEN expires_at END",
            name=op.f("ck_store_credit_lots_due_while_it_lasts"),
        ),
        _of("store_credits", "store_credit_lots", "store_credit_id", "currency"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_store_credit_lots")),
    )
    op.create_index(
        "ix_store_credit_lots_open",
        "store_credit_lots",
        ["shop_id", "store_credit_id"],
        postgresql_where=sa.text("remaining_minor > 0"),
    )
    op.create_index(
        "ix_store_credit_lots_due_at_sweep",
        "store_credit_lots",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def _create_movements() -> None:
    op.create_table(
        "store_credit_movements",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("store_credit_id", sa.UUID(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.UUID(), nullable=False),
        sa.Column("lot_id", sa.UUID(), nullable=True),
        sa.Column("transfer_id", sa.UUID(), nullable=True),
        sa.Column("undoes_id", sa.UUID(), nullable=True),
        sa.Column("order_id", sa.UUID(), nullable=True),
        sa.Column("client_reference", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.UUID(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('issued', 'bonus', 'spent', 'given_back', 'expired', 'recovered')",
            name=op.f("ck_store_credit_movements_kind"),
        ),
        sa.CheckConstraint(
            "amount_minor >= 1", name=op.f("ck_store_credit_movements_amount_minor_min")
        ),
        sa.CheckConstraint(
            "balance_minor >= 0", name=op.f("ck_store_credit_movements_balance_minor_min")
        ),
        _of("store_credits", "store_credit_movements", "store_credit_id", "currency"),
        *(
            _of(table, "store_credit_movements", column)
            for table, column in (
                ("ledger_entries", "entry_id"),
                ("store_credit_lots", "lot_id"),
                ("transfers", "transfer_id"),
                ("store_credit_movements", "undoes_id"),
                ("orders", "order_id"),
            )
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_store_credit_movements")),
        sa.UniqueConstraint(
            "shop_id",
            "store_credit_id",
            "no",
            name=op.f("uq_store_credit_movements_shop_id_store_credit_id_no"),
        ),
    )
    op.create_index(
        "uq_store_credit_movements_client_reference",
        "store_credit_movements",
        ["shop_id", "client_reference"],
        unique=True,
        postgresql_where=sa.text("client_reference IS NOT NULL"),
    )
    op.create_index(
        "uq_store_credit_movements_transfer",
        "store_credit_movements",
        ["shop_id", "transfer_id", "kind"],
        unique=True,
        postgresql_where=sa.text("transfer_id IS NOT NULL"),
    )
    op.create_index(
        "uq_store_credit_movements_expiry",
        "store_credit_movements",
        ["shop_id", "lot_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'expired'"),
    )
    op.create_table(
        "store_credit_draws",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("movement_id", sa.UUID(), nullable=False),
        sa.Column("lot_id", sa.UUID(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "amount_minor >= 1", name=op.f("ck_store_credit_draws_amount_minor_min")
        ),
        sa.CheckConstraint(
            "returned_minor >= 0", name=op.f("ck_store_credit_draws_returned_minor_min")
        ),
        sa.CheckConstraint(
            "returned_minor <= amount_minor", name=op.f("ck_store_credit_draws_within")
        ),
        _of("store_credit_movements", "store_credit_draws", "movement_id"),
        _of("store_credit_lots", "store_credit_draws", "lot_id"),
        sa.PrimaryKeyConstraint(
            "shop_id", "movement_id", "lot_id", name=op.f("pk_store_credit_draws")
        ),
    )


def _of(parent: str, table: str, column: str, *also: str) -> sa.ForeignKeyConstraint:
    """A reference that cannot leave the shop."""
    name = "_".join(["fk", table, "shop_id", column, *also])
    return sa.ForeignKeyConstraint(
        ["shop_id", column, *also],
        [f"{parent}.shop_id", f"{parent}.id", *(f"{parent}.{each}" for each in also)],
        name=op.f(name),
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER transfers_fixed ON transfers")
    op.drop_constraint(op.f("ck_transfers_goes_somewhere"), "transfers")
    op.drop_constraint(op.f("fk_transfers_shop_id_store_credit_id_currency"), "transfers")
    op.drop_column("transfers", "store_credit_id")
    op.alter_column("transfers", "payment_id", existing_type=sa.UUID(), nullable=False)
    op.execute(FIXED.format(more_old="", more_new=""))
    for table in reversed(NEW_TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION store_credits_moved()")
    op.drop_index("ix_ledger_postings_store_credit", "ledger_postings")
    op.drop_column("shops", "store_credit")
