"""What is due for units of a return, by its accepted quote and the certificate that priced it."""

from __future__ import annotations

from collections.abc import Sequence

from returns_api.db import orders as order_rows
from returns_api.db import refunds as refund_rows
from returns_api.db.engine import Transaction
from returns_api.domain.allocation import from_json
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.quotes import settlement_terms
from returns_api.domain.refunds import tenders
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.settlement import Claim, Settlement, plan_settlement


async def what_is_due(
    tx: Transaction, ret: ReturnRecord, payments: Sequence[PaymentRecord], claims: Sequence[Claim]
) -> Settlement:
    """The parts and their sum, never more than the quote announced. The payments must be locked."""
    stored = await order_rows.certificate(tx, ret.order_id, ret.terms.certificate_version)
    shipping = await refund_rows.shipping_refunded(tx, ret.order_id)
    return plan_settlement(
        from_json(stored),
        claims,
        settlement_terms(ret.terms, shipping, quoting=False),
        tenders(payments),
    )
