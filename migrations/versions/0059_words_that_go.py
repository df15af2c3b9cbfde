"""Let what staff wrote about a person go with the person, also from rows that never change.

Revision ID: 0059
Revises: 0055

Of a receipt the notes on what nobody announced, of a step of a recovery its note: nothing else of
these rows can change, as before. A message of the inbox that waits while its person is erased
loses its body as soon as it is done with.
"""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0055"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.{column} IS DISTINCT FROM OLD.{column} AND NEW.{column} IS NOT DISTINCT FROM {rest}
            AND to_jsonb(NEW) - '{column}' = to_jsonb(OLD) - '{column}'
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
END
$$
"""
WITHOUT_NOTES = """(
            SELECT coalesce(jsonb_agg(each.item || '{"note": null}' ORDER BY each.place), '[]')
            FROM jsonb_array_elements(OLD.unexpected) WITH ORDINALITY AS each (item, place)
        )"""
WORDS = {
    "receipts": ("receipts_keep_all_but_words", "unexpected", WITHOUT_NOTES),
    "recovery_steps": ("recovery_steps_keep_all_but_words", "note", "NULL"),
}


def upgrade() -> None:
    for table, (name, column, rest) in WORDS.items():
        op.execute(FUNCTION.format(name=name, column=column, rest=rest))
        _replace_trigger(table, name)
        op.execute(f"GRANT UPDATE ({column}) ON {table} TO returns_app")
    op.add_column(
        "inbox",
        sa.Column("forgotten", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("inbox", "forgotten")
    for table, (name, column, _) in WORDS.items():
        op.execute(f"REVOKE UPDATE ({column}) ON {table} FROM returns_app")
        _replace_trigger(table, "refuse_change")
        op.execute(f"DROP FUNCTION {name}()")


def _replace_trigger(table: str, function: str) -> None:
    op.execute(f"DROP TRIGGER append_only ON {table}")
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {function}()"
    )
