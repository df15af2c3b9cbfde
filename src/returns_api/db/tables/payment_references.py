"""Payments that buyers made beside those of their orders: each reference counts once in the shop.

What a payment was told for (the difference of an exchange, a repair, a part of a recovery) points
here with its own id, so that no two rows can name one payment, of whatever kind they are.
"""

from sqlalchemy import UniqueConstraint

from returns_api.db.tables._base import moment, one_of, tenant_table, text_, uuid_

PAID_FOR = ("exchange", "repair", "recovery")

payment_references = tenant_table(
    "payment_references",
    text_("reference"),
    text_("kind"),
    uuid_("used_by"),
    moment("told_at"),
    one_of("kind", PAID_FOR),
    UniqueConstraint("shop_id", "reference", "used_by"),
    key=("reference",),
)
"""Never changed. ``used_by`` is the exchange, the repair, or the step of the recovery."""
