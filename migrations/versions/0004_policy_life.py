"""Let a policy version be checked and retired; keep its history; store back-tests of drafts.

Revision ID: 0004
Revises: 0003

A version that was published is a fact that decisions point to: a trigger refuses any other text,
number or date for it, whatever the program does.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NEW_TABLES = ("policy_history", "backtests")
THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"

FIXED = """
CREATE FUNCTION policy_versions_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('published', 'retired') AND (
        TG_OP = 'DELETE'
        OR (NEW.shop_id, NEW.id, NEW.number, NEW.source, NEW.canonical, NEW.digest, NEW.findings)
           IS DISTINCT FROM
           (OLD.shop_id, OLD.id, OLD.number, OLD.source, OLD.canonical, OLD.digest, OLD.findings)
        OR NEW.effective_from IS DISTINCT FROM OLD.effective_from
        OR NEW.state NOT IN ('published', 'retired')
        OR (OLD.state = 'retired' AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
    ) THEN
        RAISE EXCEPTION 'policy version %: published, so it stays as it is', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'policy_versions_fixed';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    op.add_column(
        "policy_versions", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "policy_versions", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.drop_constraint(op.f("ck_policy_versions_state"), "policy_versions")
    op.create_check_constraint(
        op.f("ck_policy_versions_state"),
        "policy_versions",
        "state IN ('draft', 'checked', 'published', 'retired')",
    )
    op.drop_index("ix_policy_versions_in_force", "policy_versions")
    op.create_index(
        "ix_policy_versions_in_force",
        "policy_versions",
        ["shop_id", "effective_from"],
        postgresql_where=sa.text("state IN ('published', 'retired')"),
    )
    _create_tables()
    _guard()


def _create_tables() -> None:
    op.create_table(
        "policy_history",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("policy_version_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.UUID(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "action IN ('drafted', 'edited', 'checked', 'published', 'retired')",
            name=op.f("ck_policy_history_action"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "policy_version_id"],
            ["policy_versions.shop_id", "policy_versions.id"],
            name=op.f("fk_policy_history_shop_id_policy_version_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_policy_history")),
        sa.UniqueConstraint(
            "shop_id",
            "policy_version_id",
            "sequence",
            name=op.f("uq_policy_history_shop_id_policy_version_id_sequence"),
        ),
    )
    op.create_table(
        "backtests",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("policy_version_id", sa.UUID(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("against_id", sa.UUID(), nullable=True),
        sa.Column("opened_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cursor", sa.UUID(), nullable=True),
        sa.Column("partial", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed')",
            name=op.f("ck_backtests_state"),
        ),
        sa.CheckConstraint("total >= 0", name=op.f("ck_backtests_total_min")),
        sa.CheckConstraint("done >= 0", name=op.f("ck_backtests_done_min")),
        sa.CheckConstraint("attempt >= 0", name=op.f("ck_backtests_attempt_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "policy_version_id"],
            ["policy_versions.shop_id", "policy_versions.id"],
            name=op.f("fk_backtests_shop_id_policy_version_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_backtests")),
    )
    op.create_index(
        "ix_backtests_due_at_sweep",
        "backtests",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def _guard() -> None:
    for table in NEW_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
    op.execute("GRANT SELECT, INSERT ON policy_history TO returns_app")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON policy_history"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON backtests TO returns_app")
    op.execute("GRANT SELECT (shop_id, id, due_at, leased_until) ON backtests TO returns_sweep")
    op.execute("CREATE POLICY keys_only ON backtests FOR SELECT TO returns_sweep USING (true)")
    op.execute(FIXED)
    op.execute(
        "CREATE TRIGGER policy_versions_fixed BEFORE UPDATE OR DELETE ON policy_versions"
        " FOR EACH ROW EXECUTE FUNCTION policy_versions_fixed()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER policy_versions_fixed ON policy_versions")
    op.execute("DROP FUNCTION policy_versions_fixed()")
    for table in NEW_TABLES:
        op.drop_table(table)
    op.drop_index("ix_policy_versions_in_force", "policy_versions")
    op.execute("UPDATE policy_versions SET state = 'draft' WHERE state = 'checked'")
    op.drop_constraint(op.f("ck_policy_versions_state"), "policy_versions")
    op.create_check_constraint(
        op.f("ck_policy_versions_state"),
        "policy_versions",
        "state IN ('draft', 'published', 'retired')",
    )
    op.create_index(
        "ix_policy_versions_in_force",
        "policy_versions",
        ["shop_id", "effective_from"],
        postgresql_where=sa.text("state <> 'draft'"),
    )
    op.drop_column("policy_versions", "retired_at")
    op.drop_column("policy_versions", "checked_at")
