"""Store credit: accounts, lots, what happened to them, and which purchase took from which lot.

The balance of an account is kept in its row and is the sum of what its lots have left; a trigger
binds every change of it to the movement that says so. Movements only grow, and each is one entry of
the ledger. What must happen once is unique: a lot expires once, a transfer is credited once.
"""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    bytes_,
    currency,
    due_index,
    integer,
    moment,
    money,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.domain.lifecycle.store_credits import LOT
from returns_api.domain.store_credits import HOLDERS, KINDS, MOVES

store_credits = tenant_table(
    "store_credits",
    text_("holder"),
    bytes_("holder_key", null=True),
    currency(),
    money("balance_minor", default=0),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("holder", HOLDERS),
    *at_least(0, "balance_minor"),
    *at_least(1, "sequence"),
    UniqueConstraint("shop_id", "holder_key", "holder", "currency"),
    UniqueConstraint("shop_id", "id", "currency"),
    root=True,
)

store_credit_lots = tenant_table(
    "store_credit_lots",
    uuid_("store_credit_id"),
    currency(),
    text_("kind"),
    text_("state"),
    money("amount_minor"),
    money("remaining_minor"),
    moment("expires_at", null=True),
    moment("due_at", null=True),
    moment("created_at"),
    one_of("kind", KINDS),
    one_of("state", LOT.states),
    *at_least(1, "amount_minor"),
    *at_least(0, "remaining_minor"),
    CheckConstraint("remaining_minor <= amount_minor", name="within"),
    CheckConstraint("(state = 'open') = (remaining_minor > 0)", name="open_while_it_lasts"),
    CheckConstraint(
        "due_at IS NOT DISTINCT FROM CASE WHEN remaining_minor > 0 THEN expires_at END",
        name="due_while_it_lasts",
    ),
    belongs_to("store_credits", "store_credit_id", ("currency", "currency")),
    Index(
        "ix_store_credit_lots_open",
        "shop_id",
        "store_credit_id",
        postgresql_where=text("remaining_minor > 0"),
    ),
    due_index("store_credit_lots", "due_at", "due_at IS NOT NULL"),
)

store_credit_movements = tenant_table(
    "store_credit_movements",
    uuid_("store_credit_id"),
    integer("no"),
    text_("kind"),
    money("amount_minor"),
    currency(),
    money("balance_minor"),
    uuid_("entry_id"),
    uuid_("lot_id", null=True),
    uuid_("transfer_id", null=True),
    uuid_("undoes_id", null=True),
    uuid_("order_id", null=True),
    text_("client_reference", null=True),
    text_("reference", null=True),
    moment("at"),
    text_("actor"),
    uuid_("actor_id", null=True),
    one_of("kind", MOVES),
    *at_least(1, "amount_minor"),
    *at_least(0, "balance_minor"),
    UniqueConstraint("shop_id", "store_credit_id", "no"),
    Index(
        "uq_store_credit_movements_client_reference",
        "shop_id",
        "client_reference",
        unique=True,
        postgresql_where=text("client_reference IS NOT NULL"),
    ),
    Index(
        "uq_store_credit_movements_transfer",
        "shop_id",
        "transfer_id",
        "kind",
        unique=True,
        postgresql_where=text("transfer_id IS NOT NULL"),
    ),
    Index(
        "uq_store_credit_movements_expiry",
        "shop_id",
        "lot_id",
        unique=True,
        postgresql_where=text("kind = 'expired'"),
    ),
    belongs_to("store_credits", "store_credit_id", ("currency", "currency")),
    belongs_to("ledger_entries", "entry_id"),
    belongs_to("store_credit_lots", "lot_id"),
    belongs_to("transfers", "transfer_id"),
    belongs_to("store_credit_movements", "undoes_id"),
    belongs_to("orders", "order_id"),
)

store_credit_draws = tenant_table(
    "store_credit_draws",
    uuid_("movement_id"),
    uuid_("lot_id"),
    money("amount_minor"),
    money("returned_minor", default=0),
    *at_least(1, "amount_minor"),
    *at_least(0, "returned_minor"),
    CheckConstraint("returned_minor <= amount_minor", name="within"),
    belongs_to("store_credit_movements", "movement_id"),
    belongs_to("store_credit_lots", "lot_id"),
    key=("movement_id", "lot_id"),
)
