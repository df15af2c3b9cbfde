"""Messages and staff notes on returns, whose words can be forgotten; and exports.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
TABLES = ("return_messages", "message_texts", "exports", "export_parts")
_OPTIONAL = ("due_at", "leased_until", "finished_at")
CHANGING = ("message_texts", "exports", "export_parts")


def upgrade() -> None:
    _messages()
    _texts()
    _exports()
    _parts()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
    op.execute("GRANT SELECT, INSERT ON return_messages TO returns_app")
    for table in CHANGING:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO returns_app")
    op.execute(
        "GRANT SELECT (shop_id, id, due_at, leased_until, forget_at) ON exports TO returns_sweep"
    )
    op.execute("CREATE POLICY keys_only ON exports FOR SELECT TO returns_sweep USING (true)")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON return_messages"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _messages() -> None:
    table = "return_messages"
    op.create_table(
        table,
        *(
            sa.Column(name, sa.UUID(), nullable=False)
            for name in ("shop_id", "id", "return_id", "order_id")
        ),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "party", "role")),
        sa.Column("author", sa.UUID(), nullable=True),
        sa.Column(
            "photos",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('message', 'note')", name=op.f(f"ck_{table}_kind")),
        sa.CheckConstraint("party IN ('buyer', 'merchant')", name=op.f(f"ck_{table}_party")),
        sa.CheckConstraint(
            "kind = 'message' OR party = 'merchant'", name=op.f(f"ck_{table}_notes_are_staff_s")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id", "order_id"],
            ["returns.shop_id", "returns.id", "returns.order_id"],
            name=op.f(f"fk_{table}_shop_id_return_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_return_messages_return", table, ["shop_id", "return_id", "id"])
    op.create_index("ix_return_messages_order", table, ["shop_id", "order_id"])


def _texts() -> None:
    table = "message_texts"
    op.create_table(
        table,
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "message_id"],
            ["return_messages.shop_id", "return_messages.id"],
            name=op.f(f"fk_{table}_shop_id_message_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "message_id", name=op.f(f"pk_{table}")),
    )


def _exports() -> None:
    table = "exports"
    op.create_table(
        table,
        *(sa.Column(name, sa.UUID(), nullable=False) for name in ("shop_id", "id")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "state")),
        *(_count(name) for name in ("total", "done", "parts", "attempt")),
        sa.Column("cursor", sa.UUID(), nullable=True),
        sa.Column("size", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.UUID(), nullable=True),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=name in _OPTIONAL)
            for name in ("due_at", "leased_until", "forget_at", "created_at", "finished_at")
        ),
        sa.CheckConstraint("kind IN ('orders', 'returns')", name=op.f(f"ck_{table}_kind")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed')", name=op.f(f"ck_{table}_state")
        ),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_{table}_{name}_min"))
            for name in ("total", "done", "parts", "size", "attempt")
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], name=op.f(f"fk_{table}_shop_id")),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{table}")),
    )
    for name in ("due_at", "forget_at"):
        op.create_index(
            f"ix_{table}_{name}_sweep",
            table,
            [name],
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
        )


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)


def _parts() -> None:
    table = "export_parts"
    op.create_table(
        table,
        *(sa.Column(name, sa.UUID(), nullable=False) for name in ("shop_id", "export_id")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("no", "lines")),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("lines >= 0", name=op.f(f"ck_{table}_lines_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "export_id"],
            ["exports.shop_id", "exports.id"],
            name=op.f(f"fk_{table}_shop_id_export_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("shop_id", "export_id", "no", name=op.f(f"pk_{table}")),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
