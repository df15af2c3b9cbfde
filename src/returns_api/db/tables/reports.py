"""Reports: figures added up by day and month, and how far each shop's are.

Nothing here is a fact: every row follows from other tables and can be made again. What a row's
``keys`` and ``figures`` are is said by its source in ``domain.report_sources``.
"""

from sqlalchemy import BigInteger, Column, Date, Text
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.tables._base import (
    due_index,
    flag,
    integer,
    moment,
    one_of,
    tenant_table,
    text_,
    uuid_,
)

report_rollups = tenant_table(
    "report_rollups",
    text_("source"),
    text_("span"),
    Column("starts_on", Date, nullable=False),
    Column("keys", ARRAY(Text), nullable=False),
    text_("currency"),  # '' where there is no money
    Column("figures", ARRAY(BigInteger), nullable=False),
    one_of("span", ("day", "month")),
    key=("source", "span", "starts_on", "keys", "currency"),
)

report_progress = tenant_table(
    "report_progress",
    text_("zone"),  # in which days begin; '' before the first building
    moment("building_from", null=True),  # where a building goes on; null when there is none
    uuid_("cursor", null=True),  # the newest event that is counted in
    moment("as_of", null=True),
    flag("quiet"),  # looked once more after the newest event, and nothing had come late
    moment("due_at"),
    moment("leased_until", null=True),
    integer("attempt", default=0),
    due_index("report_progress", "due_at", "due_at IS NOT NULL"),
    key=(),
    root=True,
)
"""A shop that never asked for a report has none."""
