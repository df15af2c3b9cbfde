"""Complaints about an order or a return.

Nothing a person said stands here: the words are those of messages about the complaint.
"""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    integer,
    moment,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.domain.complaints import CATEGORIES, SCORES
from returns_api.domain.lifecycle.complaints import COMPLAINT

complaints = tenant_table(
    "complaints",
    uuid_("order_id"),
    uuid_("return_id", null=True),
    text_("category"),
    text_("state"),
    uuid_("statement_id"),
    uuid_("resolution_id", null=True),
    uuid_("comment_id", null=True),
    integer("score", null=True),
    integer("reopened", default=0),
    moment("escalated_at", null=True),
    moment("resolved_at", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", COMPLAINT.states),
    one_of("category", CATEGORIES, name="category"),
    CheckConstraint(f"score BETWEEN {SCORES[0]} AND {SCORES[1]}", name="score"),
    CheckConstraint("(score IS NOT NULL) = (state = 'rated')", name="rated_once"),
    CheckConstraint("comment_id IS NULL OR score IS NOT NULL", name="a_comment_has_a_score"),
    CheckConstraint("(resolved_at IS NULL) = (resolution_id IS NULL)", name="resolved_in_words"),
    *at_least(0, "reopened"),
    UniqueConstraint("shop_id", "id", "order_id"),
    belongs_to("orders", "order_id"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    Index("ix_complaints_order", "shop_id", "order_id", "id"),
    Index("ix_complaints_state", "shop_id", "state", "id"),
    Index("ix_complaints_opened", "shop_id", "created_at"),
)
