"""Photos: what is stored under which name for which order, return and line, and until when."""

from sqlalchemy import CheckConstraint, Index

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    bytes_,
    due_index,
    integer,
    moment,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.domain.lifecycle.photos import PHOTO

photos = tenant_table(
    "photos",
    uuid_("order_id"),
    uuid_("return_id", null=True),
    uuid_("return_line_id", null=True),
    text_("state"),
    text_("name", null=True),  # in the store; gone with the bytes
    integer("size", null=True),
    integer("width", null=True),
    integer("height", null=True),
    bytes_("digest", null=True),
    text_("added_by"),
    uuid_("credential_id"),
    moment("due_at", null=True),
    moment("created_at"),
    integer("sequence", default=0),
    one_of("state", PHOTO.states),
    *at_least(1, "size", "width", "height"),
    CheckConstraint("(name IS NULL) = (state = 'deleted')", name="a_name_until_deleted"),
    CheckConstraint("(digest IS NULL) OR (state <> 'deleted')", name="a_digest_until_deleted"),
    CheckConstraint("return_line_id IS NULL OR return_id IS NOT NULL", name="a_line_has_a_return"),
    belongs_to("orders", "order_id"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    belongs_to("return_lines", "return_line_id"),
    Index("ix_photos_order", "shop_id", "order_id"),
    Index("ix_photos_return", "shop_id", "return_id"),
    due_index("photos", "due_at", "due_at IS NOT NULL"),
)
