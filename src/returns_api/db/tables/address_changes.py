"""Wishes for another address of goods that were not sent yet."""

from sqlalchemy import CheckConstraint, Index, text

from returns_api.db.tables._base import (
    belongs_to,
    integer,
    json_,
    moment,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.db.tables.deadlines import OWNERS
from returns_api.domain.address_changes import REASONS
from returns_api.domain.lifecycle.address_changes import ADDRESS_CHANGE

address_changes = tenant_table(
    "address_changes",
    uuid_("order_id"),
    text_("state"),
    text_("asked_by"),
    text_("reason", null=True),
    json_("address", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", ADDRESS_CHANGE.states),
    one_of("asked_by", OWNERS, name="asked_by"),
    one_of("reason", REASONS, name="reason"),
    CheckConstraint("(reason IS NOT NULL) = (state = 'declined')", name="declined_for_a_reason"),
    belongs_to("orders", "order_id"),
    Index("ix_address_changes_order", "shop_id", "order_id", "id"),
    Index(
        "uq_address_changes_open",
        "shop_id",
        "order_id",
        unique=True,
        postgresql_where=text("state = 'requested'"),
    ),
)
"""``address`` is personal: it goes when the person is erased."""
