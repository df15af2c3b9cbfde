"""Making a binding offer in an open transaction: decided, priced, and stored whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from returns_api.db import histories
from returns_api.db import quotes as rows
from returns_api.db import refunds as refund_rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.allocation import from_json
from returns_api.domain.order_facts import AskedLine
from returns_api.domain.order_record import OrderRecord
from returns_api.domain.policy import canonical_json, decision_to_json
from returns_api.domain.quotes import QUOTE_LASTS, Quote, plan_quote
from returns_api.domain.repair_prices import PriceList
from returns_api.domain.store_credits import bonus
from returns_api.usecases._loading import policy_of
from returns_api.usecases._policies import explainer
from returns_api.usecases.context import Context


@dataclass(frozen=True, slots=True)
class StoredQuote:
    """A quote as it was given; ``body`` is what the buyer saw."""

    id: UUID
    order_id: UUID
    created_at: datetime
    expires_at: datetime
    return_id: UUID | None
    body: Mapping[str, Any]
    gift_receipt_id: UUID | None = None
    """By which it was made for a gift's recipient, who alone accepts it."""


async def store_quote(
    tx: Transaction,
    ctx: Context,
    order: OrderRecord,
    lines: Sequence[AskedLine],
    *,
    resolution: str,
    method: str | None,
    gift_receipt_id: UUID | None = None,
) -> StoredQuote:
    """Kept for ``QUOTE_LASTS``; with ``gift_receipt_id`` for a gift's recipient.

    Raises:
        Invalid, NothingLeftToReturn, NotEligible.
    """
    now, quote_id, decision_id = ctx.clock(), ctx.new_id(), ctx.new_id()
    history = await histories.load_history(tx, order, now)
    version, policy = await policy_of(tx, ctx, order)
    quote = plan_quote(
        order,
        from_json(order.certificate),
        history,
        policy,
        lambda: explainer(ctx, version["id"], policy),
        lines,
        resolution=resolution,
        method=method,
        shipping_refunded=await refund_rows.shipping_refunded(tx, order.id),
        now=now,
        gift=gift_receipt_id is not None,
    )
    quote = await _with_prices(tx, quote, order.currency)
    body = _body(quote, version, order, now)
    await rows.add(
        tx,
        _decision_row(quote, order, version, decision_id, now),
        {
            **_quote_row(quote, order, version, quote_id, decision_id, body, now),
            "gift_receipt_id": gift_receipt_id,
        },
    )
    return StoredQuote(quote_id, order.id, now, now + QUOTE_LASTS, None, body, gift_receipt_id)


async def _with_prices(tx: Transaction, quote: Quote, currency: str) -> Quote:
    """What declining a repair can cost by the shop's price list; nothing is asked without one."""
    repair = quote.terms.repair
    if repair is None or repair.free:
        return quote
    most = PriceList.of(dict(await shop_rows.one(tx))).decline_most(currency)
    priced = replace(repair, decline_minor=repair.decline_minor + most)
    return replace(quote, terms=replace(quote.terms, repair=priced))


def _decision_row(
    quote: Quote, order: OrderRecord, version: Row, decision_id: UUID, now: datetime
) -> dict[str, Any]:
    """Facts and decision of every line, and the digest that a recomputation must give again."""
    body = {str(item.line.id): decision_to_json(item.decision) for item in quote.lines}
    return {
        "id": decision_id,
        "order_id": order.id,
        "policy_version_id": version["id"],
        "facts": {str(item.line.id): item.decision.facts.to_json() for item in quote.lines},
        "body": body,
        "digest": "sha256:" + sha256(canonical_json(body)).hexdigest(),
        "at": now,
    }


def _quote_row(
    quote: Quote,
    order: OrderRecord,
    version: Row,
    quote_id: UUID,
    decision_id: UUID,
    body: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    return {
        "id": quote_id,
        "order_id": order.id,
        "decision_id": decision_id,
        "policy_version_id": version["id"],
        "resolution": quote.resolution,
        "method": quote.method,
        "currency": order.currency,
        "total_minor": quote.settlement.total_minor,
        "lines": [
            {
                "order_line_id": str(item.line.id),
                "external_id": item.line.external_id,
                "title": item.line.title,
                "sku": item.line.sku,
                "quantity": item.asked.quantity,
                "units": list(item.units),
                "reason": item.asked.reason,
                "fault": item.decision.fault.value,
                "condition": item.asked.condition,
            }
            for item in quote.lines
        ],
        "terms": quote.terms.to_json(),
        "body": body,
        "created_at": now,
        "expires_at": now + QUOTE_LASTS,
    }


def _body(quote: Quote, version: Row, order: OrderRecord, now: datetime) -> dict[str, Any]:
    """What the buyer sees and accepts: amounts, deductions and what may still be deducted."""
    ids = {line.external_id: str(line.id) for line in order.lines}  # charges too
    refund = quote.settlement.as_dict()
    parts = refund["parts"]
    assert isinstance(parts, list)
    return {
        "currency": order.currency,
        "policy_version_id": str(version["id"]),
        "resolution": quote.resolution,
        "method": quote.method,
        "methods": [{"method": name, "fee": fee} for name, fee in quote.methods],
        "lines": [
            {
                "line_id": str(item.line.id),
                "title": item.line.title,
                "quantity": item.asked.quantity,
                "reason": item.asked.reason,
                "evidence": [
                    {"kind": e.kind.value, "minimum": e.minimum} for e in item.decision.evidence
                ],
                "counts_for": quote.terms.of_line(item.line.id).expected_minor,
                "fallback": quote.terms.of_line(item.line.id).fallback,
            }
            for item in quote.lines
        ],
        "total": refund["total"],
        "parts": [{**part, "line": ids.get(part.get("line", ""))} for part in parts],
        "fallback": quote.terms.fallback,
        "repair": None if quote.terms.repair is None else asdict(quote.terms.repair),
        "bonus": bonus(quote.settlement.total_minor, quote.terms.bonus_ppm),
        "freight": {
            "payer": quote.terms.freight_payer,
            "fee": quote.settlement.fees.return_freight_minor,
        },
        "refund_at": quote.terms.refund_at,
        "refund_within_seconds": quote.terms.refund_within_seconds,
        "fees_possible_later": [
            {"line_id": line, "grade": grade, "deduction_ppm": share}
            for line, terms in quote.terms.lines.items()
            for grade, share in sorted(terms.grades.items())
            if share
        ],
    }
