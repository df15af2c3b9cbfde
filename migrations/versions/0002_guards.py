"""Make the database refuse: roles, row-level security, append-only rows, growth guards.

Revision ID: 0002
Revises: 0001

Two roles stand beside the owner. ``returns_app`` runs the service: rows of the shop that the
transaction named, nothing else, no TRUNCATE, no change of history. ``returns_sweep`` may only read
*keys and due times* over all shops, so that a worker can find due work; the app role has to put it
on for the one transaction that looks (``SET LOCAL ROLE``), since it does not inherit it.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "certificates",
    "connections",
    "credentials",
    "decisions",
    "deliveries",
    "delivery_attempts",
    "events",
    "idempotency_keys",
    "inbox",
    "inspected_units",
    "inspections",
    "order_lines",
    "order_people",
    "orders",
    "outside_facts",
    "parcel_lines",
    "parcels",
    "payments",
    "policy_versions",
    "quotes",
    "rate_limits",
    "receipt_lines",
    "receipts",
    "refunds",
    "return_lines",
    "returns",
    "scans",
    "shipments",
    "shops",
    "transfer_attempts",
    "transfers",
    "unit_claims",
    "webhook_endpoints",
)

APPEND_ONLY = ("events", "certificates", "decisions", "scans", "receipts", "receipt_lines")

SWEPT = {
    "shops": ("shop_id", "status"),
    "transfers": ("shop_id", "id", "due_at", "leased_until"),
    "shipments": ("shop_id", "id", "due_at", "leased_until"),
    "deliveries": ("shop_id", "event_id", "endpoint_id", "due_at", "leased_until"),
    "inbox": ("shop_id", "id", "due_at", "leased_until"),
    "returns": ("shop_id", "id", "deadline_at"),
    "idempotency_keys": ("shop_id", "created_at"),
    "rate_limits": ("shop_id", "window_start"),
}

ROLES = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'returns_app') THEN
        CREATE ROLE returns_app LOGIN NOINHERIT;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'returns_sweep') THEN
        CREATE ROLE returns_sweep NOLOGIN;
    END IF;
    GRANT returns_sweep TO returns_app;
END
$$
"""

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"

GROWTH = (
    """
CREATE FUNCTION payments_growth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Binds only our own increase: an outside refund or a chargeback is a fact and must be storable.
    IF NEW.reserved > OLD.reserved
       AND NEW.reserved + NEW.refunded + NEW.external + NEW.disputed > NEW.captured THEN
        RAISE EXCEPTION 'payment %: reserved more than is left', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_growth';
    END IF;
    RETURN NEW;
END
$$
""",
    """
CREATE TRIGGER payments_growth BEFORE UPDATE OF reserved ON payments
    FOR EACH ROW EXECUTE FUNCTION payments_growth()
""",
    """
CREATE FUNCTION order_lines_growth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A later order edit or an outside return may undercut what is claimed; only growth is bound.
    IF NEW.claimed > OLD.claimed
       AND NEW.claimed + NEW.outside_returned > least(NEW.ordered - NEW.removed, NEW.shipped) THEN
        RAISE EXCEPTION 'order line %: claimed more than was shipped', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_lines_growth';
    END IF;
    RETURN NEW;
END
$$
""",
    """
CREATE TRIGGER order_lines_growth BEFORE UPDATE OF claimed ON order_lines
    FOR EACH ROW EXECUTE FUNCTION order_lines_growth()
""",
    """
CREATE FUNCTION payments_start_untouched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reserved <> 0 OR NEW.refunded <> 0 THEN
        RAISE EXCEPTION 'a payment starts with nothing reserved or refunded'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_start_untouched';
    END IF;
    RETURN NEW;
END
$$
""",
    """
CREATE TRIGGER payments_start_untouched BEFORE INSERT ON payments
    FOR EACH ROW EXECUTE FUNCTION payments_start_untouched()
""",
    """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
END
$$
""",
)


def upgrade() -> None:
    op.execute(ROLES)
    op.execute("GRANT USAGE ON SCHEMA public TO returns_app, returns_sweep")
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_shop ON {table} TO returns_app"
            f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
        )
        rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        op.execute(f"GRANT {rights} ON {table} TO returns_app")
    for table, columns in SWEPT.items():
        op.execute(f"GRANT SELECT ({', '.join(columns)}) ON {table} TO returns_sweep")
        op.execute(f"CREATE POLICY keys_only ON {table} FOR SELECT TO returns_sweep USING (true)")
    for statement in GROWTH:
        op.execute(statement)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute("GRANT SELECT ON alembic_version TO returns_app")


def downgrade() -> None:
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER append_only ON {table}")
    for function, table in (
        ("payments_growth", "payments"),
        ("payments_start_untouched", "payments"),
        ("order_lines_growth", "order_lines"),
    ):
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    op.execute("DROP FUNCTION refuse_change()")
    for table in SWEPT:
        op.execute(f"DROP POLICY keys_only ON {table}")
        op.execute(f"REVOKE ALL ON {table} FROM returns_sweep")
    for table in TENANT_TABLES:
        op.execute(f"DROP POLICY one_shop ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        op.execute(f"REVOKE ALL ON {table} FROM returns_app")
    op.execute("REVOKE ALL ON alembic_version FROM returns_app")
    op.execute("REVOKE USAGE ON SCHEMA public FROM returns_app, returns_sweep")
