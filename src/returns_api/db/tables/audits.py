"""Audits: asked for, carried on as a job, finished with a report. Their anchors bind later ones."""

from sqlalchemy import Index, text

from returns_api.db.tables._base import (
    at_least,
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

audits = tenant_table(
    "audits",
    text_("state"),
    integer("total", default=0),
    integer("done", default=0),
    integer("breaches", default=0),
    json_("place", null=True),  # where the next job goes on
    json_("report", null=True),
    integer("position", default=0),
    bytes_("digest", null=True),
    text_("failure", null=True),
    integer("attempt", default=0),
    uuid_("requested_by", null=True),
    moment("due_at", null=True),
    moment("leased_until", null=True),
    moment("created_at"),
    moment("finished_at", null=True),
    one_of("state", ("queued", "running", "succeeded", "failed")),
    *at_least(0, "total", "done", "breaches", "position", "attempt"),
    due_index("audits", "due_at", "due_at IS NOT NULL"),
    Index("ix_audits_anchors", "shop_id", "position", postgresql_where=text("digest IS NOT NULL")),
    root=True,
)
