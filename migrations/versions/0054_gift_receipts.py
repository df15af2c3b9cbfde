"""Gift receipts: who holds one brings back a gift for store credit of their own.

Revision ID: 0054
Revises: 0042

The returns, quotes and tokens that there are were made without one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0042"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
ROLES = "'buyer', 'publishable', 'agent', 'warehouse', 'finance', 'admin', 'platform'"
PERSON = (
    "email",
    "phone",
    "name",
    "locale",
    "street1",
    "street2",
    "city",
    "region",
    "postcode",
    "country",
)
NEW = ("gift_receipts", "gift_receipt_lines", "gift_recipients")
MADE_BY_ONE = {
    "quotes": (
        "a_gift_is_paid_as_credit",
        "gift_receipt_id IS NULL OR resolution = 'store_credit'",
    ),
    "returns": (
        "a_gift_is_paid_as_credit",
        "gift_receipt_id IS NULL OR resolution = 'store_credit'",
    ),
    "credentials": ("a_gift_s_recipient", "gift_receipt_id IS NULL OR role = 'recipient'"),
}
"""Tables whose rows may come of a receipt, and what then holds of them."""


def _ids(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.UUID(), nullable=False) for name in ("shop_id", *names)]


def _at(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _below(table: str, column: str, parent: str, **more: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["shop_id", column, "order_id"],
        [f"{parent}.shop_id", f"{parent}.id", f"{parent}.order_id"],
        name=op.f(f"fk_{table}_shop_id_{column}_order_id"),
        **more,
    )


def upgrade() -> None:
    _receipts()
    _lines()
    _recipients()
    for name in NEW:
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {name} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO returns_app")
    _roles(f"{ROLES}, 'recipient'")
    for name, (check, rule) in MADE_BY_ONE.items():
        op.add_column(name, sa.Column("gift_receipt_id", sa.UUID(), nullable=True))
        op.create_check_constraint(op.f(f"ck_{name}_{check}"), name, rule)
        order = [] if name == "credentials" else ["order_id"]
        columns = ["shop_id", "gift_receipt_id", *order]
        op.create_foreign_key(
            op.f(f"fk_{name}_{'_'.join(columns)}"),
            name,
            "gift_receipts",
            columns,
            ["shop_id", "id", *order],
        )
    op.create_index(
        "ix_returns_gift_receipt",
        "returns",
        ["shop_id", "gift_receipt_id"],
        postgresql_where=sa.text("gift_receipt_id IS NOT NULL"),
    )


def _receipts() -> None:
    name = "gift_receipts"
    op.create_table(
        name,
        *_ids("id", "order_id"),
        sa.Column("code_key", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        *(_at(each) for each in ("created_at", "expires_at")),
        _at("revoked_at", null=True),
        sa.CheckConstraint(
            "made_by IN ('buyer', 'agent', 'admin')", name=op.f(f"ck_{name}_made_by")
        ),
        sa.CheckConstraint("expires_at > created_at", name=op.f(f"ck_{name}_lasts")),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f(f"fk_{name}_shop_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("shop_id", "code_key", name=op.f(f"uq_{name}_shop_id_code_key")),
        sa.UniqueConstraint(
            "shop_id", "id", "order_id", name=op.f(f"uq_{name}_shop_id_id_order_id")
        ),
    )
    op.create_index(f"ix_{name}_order", name, ["shop_id", "order_id", "id"])


def _lines() -> None:
    name = "gift_receipt_lines"
    op.create_table(
        name,
        *_ids("gift_receipt_id", "order_line_id", "order_id"),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 1", name=op.f(f"ck_{name}_quantity_min")),
        _below(name, "gift_receipt_id", "gift_receipts"),
        _below(name, "order_line_id", "order_lines", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(
            "shop_id", "gift_receipt_id", "order_line_id", name=op.f(f"pk_{name}")
        ),
    )
    op.create_index(f"ix_{name}_order_line", name, ["shop_id", "order_line_id"])


def _recipients() -> None:
    name = "gift_recipients"
    op.create_table(
        name,
        *_ids("return_id", "order_id"),
        sa.Column("email_key", sa.LargeBinary(), nullable=True),
        *(sa.Column(each, sa.Text(), nullable=True) for each in PERSON),
        _at("erased_at", null=True),
        sa.CheckConstraint(
            "(erased_at IS NULL) = (email_key IS NOT NULL)",
            name=op.f(f"ck_{name}_known_until_erased"),
        ),
        sa.CheckConstraint(
            "(email IS NULL) = (email_key IS NULL)",
            name=op.f(f"ck_{name}_an_address_and_its_hash"),
        ),
        _below(name, "return_id", "returns"),
        sa.PrimaryKeyConstraint("shop_id", "return_id", name=op.f(f"pk_{name}")),
    )
    op.create_index(f"ix_{name}_email_key", name, ["shop_id", "email_key"])


def _roles(listed: str) -> None:
    op.drop_constraint(op.f("ck_credentials_role"), "credentials", type_="check")
    op.create_check_constraint(op.f("ck_credentials_role"), "credentials", f"role IN ({listed})")


def downgrade() -> None:
    op.execute("DELETE FROM credentials WHERE role = 'recipient'")
    _roles(ROLES)
    op.drop_index("ix_returns_gift_receipt", table_name="returns")
    for name in MADE_BY_ONE:
        op.drop_column(name, "gift_receipt_id")
    for name in reversed(NEW):
        op.drop_table(name)
