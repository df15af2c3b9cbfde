"""Gift receipts, what of an order each is for, and who brings it back.

A receipt is found by the keyed hash of its code; the code itself is nowhere. The recipient is a
person of its own, kept apart from the order's, and goes when that person is erased.
"""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    bytes_,
    integer,
    moment,
    one_of,
    tenant_table,
    text_,
    uuid_,
)

MAKERS = ("buyer", "agent", "admin")

gift_receipts = tenant_table(
    "gift_receipts",
    uuid_("order_id"),
    bytes_("code_key"),
    text_("made_by"),
    integer("sequence", default=1),
    moment("created_at"),
    moment("expires_at"),
    moment("revoked_at", null=True),
    one_of("made_by", MAKERS),
    CheckConstraint("expires_at > created_at", name="lasts"),
    UniqueConstraint("shop_id", "code_key"),
    UniqueConstraint("shop_id", "id", "order_id"),
    belongs_to("orders", "order_id"),
    Index("ix_gift_receipts_order", "shop_id", "order_id", "id"),
)

gift_receipt_lines = tenant_table(
    "gift_receipt_lines",
    uuid_("gift_receipt_id"),
    uuid_("order_line_id"),
    uuid_("order_id"),
    integer("quantity"),
    *at_least(1, "quantity"),
    belongs_to("gift_receipts", "gift_receipt_id", ("order_id", "order_id")),
    belongs_to("order_lines", "order_line_id", ("order_id", "order_id"), cascade=True),
    Index("ix_gift_receipt_lines_order_line", "shop_id", "order_line_id"),
    key=("gift_receipt_id", "order_line_id"),
)
"""A line that its shop took out of the order, and that nobody returns, goes from its receipts."""

gift_recipients = tenant_table(
    "gift_recipients",
    uuid_("return_id"),
    uuid_("order_id"),
    bytes_("email_key", null=True),
    text_("email", null=True),
    text_("phone", null=True),
    text_("name", null=True),
    text_("locale", null=True),
    text_("street1", null=True),
    text_("street2", null=True),
    text_("city", null=True),
    text_("region", null=True),
    text_("postcode", null=True),
    text_("country", null=True),
    moment("erased_at", null=True),
    CheckConstraint("(erased_at IS NULL) = (email_key IS NOT NULL)", name="known_until_erased"),
    CheckConstraint("(email IS NULL) = (email_key IS NULL)", name="an_address_and_its_hash"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    Index("ix_gift_recipients_email_key", "shop_id", "email_key"),
    key=("return_id",),
)
