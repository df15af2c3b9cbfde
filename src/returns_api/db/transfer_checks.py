"""The queries of an audit about the ways on which money goes out: approved, tried, looked after.

Like ``db.checks``: every row that a statement gives is a breach.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import Check, sql
from returns_api.domain.lifecycle.refunds import TRANSFER

_OVER: Final = ", ".join(
    f"'{state}'" for state in TRANSFER.states if state in TRANSFER.terminal | {"succeeded"}
)
ORDER_CHECKS: Final = (
    Check(
        "N7",
        "money that no second person approved",
        sql("""
            SELECT t.id, t.state FROM transfers t
            JOIN refunds r ON r.shop_id = t.shop_id AND r.id = t.refund_id
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders) AND r.hold_reason IS NOT NULL
              AND t.state NOT IN ('on_hold', 'canceled')
              AND NOT EXISTS (
                SELECT FROM refund_approvals a
                WHERE a.shop_id = t.shop_id AND a.refund_id = t.refund_id
                  AND a.approver_id IS DISTINCT FROM r.requested_by
                  AND a.amount_minor = r.amount_minor AND a.currency = r.currency
                  AND a.releases @> jsonb_build_array(jsonb_build_object(
                      'transfer', t.id, 'payment', t.payment_id,
                      'amount', t.amount_minor, 'currency', t.currency)))"""),
    ),
    Check(
        "N8",
        "two tries in flight",
        sql("""
            SELECT t.id, count(*) AS tries FROM refunds r
            JOIN transfers t ON t.shop_id = r.shop_id AND t.refund_id = r.id
            JOIN transfer_attempts a ON a.shop_id = t.shop_id AND a.transfer_id = t.id
             AND a.state = 'in_flight'
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
            GROUP BY t.shop_id, t.id HAVING count(*) > 1"""),
    ),
    Check(
        "N9",
        "nobody will look",
        sql("""
            SELECT t.id, t.state, t.due_at::text FROM refunds r
            JOIN transfers t ON t.shop_id = r.shop_id AND t.refund_id = r.id
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders) AND t.due_at IS NULL
              AND t.state IN ('queued', 'sending', 'unknown', 'pending', 'requires_action')"""),
    ),
    Check(
        "N9",
        "due although it is over",
        sql(f"""
            SELECT t.id, t.state, t.due_at::text FROM refunds f
            JOIN transfers t ON t.shop_id = f.shop_id AND t.refund_id = f.id
            WHERE f.shop_id = :shop AND f.order_id = ANY (:orders) AND t.due_at IS NOT NULL
              AND t.state IN ({_OVER}, 'needs_review')
            UNION ALL SELECT r.id, r.state, d.wake_at::text FROM returns r
            JOIN deadlines d ON d.shop_id = r.shop_id AND d.return_id = r.id AND d.object_id = r.id
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders) AND d.wake_at IS NOT NULL
              AND d.kind <> 'dispute_window'
              AND r.state IN ('rejected', 'canceled', 'expired', 'completed')"""),
    ),
)
"""What must hold of the transfers of each order, and of whatever else still waits for its day."""
