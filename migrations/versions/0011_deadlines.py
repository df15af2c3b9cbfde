"""One table of deadlines in place of the due columns of returns.

Revision ID: 0011
Revises: 0010

What stands keeps its moment. Of what was over before, only the moment is known: it becomes
``dropped``, which blames nobody.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
KINDS = {
    "respond": ("agent", "coalesce(on_silence, 'approve')"),
    "answer": ("buyer", "'reject'"),
    "ship": ("buyer", "'expire'"),
    "arrive": ("warehouse", "'overdue'"),
    "inspect": ("warehouse", "'overdue'"),
    "refund": ("system", "'overdue'"),
}
BY = ("respond", "ship", "inspect", "refund")
"""Kinds whose moment had a column of its own."""
COLUMNS = (
    *(sa.Column(f"{kind}_by", sa.DateTime(timezone=True)) for kind in BY),
    sa.Column("paused_at", sa.DateTime(timezone=True)),
    sa.Column("on_silence", sa.Text()),
    sa.Column("deadline_at", sa.DateTime(timezone=True)),
    sa.Column("deadline_kind", sa.Text()),
)


def upgrade() -> None:
    _create()
    # The owner is bound by row-level security as well, and here it has to see every shop's rows.
    op.execute("ALTER TABLE returns NO FORCE ROW LEVEL SECURITY")
    _copy()
    op.execute("ALTER TABLE returns FORCE ROW LEVEL SECURITY")
    _guard()
    op.execute("REVOKE ALL ON returns FROM returns_sweep")
    op.execute("DROP POLICY keys_only ON returns")
    op.drop_index("ix_returns_deadline_at_sweep", "returns")
    for column in COLUMNS:
        op.drop_column("returns", column.name)


def _copy() -> None:
    for kind, (owner, default) in KINDS.items():
        op.execute(
            "INSERT INTO deadlines (shop_id, return_id, object_id, object, kind, owner,"
            " on_silence, state, due_at, wake_at, begun_at)"
            f" SELECT shop_id, id, id, 'return', '{kind}', '{owner}', {default}, 'open',"
            " deadline_at, deadline_at, updated_at FROM returns"
            f" WHERE deadline_kind = '{kind}'"
        )
    for kind in BY:
        owner, default = KINDS[kind]
        paused = f"'{kind}' = 'respond' AND paused_at IS NOT NULL"
        op.execute(
            "INSERT INTO deadlines (shop_id, return_id, object_id, object, kind, owner,"
            " on_silence, state, due_at, paused_at, begun_at, ended_at)"
            f" SELECT shop_id, id, id, 'return', '{kind}', '{owner}', {default},"
            f" CASE WHEN {paused} THEN 'paused' ELSE 'dropped' END, {kind}_by,"
            f" CASE WHEN {paused} THEN paused_at END, created_at,"
            f" CASE WHEN NOT ({paused}) THEN updated_at END FROM returns"
            f" WHERE {kind}_by IS NOT NULL AND deadline_kind IS DISTINCT FROM '{kind}'"
        )


def _create() -> None:
    op.create_table(
        "deadlines",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("return_id", sa.UUID(), nullable=False),
        sa.Column("object_id", sa.UUID(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("object", "kind", "owner", "on_silence", "state")
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'paused', 'kept', 'passed', 'dropped')",
            name=op.f("ck_deadlines_state"),
        ),
        sa.CheckConstraint(
            "owner IN ('buyer', 'agent', 'warehouse', 'finance', 'admin', 'system')",
            name=op.f("ck_deadlines_owner"),
        ),
        sa.CheckConstraint(
            "(wake_at IS NOT NULL) = (state = 'open')", name=op.f("ck_deadlines_open_ones_wake")
        ),
        sa.CheckConstraint(
            "(paused_at IS NOT NULL) = (state = 'paused')", name=op.f("ck_deadlines_paused_since")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('open', 'paused'))",
            name=op.f("ck_deadlines_ended_at"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id"],
            ["returns.shop_id", "returns.id"],
            name=op.f("fk_deadlines_shop_id_return_id"),
        ),
        sa.PrimaryKeyConstraint(
            "shop_id", "return_id", "object_id", "kind", name=op.f("pk_deadlines")
        ),
    )
    op.create_index(
        "ix_deadlines_wake_at_sweep",
        "deadlines",
        ["wake_at"],
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )


def _guard() -> None:
    op.execute("ALTER TABLE deadlines ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE deadlines FORCE ROW LEVEL SECURITY")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON deadlines TO returns_app")
    op.execute("GRANT SELECT (shop_id, return_id, wake_at) ON deadlines TO returns_sweep")
    op.execute("CREATE POLICY keys_only ON deadlines FOR SELECT TO returns_sweep USING (true)")
    op.execute(
        "CREATE POLICY one_shop ON deadlines TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )


def downgrade() -> None:
    for table in ("returns", "deadlines"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for column in COLUMNS:
        op.add_column("returns", column.copy())
    for kind in BY:
        op.execute(
            f"UPDATE returns r SET {kind}_by = d.due_at FROM deadlines d WHERE"
            f" d.shop_id = r.shop_id AND d.object_id = r.id AND d.kind = '{kind}'"
        )
    op.execute(
        "UPDATE returns r SET deadline_at = d.due_at, deadline_kind = d.kind FROM deadlines d"
        " WHERE d.shop_id = r.shop_id AND d.object_id = r.id AND d.state = 'open'"
    )
    op.execute(
        "UPDATE returns r SET on_silence = d.on_silence, paused_at = d.paused_at"
        " FROM deadlines d WHERE d.shop_id = r.shop_id AND d.object_id = r.id"
        " AND d.kind = 'respond'"
    )
    op.create_check_constraint(
        op.f("ck_returns_a_deadline_has_a_kind"),
        "returns",
        "(deadline_at IS NULL) = (deadline_kind IS NULL)",
    )
    op.create_check_constraint(
        op.f("ck_returns_on_silence"), "returns", "on_silence IN ('approve', 'reject')"
    )
    op.create_index(
        "ix_returns_deadline_at_sweep",
        "returns",
        ["deadline_at"],
        postgresql_where=sa.text("deadline_at IS NOT NULL"),
    )
    op.execute("GRANT SELECT (shop_id, id, deadline_at) ON returns TO returns_sweep")
    op.execute("CREATE POLICY keys_only ON returns FOR SELECT TO returns_sweep USING (true)")
    op.drop_table("deadlines")
    op.execute("ALTER TABLE returns FORCE ROW LEVEL SECURITY")
