"""Exports: the run, and its file in parts until nobody may fetch it any more."""

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    bytes_,
    due_index,
    integer,
    moment,
    money,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.domain.exports import KINDS

exports = tenant_table(
    "exports",
    text_("kind"),
    text_("state"),
    integer("total", default=0),
    integer("done", default=0),
    uuid_("cursor", null=True),
    integer("parts", default=0),
    money("size", default=0),  # bytes so far
    text_("failure", null=True),
    integer("attempt", default=0),
    uuid_("requested_by", null=True),
    moment("due_at", null=True),
    moment("leased_until", null=True),
    moment("forget_at"),
    moment("created_at"),
    moment("finished_at", null=True),
    one_of("kind", KINDS, name="kind"),
    one_of("state", ("queued", "running", "succeeded", "failed")),
    *at_least(0, "total", "done", "parts", "size", "attempt"),
    due_index("exports", "due_at", "due_at IS NOT NULL"),
    due_index("exports", "forget_at", "forget_at IS NOT NULL"),
    root=True,
)

export_parts = tenant_table(
    "export_parts",
    uuid_("export_id"),
    integer("no"),
    integer("lines"),
    bytes_("body"),
    *at_least(0, "lines"),
    belongs_to("exports", "export_id", cascade=True),
    key=("export_id", "no"),
)
