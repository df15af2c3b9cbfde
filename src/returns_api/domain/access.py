"""Who may call what: roles, scopes, and the principal behind a credential.

A role is a default set of scopes; a key may carry fewer, never more. A buyer's token is bound to
one order besides, a recipient's to one gift receipt of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from returns_api.domain.errors import Forbidden


class Role(StrEnum):
    BUYER = "buyer"
    RECIPIENT = "recipient"
    PUBLISHABLE = "publishable"
    AGENT = "agent"
    WAREHOUSE = "warehouse"
    FINANCE = "finance"
    ADMIN = "admin"
    PLATFORM = "platform"


class Scope(StrEnum):
    """One thing a credential may do; every operation names exactly one."""

    SESSIONS_CREATE = "sessions:create"
    POLICY_READ = "policy:read"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    QUOTES_CREATE = "quotes:create"
    RETURNS_CREATE = "returns:create"
    RETURNS_READ = "returns:read"
    RETURNS_ACT = "returns:act"
    RETURNS_REVIEW = "returns:review"
    PHOTOS_ADD = "photos:add"
    GIFTS_RETURN = "gifts:return"
    RECEIPTS_WRITE = "receipts:write"
    DISPUTES_RULE = "disputes:rule"
    REFUNDS_READ = "refunds:read"
    REFUNDS_CREATE = "refunds:create"
    REFUNDS_MANAGE = "refunds:manage"
    POLICIES_MANAGE = "policies:manage"
    KEYS_MANAGE = "keys:manage"
    WEBHOOKS_MANAGE = "webhooks:manage"
    SHOP_MANAGE = "shop:manage"
    LEDGER_READ = "ledger:read"
    AUDITS_RUN = "audits:run"
    REPORTS_READ = "reports:read"
    NOTES_MANAGE = "notes:manage"
    STORE_CREDITS_READ = "store_credits:read"
    STORE_CREDITS_SPEND = "store_credits:spend"
    STORE_CREDITS_MANAGE = "store_credits:manage"


_SHOP_FLOOR = {Scope.POLICY_READ, Scope.ORDERS_READ, Scope.RETURNS_READ}
_SERVICE = {
    Scope.SESSIONS_CREATE,
    Scope.QUOTES_CREATE,
    Scope.RETURNS_CREATE,
    Scope.RETURNS_ACT,
    Scope.PHOTOS_ADD,
}

_ARBITER = {Scope.DISPUTES_RULE}
"""An arbiter between a shop and its buyers is no key of that shop's own."""
_OF_A_GIFT = {Scope.GIFTS_RETURN}
"""Whoever holds a gift receipt, and nobody else: what they are shown names no price."""

ROLE_SCOPES: Final[dict[Role, frozenset[Scope]]] = {
    Role.PUBLISHABLE: frozenset({Scope.SESSIONS_CREATE, Scope.POLICY_READ}),
    Role.BUYER: frozenset(
        _SHOP_FLOOR
        | {Scope.QUOTES_CREATE, Scope.RETURNS_CREATE, Scope.RETURNS_ACT, Scope.REFUNDS_READ}
        | {Scope.STORE_CREDITS_READ, Scope.PHOTOS_ADD}
    ),
    Role.RECIPIENT: frozenset(_OF_A_GIFT | {Scope.PHOTOS_ADD}),
    Role.AGENT: frozenset(
        _SHOP_FLOOR
        | _SERVICE
        | {Scope.RETURNS_REVIEW, Scope.REFUNDS_READ, Scope.REFUNDS_CREATE, Scope.REPORTS_READ}
        | {Scope.NOTES_MANAGE}
        | {Scope.STORE_CREDITS_READ, Scope.STORE_CREDITS_SPEND}
    ),
    Role.WAREHOUSE: frozenset(
        {Scope.RETURNS_READ, Scope.RECEIPTS_WRITE, Scope.POLICY_READ, Scope.PHOTOS_ADD}
        | {Scope.NOTES_MANAGE}
    ),
    Role.FINANCE: frozenset(
        _SHOP_FLOOR
        | {Scope.REFUNDS_READ, Scope.REFUNDS_CREATE, Scope.REFUNDS_MANAGE}
        | {Scope.LEDGER_READ, Scope.AUDITS_RUN, Scope.REPORTS_READ, Scope.NOTES_MANAGE}
        | {Scope.STORE_CREDITS_READ, Scope.STORE_CREDITS_SPEND, Scope.STORE_CREDITS_MANAGE}
    ),
    Role.ADMIN: frozenset(Scope) - _ARBITER - _OF_A_GIFT,
    Role.PLATFORM: frozenset(_SHOP_FLOOR | {Scope.REFUNDS_READ} | _ARBITER),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller, as its credential proves. ``order_id`` is set for a buyer and for the recipient
    of a gift and binds them, ``gift_receipt_id`` for the recipient alone."""

    shop: UUID
    credential_id: UUID
    role: Role
    scopes: frozenset[Scope]
    order_id: UUID | None = None
    gift_receipt_id: UUID | None = None

    @property
    def acts_as(self) -> str:
        """The party in the lifecycle tables: the recipient of a gift has the buyer's part."""
        return Role.BUYER.value if self.role is Role.RECIPIENT else self.role.value

    def require(self, scope: Scope) -> None:
        """Raises ``Forbidden`` naming the missing scope."""
        if scope not in self.scopes:
            raise Forbidden(
                f"This credential does not have the scope '{scope}'.",
                required_scope=scope.value,
                role=self.role.value,
            )

    def sees_order(self, order_id: UUID) -> bool:
        """False makes the order, and all below it, not exist for this caller."""
        return self.order_id is None or self.order_id == order_id

    def sees_return(self, order_id: UUID, gift_receipt_id: UUID | None) -> bool:
        """As ``sees_order``, of a return or a quote: the buyer sees none that was made by a gift
        receipt, and a recipient those of the own one."""
        return self.order_id is None or (self.order_id, self.gift_receipt_id) == (
            order_id,
            gift_receipt_id,
        )
