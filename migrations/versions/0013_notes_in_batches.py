"""Number credit notes in batches, and count what arrived of a refund in its own row.

Revision ID: 0013
Revises: 0012

A refund whose money came to rest says since when a note is due: the work list of the one who
numbers. The counter now moves by as many as there are notes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STEP = """
CREATE OR REPLACE FUNCTION number_series_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND (
        NEW.last_number <= OLD.last_number
        OR (NEW.shop_id, NEW.name) IS DISTINCT FROM (OLD.shop_id, OLD.name)))
    THEN
        RAISE EXCEPTION 'numbers are never drawn twice'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""
USED = """
CREATE OR REPLACE FUNCTION number_series_used() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before bigint := CASE WHEN TG_OP = 'UPDATE' THEN OLD.last_number ELSE 0 END;
BEGIN
    IF NEW.name = 'credit_notes' AND NEW.last_number - before <> (
        SELECT count(*) FROM credit_notes n
        WHERE n.shop_id = NEW.shop_id AND n.number > before AND n.number <= NEW.last_number
    ) THEN
        RAISE EXCEPTION 'a number of % after % was drawn and not used', NEW.name, before
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""
DRAWN = """
CREATE OR REPLACE FUNCTION credit_notes_drawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM number_series s
        WHERE s.shop_id = NEW.shop_id AND s.name = 'credit_notes' AND s.last_number >= NEW.number
    ) THEN
        RAISE EXCEPTION 'credit note %: nobody drew this number', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""
STEP_BEFORE = """
CREATE OR REPLACE FUNCTION number_series_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.last_number <> (CASE WHEN TG_OP = 'INSERT' THEN 0 ELSE OLD.last_number END) + 1
       OR (TG_OP = 'UPDATE' AND (NEW.shop_id, NEW.name) IS DISTINCT FROM (OLD.shop_id, OLD.name))
    THEN
        RAISE EXCEPTION 'numbers have no gaps'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""
USED_BEFORE = """
CREATE OR REPLACE FUNCTION number_series_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name = 'credit_notes' AND NOT EXISTS (
        SELECT FROM credit_notes n WHERE n.shop_id = NEW.shop_id AND n.number = NEW.last_number
    ) THEN
        RAISE EXCEPTION 'number % of % was drawn and not used', NEW.last_number, NEW.name
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""
DRAWN_BEFORE = """
CREATE OR REPLACE FUNCTION credit_notes_drawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM number_series s
        WHERE s.shop_id = NEW.shop_id AND s.name = 'credit_notes' AND s.last_number = NEW.number
    ) THEN
        RAISE EXCEPTION 'credit note %: not the next number', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    op.add_column(
        "refunds",
        sa.Column("arrived_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    # The owner of a table, unlike its users, may see all shops' rows while it is not forced.
    for table in ("refunds", "transfers"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE refunds r SET arrived_minor = t.arrived FROM ("
        " SELECT shop_id, refund_id, sum(amount_minor) AS arrived FROM transfers"
        " WHERE state = 'succeeded' GROUP BY shop_id, refund_id) t"
        " WHERE t.shop_id = r.shop_id AND t.refund_id = r.id"
    )
    for table in ("refunds", "transfers"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.create_check_constraint(
        op.f("ck_refunds_arrived_minor_min"), "refunds", "arrived_minor >= 0"
    )
    op.add_column("refunds", sa.Column("note_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_refunds_note_at_sweep",
        "refunds",
        ["note_at"],
        postgresql_where=sa.text("note_at IS NOT NULL"),
    )
    op.execute("GRANT SELECT (note_at) ON refunds TO returns_sweep")
    for function in (STEP, USED, DRAWN):
        op.execute(function)


def downgrade() -> None:
    for function in (STEP_BEFORE, USED_BEFORE, DRAWN_BEFORE):
        op.execute(function)
    op.execute("REVOKE SELECT (note_at) ON refunds FROM returns_sweep")
    op.drop_index("ix_refunds_note_at_sweep", "refunds")
    op.drop_column("refunds", "note_at")
    op.drop_constraint(op.f("ck_refunds_arrived_minor_min"), "refunds")
    op.drop_column("refunds", "arrived_minor")
