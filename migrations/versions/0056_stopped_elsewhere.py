"""Tell units that were refunded elsewhere before they were sent apart from those that came back.

Revision ID: 0056
Revises: 0059

What was told before stays counted as given back of what the buyer has: nobody noted which it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0059"
branch_labels = None
depends_on = None

GROWTH = """
CREATE OR REPLACE FUNCTION order_lines_growth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A later order edit or an outside return may undercut what is claimed; only growth is bound.
    IF NEW.claimed > OLD.claimed
       AND NEW.claimed + NEW.outside_returned
           > least(NEW.ordered - NEW.removed - NEW.cancelled{elsewhere}, NEW.shipped) THEN
        RAISE EXCEPTION 'order line %: claimed more than was shipped', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_lines_growth';
    END IF;
    RETURN NEW;
END
$$
"""
UNSENT = """
CREATE OR REPLACE FUNCTION cancellation_lines_unsent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line order_lines;
BEGIN
    -- What is sent, returned and cancelled together never exceeds what was bought. That units were
    -- sent, or stopped elsewhere, is a fact and may undercut it later; only a new cancellation is
    -- bound.
    SELECT * INTO line FROM order_lines
    WHERE shop_id = NEW.shop_id AND id = NEW.order_line_id FOR NO KEY UPDATE;
    IF NEW.quantity + line.cancelled + greatest(line.shipped, line.claimed + line.outside_returned)
       > line.ordered - line.removed{elsewhere} THEN
        RAISE EXCEPTION 'order line %: cancelled more than is left', NEW.order_line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'cancellation_lines_unsent';
    END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    op.add_column(
        "order_lines",
        sa.Column("outside_cancelled", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_order_lines_outside_cancelled_min"), "order_lines", "outside_cancelled >= 0"
    )
    op.execute(GROWTH.format(elsewhere=" - NEW.outside_cancelled"))
    op.execute(UNSENT.format(elsewhere=" - line.outside_cancelled"))


def downgrade() -> None:
    op.execute(GROWTH.format(elsewhere=""))
    op.execute(UNSENT.format(elsewhere=""))
    op.drop_column("order_lines", "outside_cancelled")
