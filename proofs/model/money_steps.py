"""Steps of money out: refunds that people ask for, approve, retry and cancel.

Where the outcome is foreseeable from what was told before, a step asserts it: the shadow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import orjson
from proofs.model.memory import Answered, Memory, pick
from tests.support.story_scene import Order

from returns_api.db.engine import Transaction
from returns_api.db.idempotency import Claim
from returns_api.domain.access import Role
from returns_api.domain.errors import (
    DuplicateReference,
    IdempotencyKeyReused,
    NothingLeftToRefund,
    OwnApproval,
    RefundableChanged,
)
from returns_api.domain.events import By
from returns_api.domain.lifecycle.refunds import REFUND
from returns_api.usecases import refunds
from returns_api.usecases._refund_views import RefundView
from returns_api.usecases.once import Answer, Keyed, once
from returns_api.usecases.refunds import RefundWish

KEPT: Final = timedelta(hours=72)
"""For so long the same key gets the first answer again (S4)."""
RETRIED_IN: Final = tuple(state for state, action in REFUND.rules if action == "retry")


@dataclass(slots=True)
class MoneySteps(Memory):
    """What finance, agents and admins do with refunds."""

    # Money out

    async def refunded(
        self, which: int, amount: int, kind: str, role: Role, expected: int, reference: int
    ) -> bool:
        """Whether it passes is foreseen: above zero, within what is left, as expected, not twice
        by one reference. ``expected`` 0 names none, 1 the right sum, 2 a wrong one."""
        order = pick(self.orders, which)
        if order is None:
            return False
        left = await self.left(order)
        name = f"ref-{reference}" if reference else None
        wanted = {0: None, 1: left, 2: left + 1}[expected]
        part = left if amount == 0 else 1 + amount % max(left + left // 4, 1)
        person = self.story.who(role)
        try:
            view = await self.story.refund(
                order, part, person, kind=kind, client_reference=name, expected_refundable=wanted
            )
        except DuplicateReference:
            assert name in self.references
            raise
        except RefundableChanged:
            assert expected == 2
            raise
        except NothingLeftToRefund:
            assert part > left or left == 0, f"{part} was refused, {left} was left"
            raise
        assert part <= left, f"{part} was accepted, {left} was left"
        assert name not in self.references
        self.references |= {name} if name else set()
        self.note(view, person)
        return True

    async def refunded_by_key(self, which: int, amount: int, key: int) -> bool:
        """The same key and body get the first answer, the same key and another body get none."""
        order = pick(self.orders, which)
        if order is None:
            return False
        name, body = f"key-{key}", f"{order.name} {amount}".encode()
        before, now = self.answers.get(name), self.story.clock()
        try:
            answer = await self._once(order, name, body, amount)
        except IdempotencyKeyReused:
            assert before is not None
            assert before.asked != body
            raise
        if before is not None and now - before.at <= KEPT:
            assert answer.replayed
            assert (before.asked, before.answer) == (body, answer.body)
        if not answer.replayed:
            self.answers[name] = Answered(body, answer.body, now)
        return True

    async def _once(self, order: Order, name: str, body: bytes, amount: int) -> Answer:
        person = self.story.finance

        async def work(tx: Transaction) -> RefundView:
            return await refunds.create_refund(
                tx, self.story.ctx, By("finance", person.credential_id), order.id,
                RefundWish(kind="manual", amount_minor=amount),
            )  # fmt: skip

        def answered(view: RefundView) -> Answer:
            self.note(view, person)
            return Answer(202, orjson.dumps({"refund": str(view.refund["id"])}))

        key, said = (hashlib.sha256(text).digest() for text in (name.encode(), body))
        claim = Claim(person.credential_id, key, said)
        refuse = Keyed(claim, lambda refusal: Answer(409, orjson.dumps(type(refusal).__name__)))
        return await once(self.story.ctx, self.story.shop, refuse, work, answered)

    async def refund_approved(self, which: int, role: Role) -> bool:
        refund = pick(self.refunds, which)
        if refund is None:
            return False
        person = self.story.who(role)
        try:
            await self.story.approve(await self.story.refund_now(refund), person)
        except OwnApproval:
            assert self.asked_by.get(refund) == person.credential_id
            raise
        assert self.asked_by.get(refund) != person.credential_id, "approved by who asked for it"
        return True

    async def refund_retried(self, which: int) -> bool:
        """One that waits for it, where any does: few fail, and no other can be retried."""
        waiting = await self._all_refunds(RETRIED_IN)
        refund = pick(waiting or await self._all_refunds(), which)
        if refund is not None:
            await self.story.retry(refund)
        return refund is not None

    async def refund_canceled(self, which: int) -> bool:
        refund = pick(await self._all_refunds(), which)
        if refund is not None:
            await self.story.cancel(refund)
        return refund is not None

    async def _all_refunds(self, states: Sequence[str] = REFUND.states) -> list[UUID]:
        """Those of returns, too."""
        found = await self.story.rows(
            "SELECT id FROM refunds WHERE state = ANY ($1) ORDER BY id", list(states)
        )
        return [row["id"] for row in found]
