"""What can go back, and the binding offer for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from returns_api.db import histories
from returns_api.db import quotes as rows
from returns_api.domain.access import Principal
from returns_api.domain.allocation import Certificate, from_json
from returns_api.domain.errors import NotFound
from returns_api.domain.order_facts import AskedLine, policy_facts
from returns_api.domain.order_record import BuyerHistory, LineRecord, OrderRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.policy import Decision, Policy
from returns_api.domain.policy.explain import Explainer
from returns_api.domain.reasons import Reason
from returns_api.domain.refusals_in_words import flips_in_words, reasons_in_words
from returns_api.domain.units_left import arrived, units_left
from returns_api.usecases._loading import NO_SUCH_THING, policy_of, visible_order
from returns_api.usecases._policies import explainer
from returns_api.usecases._quotes import StoredQuote, store_quote
from returns_api.usecases.context import Context

EXPLAINED_MAX: Final = 200
"""Refusals of one answer that say what would turn them; whoever wants more names the reasons."""


@dataclass(frozen=True, slots=True)
class ReturnableReason:
    """What the policy says about one line for one reason: why (``because``) and, for a refusal,
    the smallest changes that would turn it (``flips_if``)."""

    reason: Reason
    decision: Decision
    because: Sequence[Mapping[str, Any]] = ()
    flips_if: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class ReturnableLine:
    line: LineRecord
    delivered: int
    left: int
    reasons: tuple[ReturnableReason, ...]


@dataclass(frozen=True, slots=True)
class Returnable:
    """Every goods line of an order with every reason that a buyer can give."""

    order: OrderRecord
    policy_version_id: UUID
    lines: tuple[ReturnableLine, ...]


async def list_returnable(
    ctx: Context, principal: Principal, order_id: UUID, reasons: Sequence[str] | None
) -> Returnable:
    """What may come back, line by line and reason by reason. Raises ``NotFound``."""
    now = ctx.clock()
    async with ctx.database.transaction(principal.shop) as tx:
        order = await visible_order(tx, principal, order_id)
        history = await histories.load_history(tx, order, now)
        version, policy = await policy_of(tx, ctx, order)
    judge = _Judge(
        order,
        from_json(order.certificate),
        history,
        policy,
        lambda: explainer(ctx, version["id"], policy),
        now,
    )
    chosen = [r for r in policy.world.reasons.values() if reasons is None or r.code in set(reasons)]
    lines = tuple(
        ReturnableLine(
            line,
            arrived(order, line, now),
            len(units_left(order, line, now)),
            tuple(judge(line, reason) for reason in chosen),
        )
        for line in order.lines
        if line.kind is LineKind.GOODS
    )
    return Returnable(order, version["id"], lines)


@dataclass(slots=True)
class _Judge:
    """Judges lines of one order; counts what it explains, since that costs."""

    order: OrderRecord
    certificate: Certificate
    history: BuyerHistory
    policy: Policy
    explainer: Callable[[], Explainer]
    now: datetime
    explained: int = 0

    def __call__(self, line: LineRecord, reason: Reason) -> ReturnableReason:
        asked = AskedLine(line.id, 1, reason.code)
        facts = policy_facts(self.order, line, self.certificate, self.history, asked, self.now)
        decision = self.policy.decide(facts)
        locale = self.order.locale or "en"
        because = reasons_in_words(self.policy, decision, locale)
        if decision.eligible or self.explained >= EXPLAINED_MAX:
            return ReturnableReason(reason, decision, because)
        self.explained += 1
        flips = flips_in_words(self.explainer(), decision, locale)
        return ReturnableReason(reason, decision, because, flips)


async def make_quote(
    ctx: Context,
    principal: Principal,
    order_id: UUID,
    lines: Sequence[AskedLine],
    *,
    resolution: str,
    method: str | None,
) -> StoredQuote:
    """A binding offer, kept for ``QUOTE_LASTS``: decided, priced, and stored whole.

    Raises:
        NotFound, Invalid, NothingLeftToReturn, NotEligible.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        order = await visible_order(tx, principal, order_id)
        return await store_quote(tx, ctx, order, lines, resolution=resolution, method=method)


async def get_quote(ctx: Context, principal: Principal, quote_id: UUID) -> StoredQuote:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        row = await rows.one(tx, quote_id)
    if row is None or not principal.sees_return(row["order_id"], row["gift_receipt_id"]):
        raise NotFound(NO_SUCH_THING)
    return StoredQuote(
        row["id"],
        row["order_id"],
        row["created_at"],
        row["expires_at"],
        row["return_id"],
        row["body"],
        row["gift_receipt_id"],
    )
