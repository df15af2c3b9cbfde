"""Who is on a shop's allow or block list, and returns that a person is to look at for a reason.

Revision ID: 0042
Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0046"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
OWNERS = "'buyer', 'agent', 'warehouse', 'finance', 'admin', 'platform', 'system'"
CHECKS = {
    "list": "list IN ('allow', 'block')",
    "identifier": "identifier IN ('email', 'customer')",
    "made_by": f"made_by IN ({OWNERS})",
    "forgotten_at_its_end": "(ended_at IS NULL) = (person_key IS NOT NULL)",
}


def upgrade() -> None:
    name = "listings"
    op.create_table(
        name,
        *(sa.Column(each, sa.UUID(), nullable=False) for each in ("shop_id", "id")),
        *(sa.Column(each, sa.Text(), nullable=False) for each in ("list", "identifier")),
        sa.Column("person_key", sa.LargeBinary(), nullable=True),
        *(sa.Column(each, sa.Text(), nullable=False) for each in ("reason", "made_by")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_{name}_{check}"))
            for check, rule in CHECKS.items()
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], name=op.f(f"fk_{name}_shop_id")),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{name}")),
    )
    op.create_index(
        f"uq_{name}_person",
        name,
        ["shop_id", "person_key"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY one_shop ON {name} TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO returns_app")
    op.create_index(
        "ix_returns_flagged",
        "returns",
        ["shop_id", "id"],
        postgresql_where=sa.text("(terms #> '{review,signals,0}') IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_returns_flagged", table_name="returns")
    op.drop_table("listings")
