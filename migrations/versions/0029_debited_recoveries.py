"""Let store credit pay what of an advance has to come back.

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

BEFORE = "'paid', 'written_off', 'waived', 'cleared', 'write_off_undone', 'waiver_undone'"


def upgrade() -> None:
    op.add_column("recovery_steps", sa.Column("movement_id", sa.UUID(), nullable=True))
    _kinds(f"{BEFORE}, 'debited'")
    op.create_check_constraint(
        op.f("ck_recovery_steps_debited_by_a_movement"),
        "recovery_steps",
        "(kind = 'debited') = (movement_id IS NOT NULL)",
    )
    op.create_unique_constraint(
        op.f("uq_recovery_steps_shop_id_movement_id"), "recovery_steps", ["shop_id", "movement_id"]
    )
    op.create_foreign_key(
        op.f("fk_recovery_steps_shop_id_movement_id"),
        "recovery_steps",
        "store_credit_movements",
        ["shop_id", "movement_id"],
        ["shop_id", "id"],
    )


def _kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_recovery_steps_kind"), "recovery_steps")
    op.create_check_constraint(
        op.f("ck_recovery_steps_kind"), "recovery_steps", f"kind IN ({kinds})"
    )


def downgrade() -> None:
    op.drop_column("recovery_steps", "movement_id")
    _kinds(BEFORE)
