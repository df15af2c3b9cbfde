"""What finance and the payment provider do in a story, and what the shop lets one person do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from returns_api.domain.access import Principal, Role
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.orders import (
    PaymentFacts,
)
from returns_api.domain.returns import ReturnRecord
from returns_api.ports.payments import ProviderDispute, ProviderRefund
from returns_api.usecases import (
    _provider_facts,
    refund_decisions,
    refunds,
)
from returns_api.usecases._refund_views import RefundView
from returns_api.usecases._waiting import NotYet
from returns_api.usecases.refunds import RefundWish
from returns_api.usecases.shops import change_shop, view_shop
from tests.support.story_returns import Returning
from tests.support.story_scene import CARD, Order


class Refunding(Returning):
    """What is paid back."""

    __slots__ = ()

    async def refund(
        self, order: Order, amount: int | None = None, by: Principal | None = None, **more: Any
    ) -> RefundView:
        """Finance (unless another is named) refunds an amount, or all that is left."""
        person = by or self.finance
        wish = RefundWish(**{"kind": "manual", "amount_minor": amount, **more})
        async with self.ctx.database.transaction(self.shop, savepoint=True) as tx:
            return await refunds.create_refund(
                tx,
                self.ctx,
                By(person.role.value, person.credential_id),
                order.id,
                wish,
            )

    async def credit_terms(self, **terms: Any) -> None:
        """Set the shop's terms of store credit; what is not named has its default."""
        version = (await view_shop(self.ctx, self.shop))["version"]
        await change_shop(self.ctx, self.shop, SYSTEM, version, {"store_credit": terms})

    async def repairs(self, **settings: Any) -> None:
        """Set where the shop has goods repaired, and its price list."""
        version = (await view_shop(self.ctx, self.shop))["version"]
        await change_shop(self.ctx, self.shop, SYSTEM, version, {"repairs": settings})

    async def limit(self, **limits: int | None) -> None:
        """Set what one person may refund alone (minor units); what is not named has its default."""
        version = (await view_shop(self.ctx, self.shop))["version"]
        await change_shop(self.ctx, self.shop, SYSTEM, version, {"refund_limits": limits})

    async def approve(
        self, view: RefundView, by: Principal | None = None, binding: str | None = None
    ) -> RefundView:
        """The admin (unless another is named) approves what they see."""
        person = by or self.who(Role.ADMIN)
        async with self.ctx.database.transaction(self.shop, savepoint=True) as tx:
            return await refund_decisions.approve_refund(
                tx,
                self.ctx,
                person,
                By(person.role.value, person.credential_id),
                view.refund["id"],
                binding or str(view.binding),
            )

    async def retry(self, refund_id: UUID) -> RefundView:
        return await refund_decisions.retry_refund(self.ctx, self.finance, By("finance"), refund_id)

    async def cancel(self, refund_id: UUID) -> RefundView:
        return await refund_decisions.cancel_refund(
            self.ctx, self.finance, By("finance"), refund_id
        )

    async def refund_now(self, refund_id: UUID) -> RefundView:
        return await refunds.get_refund(self.ctx, self.finance, refund_id)

    async def refund_of(self, ret: ReturnRecord) -> RefundView:
        """The one refund of a return."""
        (row,) = (await self.view(ret)).refunds
        return await self.refund_now(row["id"])

    async def provider_list(self, order: Order) -> list[ProviderRefund]:
        """The bank's own word on every refund of the order's payments."""
        found: list[ProviderRefund] = []
        for payment in (await self.load(order.id)).payments:
            if payment.provider_payment_id is not None:
                found += await self.bank.refunds_of(payment.provider_payment_id)
        return found

    async def provider_tells(self, order: Order) -> list[ProviderRefund]:
        """The same, applied as its webhooks bring it."""
        found = await self.provider_list(order)
        for fact in found:
            await self.tell(fact)
        return found

    def payment_of(self, intent: str, amount: int, name: str = "p0") -> PaymentFacts:
        return PaymentFacts(name, CARD, amount, "EUR", intent)

    def dispute_of(
        self, payment: str, amount: int, *, won: bool = False, name: str = "dp_1"
    ) -> ProviderDispute:
        """A chargeback as the provider's webhook tells it; ``won`` gave the money back."""
        return ProviderDispute(name, payment, amount, "EUR", open=not won)

    async def tell(self, fact: Any) -> bool:
        """One fact of the payment provider; False when it has to wait for its payment."""
        async with self.ctx.database.transaction(self.shop) as tx:
            try:
                await _provider_facts.apply(tx, self.ctx, CARD, "stripe", CARD, fact)
            except NotYet:
                return False
        return True
