"""Let a payment that a buyer made count for one thing in the whole shop; bound what goods draw.

Revision ID: 0055
Revises: 0051

A reference could pay one exchange, one repair and one recovery each. Those that did are facts, and
stay: the first of them keeps the reference, and the keys bind only what is told from now on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0051"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
NEW = "payment_references"
TOLD = {
    "exchanges": ("payment_reference", "exchange", "updated_at", ("payment_reference",)),
    "repairs": ("payment_reference", "repair", "updated_at", ("payment_reference",)),
    "recovery_steps": ("reference", "recovery", "at", ("kind", "reference")),
}
"""By table: its column, what it is called, when it was told, the key that bound the table alone."""
TAKEN = f"""
INSERT INTO {NEW} (shop_id, reference, kind, used_by, told_at)
SELECT DISTINCT ON (shop_id, reference) shop_id, reference, kind, id, told_at FROM ({{told}}) t
ORDER BY shop_id, reference, told_at, id
"""


def upgrade() -> None:
    op.create_table(
        NEW,
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("used_by", sa.UUID(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('exchange', 'repair', 'recovery')", name=op.f(f"ck_{NEW}_kind")
        ),
        sa.PrimaryKeyConstraint("shop_id", "reference", name=op.f(f"pk_{NEW}")),
        sa.UniqueConstraint(
            "shop_id", "reference", "used_by", name=op.f(f"uq_{NEW}_shop_id_reference_used_by")
        ),
    )
    _take()
    op.execute(f"ALTER TABLE {NEW} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {NEW} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY one_shop ON {NEW} TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    op.execute(f"GRANT SELECT, INSERT ON {NEW} TO returns_app")
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {NEW}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    for table, (column, _, _, key) in TOLD.items():
        op.drop_constraint(op.f(f"uq_{table}_shop_id_{'_'.join(key)}"), table)
        op.create_foreign_key(
            op.f(f"fk_{table}_shop_id_{column}_id"),
            table,
            NEW,
            ["shop_id", column, "id"],
            ["shop_id", "reference", "used_by"],
            postgresql_not_valid=True,
        )
    op.create_check_constraint(
        op.f("ck_exchanges_drawn_within_credit"),
        "exchanges",
        "in_advance OR drawn_minor <= coalesce(credit_minor, 0)",
    )


def _take() -> None:
    """What was told before; row-level security is off for the owner while it is read."""
    for table in TOLD:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    told = (
        f"SELECT shop_id, {column} AS reference, '{kind}' AS kind, id, {at} AS told_at"
        f" FROM {table} WHERE {column} IS NOT NULL"
        for table, (column, kind, at, _) in TOLD.items()
    )
    op.execute(TAKEN.format(told=" UNION ALL ".join(told)))
    for table in TOLD:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_exchanges_drawn_within_credit"), "exchanges", type_="check")
    for table, (column, _, _, key) in TOLD.items():
        op.drop_constraint(op.f(f"fk_{table}_shop_id_{column}_id"), table, type_="foreignkey")
        op.create_unique_constraint(
            op.f(f"uq_{table}_shop_id_{'_'.join(key)}"), table, ["shop_id", *key]
        )
    op.drop_table(NEW)
