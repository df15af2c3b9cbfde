"""What buyers were told: how a shop tells them, one row per message, and who wants none."""

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
from returns_api.domain.lifecycle.notifications import NOTIFICATION
from returns_api.domain.notifications import Channel

CHANNELS = tuple(Channel)

notification_settings = tenant_table(
    "notification_settings",
    text_("channel"),
    text_("source"),
    json_("sender"),
    flag("active", default=True),
    texts("switched_off"),
    texts("topics"),
    integer("version", default=1),
    moment("updated_at"),
    one_of("channel", CHANNELS),
    UniqueConstraint("shop_id", "channel"),
    root=True,
)
"""``topics`` are the events that the outbox writes a row for; they follow from ``switched_off``."""

notifications = tenant_table(
    "notifications",
    uuid_("event_id"),
    text_("kind"),
    text_("channel"),
    uuid_("order_id"),
    uuid_("return_id", null=True),
    text_("state", default="queued"),
    integer("attempt", default=0),
    moment("due_at", null=True),
    moment("leased_until", null=True),
    text_("reason", null=True),
    text_("language", null=True),
    moment("ended_at", null=True),
    moment("created_at", now=True),
    one_of("state", NOTIFICATION.states),
    one_of("channel", CHANNELS),
    CheckConstraint(
        "(due_at IS NOT NULL) = (state IN ('queued', 'sending'))", name="due_until_told"
    ),
    CheckConstraint("(ended_at IS NULL) = (state IN ('queued', 'sending'))", name="ended_at"),
    *at_least(0, "attempt"),
    belongs_to("events", "event_id"),
    belongs_to("orders", "order_id"),
    Index("ix_notifications_order", "shop_id", "order_id", "event_id"),
    due_index("notifications", "due_at", "due_at IS NOT NULL"),
    key=("event_id", "kind", "channel"),
)
"""At most one for each transition, kind and channel. No address and no words: both are read when it
is sent, so that an erased person is not told and nothing personal is kept here."""

notification_opt_outs = tenant_table(
    "notification_opt_outs",
    bytes_("address_key"),
    text_("channel"),
    moment("created_at"),
    one_of("channel", CHANNELS),
    key=("address_key", "channel"),
    root=True,
)
"""Who wants no more of it, by the keyed hash of their address."""
