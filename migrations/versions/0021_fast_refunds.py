"""Let refunds go out before the goods are seen, bounded by counters, and come back where they must.

Revision ID: 0021
Revises: 0020

What is out never exceeds a cap: the counter says so itself. What has to come back is counted in one
row, whose parts are never more than it all, and which is open exactly as long as something is.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"
NEW_TABLES = ("fast_refund_caps", "advances", "recoveries", "recovery_steps")
SWEPT = ("advances", "recoveries")
PARTS = ("paid", "written_off", "waived", "cleared")
OPEN = "state IN ('open', 'requested', 'to_approve')"
KINDS = "'return', 'manual', 'goodwill', 'cancellation'"
ACCOUNTS = (
    "'buyer', 'reserved', 'clearing', 'disputed', 'merchant', 'goodwill', 'advance', 'write_off',"
    " 'carrier', 'insurer', 'store_credit'"
)


def upgrade() -> None:
    _widen(f"{KINDS}, 'advance'", f"{ACCOUNTS}, 'cash'")
    _fast_refund_caps()
    _advances()
    _recoveries()
    _recovery_steps()
    for table in NEW_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
    for table in ("fast_refund_caps", *SWEPT):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO returns_app")
    for table in SWEPT:
        op.execute(f"GRANT SELECT (shop_id, id, due_at) ON {table} TO returns_sweep")
        op.execute(f"CREATE POLICY keys_only ON {table} FOR SELECT TO returns_sweep USING (true)")
    op.execute("GRANT SELECT, INSERT ON recovery_steps TO returns_app")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON recovery_steps"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _widen(kinds: str, accounts: str) -> None:
    """A wider CHECK holds for every row that is there: no row needs to be looked at twice."""
    op.drop_constraint(op.f("ck_refunds_kind"), "refunds")
    op.create_check_constraint(op.f("ck_refunds_kind"), "refunds", f"kind IN ({kinds})")
    for side in ("debit", "credit"):
        name = op.f(f"ck_ledger_postings_{side}")
        op.drop_constraint(name, "ledger_postings")
        op.create_check_constraint(name, "ledger_postings", f"{side} IN ({accounts})")


def _uuid(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.UUID(), nullable=null)


def _text(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=null)


def _moment(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _money(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[object]:
    start = None if default is None else sa.text(default)
    return sa.Column(name, sa.BigInteger(), server_default=start, nullable=null)


def _count(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), server_default=sa.text("1"), nullable=False)


def _currency() -> sa.Column[object]:
    return sa.Column("currency", sa.CHAR(length=3), nullable=False)


def _check(table: str, **checks: str) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(text, name=op.f(f"ck_{table}_{name}")) for name, text in checks.items()
    ]


def _at_least(table: str, minimum: int, *columns: str) -> list[sa.CheckConstraint]:
    return _check(table, **{f"{column}_min": f"{column} >= {minimum}" for column in columns})


def _belongs(table: str, parent: str, *columns: str) -> sa.ForeignKeyConstraint:
    """The first column is the parent's id, the others have the parent's names."""
    return sa.ForeignKeyConstraint(
        ["shop_id", *columns],
        [f"{parent}.{name}" for name in ("shop_id", "id", *columns[1:])],
        name=op.f("_".join(("fk", table, "shop_id", *columns))),
    )


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    name = "_".join(("uq", table, "shop_id", *columns))
    return sa.UniqueConstraint("shop_id", *columns, name=op.f(name))


def _swept(table: str) -> None:
    there = sa.text("due_at IS NOT NULL")
    op.create_index(f"ix_{table}_due_at_sweep", table, ["due_at"], postgresql_where=there)
    op.create_index(f"ix_{table}_order", table, ["shop_id", "order_id"])


def _fast_refund_caps() -> None:
    table = "fast_refund_caps"
    op.create_table(
        table,
        _uuid("shop_id"),
        _text("kind"),
        _uuid("subject_id"),
        _text("day"),
        _currency(),
        _money("used_minor"),
        _money("cap_minor"),
        *_check(table, kind="kind IN ('buyer', 'shop_day')", within="used_minor <= cap_minor"),
        *_at_least(table, 0, "used_minor"),
        sa.PrimaryKeyConstraint(
            "shop_id", "kind", "subject_id", "day", "currency", name=op.f(f"pk_{table}")
        ),
    )


def _advances() -> None:
    table = "advances"
    op.create_table(
        table,
        *(_uuid(name) for name in ("shop_id", "id", "order_id", "return_id")),
        _uuid("refund_id", null=True),
        _text("state"),
        _text("reason", null=True),
        _uuid("buyer", null=True),
        _text("day", null=True),
        _money("amount_minor"),
        _money("never_paid_minor", default="0"),
        _money("applied_minor", default="0"),
        _currency(),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        _moment("due_at", null=True),
        _moment("created_at"),
        _moment("settled_at", null=True),
        _count("sequence"),
        *_check(
            table,
            state="state IN ('outstanding', 'declined', 'settled')",
            reason="reason IN ('unknown_buyer', 'payments_do_not_cover_it', 'needs_approval',"
            " 'buyer_cap', 'shop_cap')",
            declined_for_a_reason="(state = 'declined') = (reason IS NOT NULL)",
            granted_by_a_refund="(state = 'declined') = (refund_id IS NULL)",
            looked_at_until_over="(state = 'outstanding') = (due_at IS NOT NULL)",
            settled_once="(state = 'settled') = (settled_at IS NOT NULL)",
            parts="never_paid_minor + applied_minor <= amount_minor",
        ),
        *_at_least(table, 1, "amount_minor"),
        *_at_least(table, 0, "never_paid_minor", "applied_minor"),
        _belongs(table, "orders", "order_id"),
        _belongs(table, "returns", "return_id", "order_id"),
        _belongs(table, "refunds", "refund_id", "order_id"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{table}")),
        _unique(table, "return_id"),
        _unique(table, "refund_id"),
    )
    _swept(table)


def _recoveries() -> None:
    table, done = "recoveries", " + ".join(f"{part}_minor" for part in PARTS)
    op.create_table(
        table,
        *(_uuid(name) for name in ("shop_id", "id", "order_id", "return_id")),
        _uuid("advance_id"),
        _uuid("refund_id"),
        _text("state"),
        _text("cause"),
        _money("amount_minor"),
        *(_money(f"{part}_minor", default="0") for part in PARTS),
        _currency(),
        _moment("pay_by", null=True),
        _moment("due_at", null=True),
        _text("asked_action", null=True),
        _money("asked_minor", null=True),
        _uuid("asked_by", null=True),
        _text("asked_note", null=True),
        _count("sequence"),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("closed_at", null=True),
        *_check(
            table,
            state="state IN ('open', 'requested', 'paid', 'written_off', 'to_approve', 'waived',"
            " 'cleared')",
            cause="cause IN ('not_returned', 'worth_less', 'lost')",
            asked_action="asked_action IN ('write_off', 'waive')",
            parts=f"{done} <= amount_minor",
            open_while_something_is=f"({OPEN}) = ({done} < amount_minor)",
            closed_once=f"({OPEN}) = (closed_at IS NULL)",
            requested_until="(state = 'requested') = (due_at IS NOT NULL)",
            asked_while_it_waits="(state = 'to_approve') = (asked_action IS NOT NULL)"
            " AND (asked_action IS NULL) = (asked_minor IS NULL)",
        ),
        *_at_least(table, 1, "amount_minor", "asked_minor"),
        *_at_least(table, 0, *(f"{part}_minor" for part in PARTS)),
        _belongs(table, "orders", "order_id"),
        _belongs(table, "returns", "return_id", "order_id"),
        _belongs(table, "advances", "advance_id"),
        _belongs(table, "refunds", "refund_id", "order_id"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{table}")),
        _unique(table, "advance_id"),
        _unique(table, "id", "currency"),
    )
    _swept(table)


def _recovery_steps() -> None:
    table = "recovery_steps"
    op.create_table(
        table,
        *(_uuid(name) for name in ("shop_id", "id", "recovery_id")),
        _text("kind"),
        _money("amount_minor"),
        _currency(),
        _text("reference", null=True),
        _text("note", null=True),
        _text("actor"),
        _uuid("actor_id", null=True),
        _uuid("approver_id", null=True),
        _moment("at"),
        *_check(
            table,
            kind="kind IN ('paid', 'written_off', 'waived', 'cleared', 'write_off_undone',"
            " 'waiver_undone')",
            paid_with_evidence="(kind = 'paid') = (reference IS NOT NULL)",
            two_persons="approver_id IS NULL OR approver_id <> actor_id",
        ),
        *_at_least(table, 1, "amount_minor"),
        _belongs(table, "recoveries", "recovery_id", "currency"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f(f"pk_{table}")),
        _unique(table, "kind", "reference"),
    )
    op.create_index("ix_recovery_steps_recovery", table, ["shop_id", "recovery_id"])


def downgrade() -> None:
    for table in reversed(NEW_TABLES):
        op.drop_table(table)
    _widen(KINDS, ACCOUNTS)
