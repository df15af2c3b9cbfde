"""Imports of orders in parts, and who may write orders.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
TABLES = ("imports", "import_parts", "import_problems")
COUNTS = ("total", "done", "created", "updated", "unchanged", "rejected", "parts", "part", "line")


def upgrade() -> None:
    _runs()
    _below()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO returns_app")
    # A part is written once, read once and dropped: compressing it would be for nothing.
    op.execute("ALTER TABLE import_parts ALTER COLUMN body SET STORAGE EXTERNAL")
    op.execute("GRANT SELECT (shop_id, id, due_at, leased_until) ON imports TO returns_sweep")
    op.execute("CREATE POLICY keys_only ON imports FOR SELECT TO returns_sweep USING (true)")
    _let_admins_write_orders()


def _runs() -> None:
    op.create_table(
        "imports",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
            for name in COUNTS[:6]
        ),
        sa.Column("size", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        *(
            sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
            for name in COUNTS[6:]
        ),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("requested_by", sa.UUID(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'queued', 'running', 'succeeded', 'failed')",
            name=op.f("ck_imports_state"),
        ),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_imports_{name}_min"))
            for name in (*COUNTS, "size", "attempt")
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], name=op.f("fk_imports_shop_id")),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_imports")),
    )
    op.create_index(
        "ix_imports_due_at_sweep",
        "imports",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def _below() -> None:
    op.create_table(
        "import_parts",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("first_byte", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("first_byte >= 0", name=op.f("ck_import_parts_first_byte_min")),
        sa.CheckConstraint("lines >= 0", name=op.f("ck_import_parts_lines_min")),
        _of_an_import("import_parts"),
        sa.PrimaryKeyConstraint("shop_id", "import_id", "no", name=op.f("pk_import_parts")),
    )
    op.create_table(
        "import_problems",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("errors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("line >= 1", name=op.f("ck_import_problems_line_min")),
        _of_an_import("import_problems"),
        sa.PrimaryKeyConstraint("shop_id", "import_id", "line", name=op.f("pk_import_problems")),
    )


def _of_an_import(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["shop_id", "import_id"],
        ["imports.shop_id", "imports.id"],
        name=op.f(f"fk_{table}_shop_id_import_id"),
        ondelete="CASCADE",
    )


def _let_admins_write_orders() -> None:
    """Keys that could make themselves one with the new scope get it, so that none has to be made
    anew. The table's owner is bound by its policies too, which name the service's role only."""
    op.execute("ALTER TABLE credentials NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE credentials SET scopes = scopes || '{orders:write}'::text[]"
        " WHERE role = 'admin' AND 'keys:manage' = ANY (scopes)"
        " AND NOT 'orders:write' = ANY (scopes)"
    )
    op.execute("ALTER TABLE credentials FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("ALTER TABLE credentials NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE credentials SET scopes = array_remove(scopes, 'orders:write')")
    op.execute("ALTER TABLE credentials FORCE ROW LEVEL SECURITY")
    for table in reversed(TABLES):
        op.drop_table(table)
