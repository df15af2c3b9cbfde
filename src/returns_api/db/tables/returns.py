"""Quotes, decisions, returns, their lines, the units they claim, and what the warehouse saw."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    currency,
    due_index,
    integer,
    json_,
    moment,
    money,
    one_of,
    tenant_table,
    text_,
    texts,
    uuid_,
)
from returns_api.domain.lifecycle.returns import LINE, RETURN

FLAGGED = "(terms #> '{review,signals,0}') IS NOT NULL"
"""Signals of the buyer have a person look at the return; see ``domain.terms.ReviewTerms``."""

decisions = tenant_table(
    "decisions",
    uuid_("order_id"),
    uuid_("policy_version_id"),
    json_("facts"),
    json_("body"),
    text_("digest"),
    moment("at"),
    belongs_to("orders", "order_id"),
    belongs_to("policy_versions", "policy_version_id"),
)

quotes = tenant_table(
    "quotes",
    uuid_("order_id"),
    uuid_("decision_id"),
    uuid_("policy_version_id"),
    text_("resolution"),
    text_("method"),
    uuid_("gift_receipt_id", null=True),
    currency(),
    money("total_minor"),
    json_("lines"),
    json_("terms"),
    json_("body"),
    moment("created_at"),
    moment("expires_at"),
    uuid_("return_id", null=True),
    *at_least(0, "total_minor"),
    CheckConstraint(
        "gift_receipt_id IS NULL OR resolution = 'store_credit'", name="a_gift_is_paid_as_credit"
    ),
    belongs_to("orders", "order_id"),
    belongs_to("decisions", "decision_id"),
    belongs_to("gift_receipts", "gift_receipt_id", ("order_id", "order_id")),
    UniqueConstraint("shop_id", "id", "order_id"),
)

returns = tenant_table(
    "returns",
    text_("number"),
    uuid_("order_id"),
    uuid_("quote_id"),
    uuid_("decision_id"),
    uuid_("policy_version_id"),
    text_("state"),
    text_("resolution"),
    text_("method"),
    uuid_("gift_receipt_id", null=True),
    currency(),
    money("expected_minor"),
    money("refunded_minor", default=0),
    json_("terms"),
    text_("refund_at"),
    text_("opened_by"),
    text_("decided_by", null=True),
    moment("refund_law_by", null=True),
    text_("refund_law", null=True),
    text_("info_request", null=True),
    text_("info_answer", null=True),
    moment("settled_at", null=True),
    moment("closed_at", null=True),
    moment("quality_at", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", RETURN.states),
    *at_least(0, "expected_minor", "refunded_minor"),
    CheckConstraint("(refund_law_by IS NULL) = (refund_law IS NULL)", name="a_day_has_its_law"),
    CheckConstraint(
        "gift_receipt_id IS NULL OR resolution = 'store_credit'", name="a_gift_is_paid_as_credit"
    ),
    UniqueConstraint("shop_id", "number"),
    UniqueConstraint("shop_id", "quote_id"),
    UniqueConstraint("shop_id", "id", "order_id"),
    belongs_to("orders", "order_id"),
    belongs_to("quotes", "quote_id", ("order_id", "order_id")),
    belongs_to("decisions", "decision_id"),
    belongs_to("gift_receipts", "gift_receipt_id", ("order_id", "order_id")),
    Index("ix_returns_order", "shop_id", "order_id"),
    Index("ix_returns_state", "shop_id", "state", "id"),
    Index("ix_returns_opened", "shop_id", "created_at"),
    Index(
        "ix_returns_gift_receipt",
        "shop_id",
        "gift_receipt_id",
        postgresql_where=text("gift_receipt_id IS NOT NULL"),
    ),
    Index("ix_returns_flagged", "shop_id", "id", postgresql_where=text(FLAGGED)),
    due_index("returns", "quality_at", "quality_at IS NOT NULL"),
)

return_lines = tenant_table(
    "return_lines",
    uuid_("return_id"),
    uuid_("order_id"),
    uuid_("order_line_id"),
    integer("position"),
    integer("quantity"),
    Column("units", ARRAY(Integer), nullable=False),
    text_("reason"),
    text_("fault"),
    text_("condition", null=True),
    text_("note", null=True),
    json_("evidence"),
    text_("state"),
    integer("received", default=0),
    integer("inspected", default=0),
    text_("decision_code", null=True),
    text_("decision_note", null=True),
    one_of("state", LINE.states),
    *at_least(1, "quantity"),
    *at_least(0, "received", "inspected"),
    CheckConstraint("cardinality(units) = quantity", name="units_match_quantity"),
    UniqueConstraint("shop_id", "return_id", "position"),
    UniqueConstraint("shop_id", "id", "order_line_id"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    belongs_to("order_lines", "order_line_id", ("order_id", "order_id")),
)

unit_claims = tenant_table(
    "unit_claims",
    uuid_("line_id"),
    integer("unit_no"),
    uuid_("return_line_id", null=True),
    uuid_("cancellation_line_id", null=True),
    *at_least(1, "unit_no"),
    CheckConstraint("num_nonnulls(return_line_id, cancellation_line_id) = 1", name="held_by_one"),
    belongs_to("return_lines", "return_line_id", ("line_id", "order_line_id")),
    belongs_to("cancellation_lines", "cancellation_line_id", ("line_id", "order_line_id")),
    Index("ix_unit_claims_return_line", "shop_id", "return_line_id"),
    Index(
        "ix_unit_claims_cancellation_line",
        "shop_id",
        "cancellation_line_id",
        postgresql_where=text("cancellation_line_id IS NOT NULL"),
    ),
    key=("line_id", "unit_no"),
)

receipts = tenant_table(
    "receipts",
    uuid_("return_id"),
    text_("reference"),
    text_("received_by"),
    json_("unexpected"),
    moment("at"),
    UniqueConstraint("shop_id", "return_id", "reference"),
    belongs_to("returns", "return_id"),
)

receipt_lines = tenant_table(
    "receipt_lines",
    uuid_("receipt_id"),
    uuid_("return_line_id"),
    integer("quantity"),
    *at_least(1, "quantity"),
    belongs_to("receipts", "receipt_id"),
    belongs_to("return_lines", "return_line_id"),
    key=("receipt_id", "return_line_id"),
)

inspections = tenant_table(
    "inspections",
    uuid_("return_id"),
    text_("inspector"),
    moment("at"),
    belongs_to("returns", "return_id"),
)

GRADES = (
    "sealed",
    "opened_unused",
    "used_like_new",
    "used_worn",
    "damaged_buyer",
    "damaged_transit",
    "defective",
    "incomplete",
    "wrong_item",
    "counterfeit_suspected",
    "empty_box",
)
DISPOSITIONS = (
    "restock",
    "refurbish",
    "resale",
    "supplier",
    "recycle",
    "donate",
    "destroy",
    "send_back",
)

inspected_units = tenant_table(
    "inspected_units",
    uuid_("inspection_id"),
    uuid_("return_line_id"),
    uuid_("line_id"),
    integer("unit_no"),
    text_("grade"),
    text_("disposition", null=True),
    text_("sku_seen", null=True),
    texts("photos"),
    text_("note", null=True),
    one_of("grade", GRADES),
    one_of("disposition", DISPOSITIONS, name="disposition"),
    belongs_to("inspections", "inspection_id"),
    belongs_to("return_lines", "return_line_id", ("line_id", "order_line_id")),
    UniqueConstraint("shop_id", "return_line_id", "unit_no"),
)
