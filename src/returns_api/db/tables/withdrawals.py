"""Withdrawals from contracts, and the acknowledgement that each was received."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from returns_api.db.tables._base import (
    belongs_to,
    bytes_,
    due_index,
    integer,
    json_,
    moment,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.domain.lifecycle.withdrawals import WITHDRAWAL

withdrawals = tenant_table(
    "withdrawals",
    uuid_("order_id"),
    text_("state"),
    text_("name", null=True),
    text_("contact", null=True),
    json_("lines"),
    text_("language"),
    moment("confirmed_at", null=True),
    uuid_("confirmed_by", null=True),
    uuid_("return_id", null=True),
    text_("problem", null=True),
    moment("due_at", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", WITHDRAWAL.states),
    CheckConstraint("(confirmed_at IS NULL) = (state = 'submitted')", name="confirmed_at"),
    CheckConstraint("(due_at IS NOT NULL) = (state = 'confirmed')", name="due_until_followed"),
    CheckConstraint("(return_id IS NOT NULL) = (state = 'opened')", name="opened_with_a_return"),
    belongs_to("orders", "order_id"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    UniqueConstraint("shop_id", "return_id"),
    Index("ix_withdrawals_order", "shop_id", "order_id", "id"),
    due_index("withdrawals", "due_at", "due_at IS NOT NULL"),
)
"""``name`` and ``contact`` go when the person is erased."""

withdrawal_acknowledgements = tenant_table(
    "withdrawal_acknowledgements",
    uuid_("withdrawal_id"),
    moment("at"),
    json_("body"),
    bytes_("seal"),
    belongs_to("withdrawals", "withdrawal_id"),
    key=("withdrawal_id",),
)
"""Content and time of receipt, never changed; the seal covers the person's part as well."""
