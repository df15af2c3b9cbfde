"""The books: entries, their postings, the chain over them, and what is not in the chain yet.

A posting is one amount between two accounts, so debits equal credits in every row that can exist;
there is no sum to check. Books and chain only grow. ``ledger_unsealed`` is no book but work to do:
its rows come with their entries and go when those are sealed.
"""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    bytes_,
    currency,
    integer,
    moment,
    money,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.domain.ledger import Account

ledger_entries = tenant_table(
    "ledger_entries",
    text_("fact"),
    text_("source_type"),
    uuid_("source_id"),
    uuid_("order_id", null=True),
    moment("at"),
    text_("actor"),
    uuid_("actor_id", null=True),
    Index("ix_ledger_entries_order", "shop_id", "order_id"),
)

ledger_postings = tenant_table(
    "ledger_postings",
    uuid_("entry_id"),
    integer("no"),
    text_("rule"),
    text_("debit"),
    uuid_("debit_of", null=True),
    text_("credit"),
    uuid_("credit_of", null=True),
    money("amount_minor"),
    currency(),
    one_of("debit", tuple(Account)),
    one_of("credit", tuple(Account)),
    *at_least(1, "no", "amount_minor"),
    CheckConstraint(
        "debit <> credit OR debit_of IS DISTINCT FROM credit_of", name="between_two_accounts"
    ),
    belongs_to("ledger_entries", "entry_id"),
    Index(
        "ix_ledger_postings_store_credit",
        "shop_id",
        "entry_id",
        postgresql_where=text("debit = 'store_credit' OR credit = 'store_credit'"),
    ),
    key=("entry_id", "no"),
)

ledger_seals = tenant_table(
    "ledger_seals",
    integer("position"),
    uuid_("entry_id"),
    bytes_("digest"),
    *at_least(1, "position"),
    UniqueConstraint("shop_id", "entry_id"),
    belongs_to("ledger_entries", "entry_id"),
    key=("position",),
)

ledger_unsealed = tenant_table("ledger_unsealed", uuid_("entry_id"), key=("entry_id",))
