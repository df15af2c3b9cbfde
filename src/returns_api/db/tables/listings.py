"""Who is on a list of the shop: by a keyed hash, with a code for the reason, and no words."""

from sqlalchemy import CheckConstraint, Index, text

from returns_api.db.tables._base import (
    bytes_,
    integer,
    moment,
    one_of,
    tenant_table,
    text_,
)
from returns_api.db.tables.deadlines import OWNERS
from returns_api.domain.listings import IDENTIFIERS, LISTS

listings = tenant_table(
    "listings",
    text_("list"),
    text_("identifier"),
    bytes_("person_key", null=True),
    text_("reason"),
    text_("made_by"),
    moment("created_at"),
    moment("expires_at", null=True),
    moment("ended_at", null=True),
    integer("sequence", default=1),
    one_of("list", LISTS),
    one_of("identifier", IDENTIFIERS),
    one_of("made_by", OWNERS),
    CheckConstraint("(ended_at IS NULL) = (person_key IS NOT NULL)", name="forgotten_at_its_end"),
    Index(
        "uq_listings_person",
        "shop_id",
        "person_key",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
    root=True,
)
"""One that has ended keeps that it was, and no longer of whom."""
