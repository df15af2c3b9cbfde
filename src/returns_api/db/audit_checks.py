"""Every check of an audit, by what it looks at: orders, events, accounts of store credit, the shop.

Owns that none is forgotten: a family that is not named here is never run. Refuses to own a query
(the family's module), what a finding says (``domain.audits``) and the walk over the pages
(``usecases._auditing``).
"""

from __future__ import annotations

from typing import Final

from returns_api.db import (
    advance_checks,
    cancellation_checks,
    claim_checks,
    credit_checks,
    event_checks,
    exchange_checks,
    gift_checks,
    ledger_checks,
    orphan_checks,
    payment_checks,
    refund_checks,
    repair_checks,
    transfer_checks,
    unit_checks,
)

ORDER_CHECKS: Final = (
    *payment_checks.ORDER_CHECKS,
    *refund_checks.ORDER_CHECKS,
    *unit_checks.ORDER_CHECKS,
    *ledger_checks.ORDER_CHECKS,
    *event_checks.ORDER_CHECKS,
    *transfer_checks.ORDER_CHECKS,
    *advance_checks.ORDER_CHECKS,
    *cancellation_checks.ORDER_CHECKS,
    *exchange_checks.ORDER_CHECKS,
    *repair_checks.ORDER_CHECKS,
    *credit_checks.ORDER_CHECKS,
    *claim_checks.ORDER_CHECKS,
    *gift_checks.ORDER_CHECKS,
)
"""Of the rows below each order; they name ``:orders``."""

EVENT_CHECKS: Final = event_checks.EVENT_CHECKS
"""Of each event; they name ``:after`` and ``:limit``."""

ACCOUNT_CHECKS: Final = credit_checks.ACCOUNT_CHECKS
"""Of each account of store credit; they name ``:accounts``."""

SHOP_CHECKS: Final = (
    *refund_checks.SHOP_CHECKS,
    *orphan_checks.SHOP_CHECKS,
    *advance_checks.SHOP_CHECKS,
    *credit_checks.SHOP_CHECKS,
)
"""Of the whole shop."""
