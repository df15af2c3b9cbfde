"""What buyer and merchant tell each other about a return or a complaint, and what staff note beside
it.

That something was said stays for ever; its words stand apart and go when the person is erased.
"""

from sqlalchemy import CheckConstraint, Index

from returns_api.db.tables._base import (
    belongs_to,
    moment,
    one_of,
    tenant_table,
    text_,
    texts,
    uuid_,
)
from returns_api.domain.messages import KINDS
from returns_api.domain.offers import BUYER, MERCHANT

return_messages = tenant_table(
    "return_messages",
    uuid_("return_id", null=True),
    uuid_("complaint_id", null=True),
    uuid_("order_id"),
    text_("kind"),
    text_("party"),
    text_("role"),
    uuid_("author", null=True),
    texts("photos"),
    moment("at"),
    one_of("kind", KINDS, name="kind"),
    one_of("party", (BUYER, MERCHANT), name="party"),
    CheckConstraint("kind = 'message' OR party = 'merchant'", name="notes_are_staff_s"),
    CheckConstraint("num_nonnulls(return_id, complaint_id) = 1", name="about_one_thing"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    belongs_to("complaints", "complaint_id", ("order_id", "order_id")),
    Index("ix_return_messages_return", "shop_id", "return_id", "id"),
    Index("ix_return_messages_complaint", "shop_id", "complaint_id", "id"),
    Index("ix_return_messages_order", "shop_id", "order_id"),
)

message_texts = tenant_table(
    "message_texts",
    uuid_("message_id"),
    text_("text"),
    belongs_to("return_messages", "message_id"),
    key=("message_id",),
)
