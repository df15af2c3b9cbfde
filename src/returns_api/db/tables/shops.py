"""Tenants, who may act for them, and the outside accounts they connected."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    bytes_,
    due_index,
    flag,
    integer,
    json_,
    moment,
    one_of,
    tenant_table,
    text_,
    texts,
    uuid_,
)
from returns_api.domain.access import Role

shops = tenant_table(
    "shops",
    text_("name"),
    text_("timezone"),
    text_("currency"),
    text_("country"),
    text_("locale"),
    text_("status", default="active"),
    json_("return_address"),
    json_("refund_limits", default={}),
    json_("store_credit", default={}),
    json_("after_sales", default={}),
    json_("repairs", default={}),
    json_("destinations", default={}),
    integer("version", default=1),
    moment("created_at", now=True),
    one_of("status", ("active", "removed", "erased")),
    key=(),
)

credentials = tenant_table(
    "credentials",
    text_("role"),
    text_("label"),
    bytes_("secret_hash"),
    texts("scopes"),
    uuid_("order_id", null=True),
    uuid_("gift_receipt_id", null=True),
    moment("created_at", now=True),
    moment("expires_at", null=True),
    moment("revoked_at", null=True),
    one_of("role", tuple(Role)),
    CheckConstraint("gift_receipt_id IS NULL OR role = 'recipient'", name="a_gift_s_recipient"),
    UniqueConstraint("shop_id", "secret_hash"),
    belongs_to("gift_receipts", "gift_receipt_id"),
    root=True,
)

connections = tenant_table(
    "connections",
    text_("source"),
    text_("kind"),
    text_("adapter"),
    text_("account"),
    text_("base_url"),
    bytes_("secret_sealed"),
    bytes_("webhook_secrets_sealed"),
    texts("gateways"),
    flag("active", default=True),
    moment("created_at", now=True),
    integer("version", default=1),
    integer("failures", default=0),
    moment("paused_since", null=True),
    moment("paused_until", null=True),
    moment("retries_until", null=True),
    moment("reconcile_at", null=True),
    one_of("kind", ("shop", "payments", "carrier", "messaging")),
    *at_least(0, "failures"),
    UniqueConstraint("shop_id", "source"),
    due_index("connections", "reconcile_at", "reconcile_at IS NOT NULL"),
    root=True,
)

idempotency_keys = tenant_table(
    "idempotency_keys",
    uuid_("principal_id"),
    bytes_("key_hash"),
    bytes_("fingerprint"),
    integer("status"),
    text_("content_type"),
    json_("headers"),
    bytes_("body"),
    moment("created_at", now=True),
    Index("ix_idempotency_keys_age", "created_at"),
    key=("principal_id", "key_hash"),
)

rate_limits = tenant_table(
    "rate_limits",
    bytes_("bucket"),
    moment("window_start"),
    integer("hits"),
    Index("ix_rate_limits_age", "window_start"),
    key=("bucket", "window_start"),
)
