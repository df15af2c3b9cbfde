"""The ledger: entries, postings, the chain over them.

Revision ID: 0007
Revises: 0006

Entries, postings and seals can be inserted and nothing else, by right and by trigger. A posting is
one amount between two accounts: no row that the database takes can be out of balance.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BOOKS = ("ledger_entries", "ledger_postings", "ledger_seals")
WORK = "ledger_unsealed"
THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
ACCOUNTS = (
    "'buyer', 'reserved', 'clearing', 'disputed', 'merchant', 'goodwill', 'advance', 'write_off',"
    " 'carrier', 'insurer', 'store_credit'"
)


def upgrade() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("source_id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_ledger_entries")),
    )
    op.create_index("ix_ledger_entries_order", "ledger_entries", ["shop_id", "order_id"])
    op.create_table(
        "ledger_postings",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("entry_id", sa.UUID(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("debit_of", sa.UUID(), nullable=True),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("credit_of", sa.UUID(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.CheckConstraint(f"debit IN ({ACCOUNTS})", name=op.f("ck_ledger_postings_debit")),
        sa.CheckConstraint(f"credit IN ({ACCOUNTS})", name=op.f("ck_ledger_postings_credit")),
        sa.CheckConstraint("no >= 1", name=op.f("ck_ledger_postings_no_min")),
        sa.CheckConstraint("amount_minor >= 1", name=op.f("ck_ledger_postings_amount_minor_min")),
        sa.CheckConstraint(
            "debit <> credit OR debit_of IS DISTINCT FROM credit_of",
            name=op.f("ck_ledger_postings_between_two_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "entry_id"],
            ["ledger_entries.shop_id", "ledger_entries.id"],
            name=op.f("fk_ledger_postings_shop_id_entry_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "entry_id", "no", name=op.f("pk_ledger_postings")),
    )
    op.create_table(
        "ledger_seals",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.UUID(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_ledger_seals_position_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "entry_id"],
            ["ledger_entries.shop_id", "ledger_entries.id"],
            name=op.f("fk_ledger_seals_shop_id_entry_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "position", name=op.f("pk_ledger_seals")),
        sa.UniqueConstraint("shop_id", "entry_id", name=op.f("uq_ledger_seals_shop_id_entry_id")),
    )
    op.create_table(
        WORK,
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("entry_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "entry_id", name=op.f("pk_ledger_unsealed")),
    )
    _guard()


def _guard() -> None:
    for table in (*BOOKS, WORK):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
    for table in BOOKS:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO returns_app")
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {WORK} TO returns_app")
    op.execute(f"GRANT SELECT (shop_id, entry_id) ON {WORK} TO returns_sweep")
    op.execute(f"CREATE POLICY keys_only ON {WORK} FOR SELECT TO returns_sweep USING (true)")


def downgrade() -> None:
    op.drop_table(WORK)
    for table in reversed(BOOKS):
        op.drop_table(table)
