"""What came in, what happened, and what we told others: inbox, events, webhook deliveries."""

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text

from returns_api.db.tables._base import (
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

inbox = tenant_table(
    "inbox",
    text_("source"),
    text_("event_id"),
    text_("topic"),
    bytes_("body"),
    text_("state", default="received"),
    integer("attempt", default=0),
    integer("waits", default=0),
    integer("deaths", default=0),
    text_("waiting_for", null=True),
    moment("received_at", now=True),
    moment("due_at", null=True),
    moment("leased_until", null=True),
    moment("processed_at", null=True),
    text_("error", null=True),
    flag("forgotten"),  # its person was erased while it waited
    one_of("state", ("received", "processed", "ignored", "dead")),
    UniqueConstraint("shop_id", "source", "event_id"),
    Index(
        "ix_inbox_waiting_for",
        "shop_id",
        "waiting_for",
        postgresql_where=text("waiting_for IS NOT NULL"),
    ),
    Index(
        "ix_inbox_state", "shop_id", "state", "id", postgresql_where=text("state <> 'processed'")
    ),
    due_index("inbox", "due_at", "due_at IS NOT NULL"),
)

events = tenant_table(
    "events",
    text_("resource_type"),
    uuid_("resource_id"),
    integer("sequence"),
    text_("type"),
    moment("at"),
    text_("actor"),
    uuid_("actor_id", null=True),
    text_("reason", null=True),
    text_("request_id", null=True),
    uuid_("order_id", null=True),
    uuid_("return_id", null=True),
    json_("data"),
    UniqueConstraint("shop_id", "resource_id", "sequence"),
    Index("ix_events_return", "shop_id", "return_id", "id"),
)

webhook_endpoints = tenant_table(
    "webhook_endpoints",
    text_("url"),
    text_("description", null=True),
    texts("topics"),
    text_("state", default="active"),
    bytes_("secrets_sealed"),
    moment("failing_since", null=True),
    text_("disabled_reason", null=True),
    integer("version", default=1),
    moment("created_at", now=True),
    one_of("state", ("active", "disabled")),
    root=True,
)

deliveries = tenant_table(
    "deliveries",
    uuid_("event_id"),
    uuid_("endpoint_id"),
    text_("state", default="queued"),
    integer("attempt", default=0),
    integer("tries_before", default=0),  # a replay counts its tries anew, attempts count on
    moment("due_at", null=True),
    moment("leased_until", null=True),
    integer("last_status", null=True),
    moment("created_at", now=True),
    one_of("state", ("queued", "sending", "succeeded", "dead")),
    belongs_to("events", "event_id"),
    belongs_to("webhook_endpoints", "endpoint_id", cascade=True),
    Index("ix_deliveries_endpoint", "shop_id", "endpoint_id", "event_id"),
    due_index("deliveries", "due_at", "due_at IS NOT NULL"),
    key=("event_id", "endpoint_id"),
)

delivery_attempts = tenant_table(
    "delivery_attempts",
    uuid_("event_id"),
    uuid_("endpoint_id"),
    integer("no"),
    moment("at"),
    integer("status", null=True),
    text_("error", null=True),
    integer("duration_ms"),
    ForeignKeyConstraint(
        ["shop_id", "event_id", "endpoint_id"],
        ["deliveries.shop_id", "deliveries.event_id", "deliveries.endpoint_id"],
        ondelete="CASCADE",
    ),
    key=("event_id", "endpoint_id", "no"),
)
