"""Imports of orders: the run, its file in parts until each is done, and what is wrong in it."""

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    bytes_,
    due_index,
    integer,
    json_,
    moment,
    money,
    one_of,
    tenant_table,
    text_,
    uuid_,
)

imports = tenant_table(
    "imports",
    text_("source"),
    text_("state"),
    integer("total", default=0),  # lines
    integer("done", default=0),
    integer("created", default=0),
    integer("updated", default=0),
    integer("unchanged", default=0),
    integer("rejected", default=0),
    money("size", default=0),  # bytes so far
    integer("parts", default=0),
    integer("part", default=0),  # parts that are done
    integer("line", default=0),  # lines that are done of the part after these
    text_("failure", null=True),
    integer("attempt", default=0),
    uuid_("requested_by", null=True),
    moment("due_at", null=True),
    moment("leased_until", null=True),
    moment("created_at"),
    moment("finished_at", null=True),
    one_of("state", ("open", "queued", "running", "succeeded", "failed")),
    *at_least(
        0,
        "total",
        "done",
        "created",
        "updated",
        "unchanged",
        "rejected",
        "size",
        "parts",
        "part",
        "line",
        "attempt",
    ),
    due_index("imports", "due_at", "due_at IS NOT NULL"),
    root=True,
)

import_parts = tenant_table(
    "import_parts",
    uuid_("import_id"),
    integer("no"),
    money("first_byte"),
    integer("lines"),
    bytes_("digest"),
    bytes_("body"),
    *at_least(0, "first_byte", "lines"),
    belongs_to("imports", "import_id", cascade=True),
    key=("import_id", "no"),
)

import_problems = tenant_table(
    "import_problems",
    uuid_("import_id"),
    integer("line"),
    text_("external_id", null=True),
    json_("errors"),  # each with a field and what would be right
    *at_least(1, "line"),
    belongs_to("imports", "import_id", cascade=True),
    key=("import_id", "line"),
)
