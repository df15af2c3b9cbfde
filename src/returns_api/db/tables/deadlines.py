"""By when somebody has to act: deadlines of what hangs on a return, or on an order alone."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Table

from returns_api.db.tables._base import (
    belongs_to,
    due_index,
    moment,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.domain.lifecycle.deadlines import STATES
from returns_api.domain.lifecycle.machine import Actor

OWNERS = tuple(actor.value for actor in Actor)


def _deadlines(name: str, parents: str, parent: str) -> Table:
    return tenant_table(
        name,
        uuid_(parent),
        uuid_("object_id"),
        text_("object"),
        text_("kind"),
        text_("owner"),
        text_("on_silence"),
        text_("state"),
        moment("due_at"),
        moment("wake_at", null=True),
        moment("paused_at", null=True),
        moment("begun_at"),
        moment("ended_at", null=True),
        one_of("state", STATES),
        one_of("owner", OWNERS),
        CheckConstraint("(wake_at IS NOT NULL) = (state = 'open')", name="open_ones_wake"),
        CheckConstraint("(paused_at IS NOT NULL) = (state = 'paused')", name="paused_since"),
        CheckConstraint("(ended_at IS NULL) = (state IN ('open', 'paused'))", name="ended_at"),
        belongs_to(parents, parent),
        due_index(name, "wake_at", "wake_at IS NOT NULL"),
        key=(parent, "object_id", "kind"),
    )


deadlines = _deadlines("deadlines", "returns", "return_id")
"""Everything that somebody has to do by a moment, in returns and in what hangs on them."""
order_deadlines = _deadlines("order_deadlines", "orders", "order_id")
"""The same for what may hang on an order that has no return."""
