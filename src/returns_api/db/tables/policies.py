"""Policy versions, the history of their publishing, and back-tests of drafts."""

from sqlalchemy import Index, UniqueConstraint, text

from returns_api.db.tables._base import (
    at_least,
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

STATES = ("draft", "checked", "published", "retired")
ACTIONS = ("drafted", "edited", "checked", "published", "retired")
BACKTEST_STATES = ("queued", "running", "succeeded", "failed")

policy_versions = tenant_table(
    "policy_versions",
    integer("number"),
    text_("state"),
    text_("name"),
    text_("source"),
    bytes_("canonical"),  # the document with its law of the day: what a decision is recomputed from
    text_("digest"),
    json_("findings"),
    moment("effective_from", null=True),
    moment("created_at", now=True),
    moment("published_at", null=True),
    text_("published_by", null=True),
    text_("acknowledged", null=True),
    integer("version", default=1),
    moment("checked_at", null=True),
    moment("retired_at", null=True),
    one_of("state", STATES),
    UniqueConstraint("shop_id", "number"),
    Index(
        "ix_policy_versions_in_force",
        "shop_id",
        "effective_from",
        postgresql_where=text("state IN ('published', 'retired')"),
    ),
    root=True,
)

policy_history = tenant_table(
    "policy_history",
    uuid_("policy_version_id"),
    integer("sequence"),
    text_("action"),
    moment("at"),
    text_("actor"),
    uuid_("actor_id", null=True),
    text_("digest"),
    text_("note", null=True),  # the words that acknowledged the warnings, or why it was retired
    json_("findings"),
    moment("effective_from", null=True),
    one_of("action", ACTIONS),
    belongs_to("policy_versions", "policy_version_id"),
    UniqueConstraint("shop_id", "policy_version_id", "sequence"),
)

backtests = tenant_table(
    "backtests",
    uuid_("policy_version_id"),
    text_("digest"),
    uuid_(
        "against_id", null=True
    ),  # None: each return against the version that it was opened under
    moment("opened_from", null=True),
    moment("opened_until"),
    text_("state"),
    integer("total", default=0),
    integer("done", default=0),
    uuid_("cursor", null=True),
    json_("partial", null=True),  # what was counted so far, in the form in which counting goes on
    json_("report", null=True),
    text_("failure", null=True),
    integer("attempt", default=0),
    moment("due_at", null=True),
    moment("leased_until", null=True),
    moment("created_at", now=True),
    moment("finished_at", null=True),
    one_of("state", BACKTEST_STATES),
    *at_least(0, "total", "done", "attempt"),
    belongs_to("policy_versions", "policy_version_id"),
    due_index("backtests", "due_at", "due_at IS NOT NULL"),
)
