"""Create every table.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.UUID(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.UUID(), nullable=True),
        sa.Column("return_id", sa.UUID(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_events")),
        sa.UniqueConstraint(
            "shop_id",
            "resource_id",
            "sequence",
            name=op.f("uq_events_shop_id_resource_id_sequence"),
        ),
    )
    op.create_index("ix_events_return", "events", ["shop_id", "return_id", "id"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("principal_id", sa.UUID(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint(
            "shop_id", "principal_id", "key_hash", name=op.f("pk_idempotency_keys")
        ),
    )
    op.create_index("ix_idempotency_keys_age", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'received'"), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("waits", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("waiting_for", sa.Text(), nullable=True),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('received', 'processed', 'ignored', 'dead')", name=op.f("ck_inbox_state")
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_inbox")),
        sa.UniqueConstraint(
            "shop_id", "source", "event_id", name=op.f("uq_inbox_shop_id_source_event_id")
        ),
    )
    op.create_index(
        "ix_inbox_waiting_for",
        "inbox",
        ["shop_id", "waiting_for"],
        unique=False,
        postgresql_where=sa.text("waiting_for IS NOT NULL"),
    )
    op.create_index(
        "ix_inbox_state",
        "inbox",
        ["shop_id", "state", "id"],
        unique=False,
        postgresql_where=sa.text("state <> 'processed'"),
    )
    op.create_index(
        "ix_inbox_due_at_sweep",
        "inbox",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "rate_limits",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("bucket", sa.LargeBinary(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "bucket", "window_start", name=op.f("pk_rate_limits")),
    )
    op.create_index("ix_rate_limits_age", "rate_limits", ["window_start"], unique=False)
    op.create_table(
        "shops",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("return_address", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "status IN ('active', 'removed', 'erased')", name=op.f("ck_shops_status")
        ),
        sa.PrimaryKeyConstraint("shop_id", name=op.f("pk_shops")),
    )
    op.create_table(
        "connections",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("webhook_secrets_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "gateways", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('shop', 'payments', 'carrier')", name=op.f("ck_connections_kind")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_connections_shop_id")
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_connections")),
        sa.UniqueConstraint("shop_id", "source", name=op.f("uq_connections_shop_id_source")),
    )
    op.create_table(
        "credentials",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "scopes", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("order_id", sa.UUID(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('buyer', 'publishable', 'agent', 'warehouse', 'finance', 'admin')",
            name=op.f("ck_credentials_role"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_credentials_shop_id")
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_credentials")),
        sa.UniqueConstraint(
            "shop_id", "secret_hash", name=op.f("uq_credentials_shop_id_secret_hash")
        ),
    )
    op.create_table(
        "orders",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("email_key", sa.LargeBinary(), nullable=True),
        sa.Column("customer_key", sa.LargeBinary(), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("platform_updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("taxes_included", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column(
            "tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "flags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("financial_status", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returns_opened", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], name=op.f("fk_orders_shop_id")),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_orders")),
        sa.UniqueConstraint(
            "shop_id", "source", "external_id", name=op.f("uq_orders_shop_id_source_external_id")
        ),
    )
    op.create_index("ix_orders_customer", "orders", ["shop_id", "customer_key"], unique=False)
    op.create_index("ix_orders_number", "orders", ["shop_id", "number_key"], unique=False)
    op.create_table(
        "policy_versions",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=True),
        sa.Column("acknowledged", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'published', 'retired')", name=op.f("ck_policy_versions_state")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_policy_versions_shop_id")
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_policy_versions")),
        sa.UniqueConstraint("shop_id", "number", name=op.f("uq_policy_versions_shop_id_number")),
    )
    op.create_index(
        "ix_policy_versions_in_force",
        "policy_versions",
        ["shop_id", "effective_from"],
        unique=False,
        postgresql_where=sa.text("state <> 'draft'"),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "topics", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("state", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("secrets_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "state IN ('active', 'disabled')", name=op.f("ck_webhook_endpoints_state")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_webhook_endpoints_shop_id")
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_table(
        "certificates",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_certificates_shop_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "order_id", "version", name=op.f("pk_certificates")),
    )
    op.create_table(
        "decisions",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("policy_version_id", sa.UUID(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_decisions_shop_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "policy_version_id"],
            ["policy_versions.shop_id", "policy_versions.id"],
            name=op.f("fk_decisions_shop_id_policy_version_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_decisions")),
    )
    op.create_table(
        "deliveries",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("endpoint_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tries_before", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'succeeded', 'dead')", name=op.f("ck_deliveries_state")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "endpoint_id"],
            ["webhook_endpoints.shop_id", "webhook_endpoints.id"],
            name=op.f("fk_deliveries_shop_id_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "event_id"],
            ["events.shop_id", "events.id"],
            name=op.f("fk_deliveries_shop_id_event_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "event_id", "endpoint_id", name=op.f("pk_deliveries")),
    )
    op.create_index(
        "ix_deliveries_due_at_sweep",
        "deliveries",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_endpoint", "deliveries", ["shop_id", "endpoint_id", "event_id"], unique=False
    )
    op.create_table(
        "order_lines",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("product_id", sa.Text(), nullable=True),
        sa.Column("variant_id", sa.Text(), nullable=True),
        sa.Column("vendor", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column(
            "tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("weight_grams", sa.Integer(), nullable=True),
        sa.Column("shippable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("discounted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ordered", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("shipped", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("delivered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("outside_returned", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("claimed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('goods', 'shipping', 'duty', 'tip', 'fee')", name=op.f("ck_order_lines_kind")
        ),
        sa.CheckConstraint("claimed >= 0", name=op.f("ck_order_lines_claimed_min")),
        sa.CheckConstraint("delivered >= 0", name=op.f("ck_order_lines_delivered_min")),
        sa.CheckConstraint("ordered >= 0", name=op.f("ck_order_lines_ordered_min")),
        sa.CheckConstraint(
            "outside_returned >= 0", name=op.f("ck_order_lines_outside_returned_min")
        ),
        sa.CheckConstraint("removed >= 0", name=op.f("ck_order_lines_removed_min")),
        sa.CheckConstraint("shipped >= 0", name=op.f("ck_order_lines_shipped_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_order_lines_shop_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_order_lines")),
        sa.UniqueConstraint(
            "shop_id", "id", "order_id", name=op.f("uq_order_lines_shop_id_id_order_id")
        ),
        sa.UniqueConstraint(
            "shop_id",
            "order_id",
            "external_id",
            name=op.f("uq_order_lines_shop_id_order_id_external_id"),
        ),
    )
    op.create_table(
        "order_people",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("street1", sa.Text(), nullable=True),
        sa.Column("street2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("postcode", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_order_people_shop_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "order_id", name=op.f("pk_order_people")),
    )
    op.create_table(
        "parcels",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column(
            "tracking_codes",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("platform_updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_parcels_shop_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_parcels")),
        sa.UniqueConstraint(
            "shop_id", "id", "order_id", name=op.f("uq_parcels_shop_id_id_order_id")
        ),
        sa.UniqueConstraint(
            "shop_id",
            "order_id",
            "external_id",
            name=op.f("uq_parcels_shop_id_order_id_external_id"),
        ),
    )
    op.create_table(
        "payments",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("provider_payment_id", sa.Text(), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("captured", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("external", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("disputed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("captured >= 0", name=op.f("ck_payments_captured_min")),
        sa.CheckConstraint("disputed >= 0", name=op.f("ck_payments_disputed_min")),
        sa.CheckConstraint("external >= 0", name=op.f("ck_payments_external_min")),
        sa.CheckConstraint("refunded >= 0", name=op.f("ck_payments_refunded_min")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_payments_reserved_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_payments_shop_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_payments")),
        sa.UniqueConstraint(
            "shop_id", "id", "currency", name=op.f("uq_payments_shop_id_id_currency")
        ),
        sa.UniqueConstraint(
            "shop_id", "id", "order_id", name=op.f("uq_payments_shop_id_id_order_id")
        ),
        sa.UniqueConstraint(
            "shop_id",
            "order_id",
            "external_id",
            name=op.f("uq_payments_shop_id_order_id_external_id"),
        ),
        sa.UniqueConstraint(
            "shop_id",
            "provider",
            "account",
            "provider_payment_id",
            name=op.f("uq_payments_shop_id_provider_account_provider_payment_id"),
        ),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("endpoint_id", sa.UUID(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "event_id", "endpoint_id"],
            ["deliveries.shop_id", "deliveries.event_id", "deliveries.endpoint_id"],
            name=op.f("fk_delivery_attempts_shop_id_event_id_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "shop_id", "event_id", "endpoint_id", "no", name=op.f("pk_delivery_attempts")
        ),
    )
    op.create_table(
        "outside_facts",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=True),
        sa.Column("payment_id", sa.UUID(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("counted", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("guessed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("kind IN ('refund', 'dispute')", name=op.f("ck_outside_facts_kind")),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_outside_facts_amount_minor_min")),
        sa.CheckConstraint(
            "payment_id IS NOT NULL OR NOT counted",
            name=op.f("ck_outside_facts_counted_on_a_payment"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_outside_facts_shop_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "payment_id"],
            ["payments.shop_id", "payments.id"],
            name=op.f("fk_outside_facts_shop_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_outside_facts")),
        sa.UniqueConstraint(
            "shop_id",
            "kind",
            "provider",
            "external_id",
            name=op.f("uq_outside_facts_shop_id_kind_provider_external_id"),
        ),
    )
    op.create_index(
        "ix_outside_facts_order", "outside_facts", ["shop_id", "order_id"], unique=False
    )
    op.create_table(
        "parcel_lines",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("parcel_id", sa.UUID(), nullable=False),
        sa.Column("line_id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_parcel_lines_quantity_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "line_id", "order_id"],
            ["order_lines.shop_id", "order_lines.id", "order_lines.order_id"],
            name=op.f("fk_parcel_lines_shop_id_line_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "parcel_id", "order_id"],
            ["parcels.shop_id", "parcels.id", "parcels.order_id"],
            name=op.f("fk_parcel_lines_shop_id_parcel_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "parcel_id", "line_id", name=op.f("pk_parcel_lines")),
    )
    op.create_table(
        "quotes",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("decision_id", sa.UUID(), nullable=False),
        sa.Column("policy_version_id", sa.UUID(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("return_id", sa.UUID(), nullable=True),
        sa.CheckConstraint("total_minor >= 0", name=op.f("ck_quotes_total_minor_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "decision_id"],
            ["decisions.shop_id", "decisions.id"],
            name=op.f("fk_quotes_shop_id_decision_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_quotes_shop_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_quotes")),
        sa.UniqueConstraint(
            "shop_id", "id", "order_id", name=op.f("uq_quotes_shop_id_id_order_id")
        ),
    )
    op.create_table(
        "returns",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("quote_id", sa.UUID(), nullable=False),
        sa.Column("decision_id", sa.UUID(), nullable=False),
        sa.Column("policy_version_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("expected_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("refund_at", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("respond_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ship_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("inspect_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refund_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("on_silence", sa.Text(), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_kind", sa.Text(), nullable=True),
        sa.Column("info_request", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "on_silence IN ('approve', 'reject')", name=op.f("ck_returns_on_silence")
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'rejected', 'info_needed', 'canceled', 'in_transit', 'received', 'expired', 'inspected', 'refunding', 'completed')",
            name=op.f("ck_returns_state"),
        ),
        sa.CheckConstraint(
            "(deadline_at IS NULL) = (deadline_kind IS NULL)",
            name=op.f("ck_returns_a_deadline_has_a_kind"),
        ),
        sa.CheckConstraint("expected_minor >= 0", name=op.f("ck_returns_expected_minor_min")),
        sa.CheckConstraint("refunded_minor >= 0", name=op.f("ck_returns_refunded_minor_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "decision_id"],
            ["decisions.shop_id", "decisions.id"],
            name=op.f("fk_returns_shop_id_decision_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_returns_shop_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "quote_id", "order_id"],
            ["quotes.shop_id", "quotes.id", "quotes.order_id"],
            name=op.f("fk_returns_shop_id_quote_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_returns")),
        sa.UniqueConstraint(
            "shop_id", "id", "order_id", name=op.f("uq_returns_shop_id_id_order_id")
        ),
        sa.UniqueConstraint("shop_id", "number", name=op.f("uq_returns_shop_id_number")),
        sa.UniqueConstraint("shop_id", "quote_id", name=op.f("uq_returns_shop_id_quote_id")),
    )
    op.create_index(
        "ix_returns_deadline_at_sweep",
        "returns",
        ["deadline_at"],
        unique=False,
        postgresql_where=sa.text("deadline_at IS NOT NULL"),
    )
    op.create_index("ix_returns_order", "returns", ["shop_id", "order_id"], unique=False)
    op.create_index("ix_returns_state", "returns", ["shop_id", "state", "id"], unique=False)
    op.create_table(
        "inspections",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("return_id", sa.UUID(), nullable=False),
        sa.Column("inspector", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id"],
            ["returns.shop_id", "returns.id"],
            name=op.f("fk_inspections_shop_id_return_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_inspections")),
    )
    op.create_table(
        "receipts",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("return_id", sa.UUID(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("unexpected", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id"],
            ["returns.shop_id", "returns.id"],
            name=op.f("fk_receipts_shop_id_return_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_receipts")),
        sa.UniqueConstraint(
            "shop_id",
            "return_id",
            "reference",
            name=op.f("uq_receipts_shop_id_return_id_reference"),
        ),
    )
    op.create_table(
        "refunds",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("return_id", sa.UUID(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("client_reference", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("given_up", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("requested_by", sa.UUID(), nullable=True),
        sa.Column("approved_by", sa.UUID(), nullable=True),
        sa.Column("due_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('return', 'manual', 'goodwill', 'cancellation')", name=op.f("ck_refunds_kind")
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'queued', 'sending', 'unknown', 'pending', 'requires_action', 'needs_review', 'succeeded', 'partially_succeeded', 'failed', 'reversed', 'canceled')",
            name=op.f("ck_refunds_state"),
        ),
        sa.CheckConstraint("amount_minor >= 1", name=op.f("ck_refunds_amount_minor_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_refunds_shop_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id", "order_id"],
            ["returns.shop_id", "returns.id", "returns.order_id"],
            name=op.f("fk_refunds_shop_id_return_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_refunds")),
        sa.UniqueConstraint(
            "shop_id", "client_reference", name=op.f("uq_refunds_shop_id_client_reference")
        ),
        sa.UniqueConstraint(
            "shop_id", "id", "order_id", name=op.f("uq_refunds_shop_id_id_order_id")
        ),
    )
    op.create_index("ix_refunds_order", "refunds", ["shop_id", "order_id"], unique=False)
    op.create_index(
        "uq_refunds_return",
        "refunds",
        ["shop_id", "return_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'return'"),
    )
    op.create_table(
        "return_lines",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("return_id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("order_line_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("units", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("inspected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("decision_code", sa.Text(), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'rejected', 'canceled', 'expired', 'received', 'inspected', 'settled')",
            name=op.f("ck_return_lines_state"),
        ),
        sa.CheckConstraint(
            "cardinality(units) = quantity", name=op.f("ck_return_lines_units_match_quantity")
        ),
        sa.CheckConstraint("inspected >= 0", name=op.f("ck_return_lines_inspected_min")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_return_lines_quantity_min")),
        sa.CheckConstraint("received >= 0", name=op.f("ck_return_lines_received_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_line_id", "order_id"],
            ["order_lines.shop_id", "order_lines.id", "order_lines.order_id"],
            name=op.f("fk_return_lines_shop_id_order_line_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id", "order_id"],
            ["returns.shop_id", "returns.id", "returns.order_id"],
            name=op.f("fk_return_lines_shop_id_return_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_return_lines")),
        sa.UniqueConstraint(
            "shop_id", "id", "order_line_id", name=op.f("uq_return_lines_shop_id_id_order_line_id")
        ),
        sa.UniqueConstraint(
            "shop_id",
            "return_id",
            "position",
            name=op.f("uq_return_lines_shop_id_return_id_position"),
        ),
    )
    op.create_table(
        "shipments",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("return_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("carrier_shipment_id", sa.Text(), nullable=True),
        sa.Column("tracking_code", sa.Text(), nullable=True),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("label_url", sa.Text(), nullable=True),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("cost_currency", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_scan_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('label_due', 'label_ready', 'label_failed', 'voided', 'void_due', 'in_transit', 'delivered', 'lost', 'returned_to_sender', 'void_failed')",
            name=op.f("ck_shipments_state"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id"],
            ["returns.shop_id", "returns.id"],
            name=op.f("fk_shipments_shop_id_return_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_shipments")),
        sa.UniqueConstraint("shop_id", "return_id", name=op.f("uq_shipments_shop_id_return_id")),
        sa.UniqueConstraint(
            "shop_id",
            "source",
            "carrier_shipment_id",
            name=op.f("uq_shipments_shop_id_source_carrier_shipment_id"),
        ),
    )
    op.create_index(
        "ix_shipments_due_at_sweep",
        "shipments",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "inspected_units",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("inspection_id", sa.UUID(), nullable=False),
        sa.Column("return_line_id", sa.UUID(), nullable=False),
        sa.Column("line_id", sa.UUID(), nullable=False),
        sa.Column("unit_no", sa.Integer(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("sku_seen", sa.Text(), nullable=True),
        sa.Column(
            "photos", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "disposition IN ('restock', 'refurbish', 'resale', 'supplier', 'recycle', 'donate', 'destroy', 'send_back')",
            name=op.f("ck_inspected_units_disposition"),
        ),
        sa.CheckConstraint(
            "grade IN ('sealed', 'opened_unused', 'used_like_new', 'used_worn', 'damaged_buyer', 'damaged_transit', 'defective', 'incomplete', 'wrong_item', 'counterfeit_suspected', 'empty_box')",
            name=op.f("ck_inspected_units_grade"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "inspection_id"],
            ["inspections.shop_id", "inspections.id"],
            name=op.f("fk_inspected_units_shop_id_inspection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_line_id", "line_id"],
            ["return_lines.shop_id", "return_lines.id", "return_lines.order_line_id"],
            name=op.f("fk_inspected_units_shop_id_return_line_id_line_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_inspected_units")),
        sa.UniqueConstraint(
            "shop_id",
            "return_line_id",
            "unit_no",
            name=op.f("uq_inspected_units_shop_id_return_line_id_unit_no"),
        ),
    )
    op.create_table(
        "receipt_lines",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("receipt_id", sa.UUID(), nullable=False),
        sa.Column("return_line_id", sa.UUID(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_receipt_lines_quantity_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "receipt_id"],
            ["receipts.shop_id", "receipts.id"],
            name=op.f("fk_receipt_lines_shop_id_receipt_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_line_id"],
            ["return_lines.shop_id", "return_lines.id"],
            name=op.f("fk_receipt_lines_shop_id_return_line_id"),
        ),
        sa.PrimaryKeyConstraint(
            "shop_id", "receipt_id", "return_line_id", name=op.f("pk_receipt_lines")
        ),
    )
    op.create_table(
        "scans",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("shipment_id", sa.UUID(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "shipment_id"],
            ["shipments.shop_id", "shipments.id"],
            name=op.f("fk_scans_shop_id_shipment_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "shipment_id", "at", "status", name=op.f("pk_scans")),
    )
    op.create_table(
        "transfers",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("refund_id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("payment_id", sa.UUID(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("provider_key", sa.Text(), nullable=False),
        sa.Column("provider_refund_id", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lookups", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'needs_review', 'on_hold', 'canceled', 'sending', 'succeeded', 'pending', 'requires_action', 'failed', 'unknown', 'reversed')",
            name=op.f("ck_transfers_state"),
        ),
        sa.CheckConstraint("amount_minor >= 1", name=op.f("ck_transfers_amount_minor_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "payment_id", "currency"],
            ["payments.shop_id", "payments.id", "payments.currency"],
            name=op.f("fk_transfers_shop_id_payment_id_currency"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "refund_id", "order_id"],
            ["refunds.shop_id", "refunds.id", "refunds.order_id"],
            name=op.f("fk_transfers_shop_id_refund_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_transfers")),
        sa.UniqueConstraint(
            "shop_id",
            "provider",
            "account",
            "provider_refund_id",
            name=op.f("uq_transfers_shop_id_provider_account_provider_refund_id"),
        ),
        sa.UniqueConstraint(
            "shop_id", "provider_key", name=op.f("uq_transfers_shop_id_provider_key")
        ),
    )
    op.create_index(
        "ix_transfers_due_at_sweep",
        "transfers",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_transfers_payment", "transfers", ["shop_id", "payment_id"], unique=False)
    op.create_index("ix_transfers_refund", "transfers", ["shop_id", "refund_id"], unique=False)
    op.create_table(
        "unit_claims",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("line_id", sa.UUID(), nullable=False),
        sa.Column("unit_no", sa.Integer(), nullable=False),
        sa.Column("return_line_id", sa.UUID(), nullable=False),
        sa.CheckConstraint("unit_no >= 1", name=op.f("ck_unit_claims_unit_no_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_line_id", "line_id"],
            ["return_lines.shop_id", "return_lines.id", "return_lines.order_line_id"],
            name=op.f("fk_unit_claims_shop_id_return_line_id_line_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "line_id", "unit_no", name=op.f("pk_unit_claims")),
    )
    op.create_index(
        "ix_unit_claims_return_line", "unit_claims", ["shop_id", "return_line_id"], unique=False
    )
    op.create_table(
        "transfer_attempts",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("transfer_id", sa.UUID(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('send', 'look_up')", name=op.f("ck_transfer_attempts_kind")),
        sa.CheckConstraint(
            "state IN ('in_flight', 'done', 'abandoned')", name=op.f("ck_transfer_attempts_state")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "transfer_id"],
            ["transfers.shop_id", "transfers.id"],
            name=op.f("fk_transfer_attempts_shop_id_transfer_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "transfer_id", "no", name=op.f("pk_transfer_attempts")),
    )
    op.create_index(
        "uq_transfer_attempts_in_flight",
        "transfer_attempts",
        ["shop_id", "transfer_id"],
        unique=True,
        postgresql_where=sa.text("state = 'in_flight'"),
    )


def downgrade() -> None:
    op.drop_table("transfer_attempts")
    op.drop_table("unit_claims")
    op.drop_table("transfers")
    op.drop_table("scans")
    op.drop_table("receipt_lines")
    op.drop_table("inspected_units")
    op.drop_table("shipments")
    op.drop_table("return_lines")
    op.drop_table("refunds")
    op.drop_table("receipts")
    op.drop_table("inspections")
    op.drop_table("returns")
    op.drop_table("quotes")
    op.drop_table("parcel_lines")
    op.drop_table("outside_facts")
    op.drop_table("delivery_attempts")
    op.drop_table("payments")
    op.drop_table("parcels")
    op.drop_table("order_people")
    op.drop_table("order_lines")
    op.drop_table("deliveries")
    op.drop_table("decisions")
    op.drop_table("certificates")
    op.drop_table("webhook_endpoints")
    op.drop_table("policy_versions")
    op.drop_table("orders")
    op.drop_table("credentials")
    op.drop_table("connections")
    op.drop_table("shops")
    op.drop_table("rate_limits")
    op.drop_table("inbox")
    op.drop_table("idempotency_keys")
    op.drop_table("events")
