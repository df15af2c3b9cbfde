"""The queries of an audit: each finds breaches, and every row that it gives is one.

All look at one page: of a shop's orders, of its events, of its chain; so no statement runs long,
however large the shop is. Each is one statement and so sees one moment: an audit may run while
everything goes on. Long, because every promise is a statement of its own. Refuses to own what a
finding says (``domain.audits``), the walk over the pages (``usecases._auditing``) and the job
around it (``db.audits``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Integer,
    Uuid,
    bindparam,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query
from returns_api.domain.lifecycle.refunds import HOLDING, TRANSFER

_HELD: Final = ", ".join(f"'{state}'" for state in sorted(HOLDING))
_OVER: Final = ", ".join(
    f"'{state}'" for state in TRANSFER.states if state in TRANSFER.terminal | {"succeeded"}
)


def sql(statement: str) -> Query:
    """A statement of an audit; it may name ``:shop``, ``:orders``, ``:after`` and ``:limit``."""
    known: dict[str, BindParameter[Any]] = {
        "shop": SHOP,
        "orders": bindparam("orders", required=True, type_=ARRAY(Uuid)),
        "after": bindparam("after", required=True, type_=Uuid),
        "limit": bindparam("limit", required=True, type_=Integer),
    }
    used = [bind for name, bind in known.items() if f":{name}" in statement]
    return Query(text(statement).bindparams(*used))


@dataclass(frozen=True, slots=True)
class Check:
    """A query whose rows are breaches of ``invariant``; each has an ``id`` and what contradicts."""

    invariant: str
    name: str
    query: Query


_SIDES: Final = """
    WITH sides AS (
        SELECT p.debit AS account, p.debit_of AS owner, p.amount_minor AS amount
        FROM ledger_entries e
        JOIN ledger_postings p ON p.shop_id = e.shop_id AND p.entry_id = e.id
        WHERE e.shop_id = :shop AND e.order_id = ANY (:orders)
        UNION ALL
        SELECT p.credit, p.credit_of, -p.amount_minor
        FROM ledger_entries e
        JOIN ledger_postings p ON p.shop_id = e.shop_id AND p.entry_id = e.id
        WHERE e.shop_id = :shop AND e.order_id = ANY (:orders)
    ), sums AS (SELECT account, owner, sum(amount) AS balance FROM sides GROUP BY 1, 2)
"""

ORDER_CHECKS: Final = (
    Check(
        "N1",
        "reserved beyond captured",
        sql("""
            SELECT id, captured, reserved, refunded, external, disputed, exchanged FROM payments
            WHERE shop_id = :shop AND order_id = ANY (:orders)
              AND (least(captured, reserved, refunded, external, disputed, exchanged) < 0
                   OR reserved + refunded + exchanged > captured)"""),
    ),
    Check(
        "N1",
        "reserved beyond what outside facts left",
        sql("""
            SELECT p.id, captured, reserved, refunded, external, disputed, exchanged
            FROM payments p
            WHERE p.shop_id = :shop AND p.order_id = ANY (:orders)
              AND reserved + refunded + external + disputed + exchanged > captured
              AND NOT EXISTS (SELECT FROM outside_facts f
                              WHERE f.shop_id = p.shop_id AND f.order_id = p.order_id
                                AND f.payment_id = p.id)"""),
    ),
    Check(
        "N2",
        "payment counters",
        sql(f"""
            SELECT p.id, p.reserved, p.refunded, p.external, p.disputed, t.held, t.paid, f.refunds,
                   f.disputes
            FROM payments p
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount_minor) FILTER (WHERE state IN ({_HELD})), 0)::bigint
                           AS held,
                       coalesce(sum(amount_minor) FILTER (WHERE state = 'succeeded'), 0)::bigint
                           AS paid
                FROM transfers WHERE shop_id = p.shop_id AND payment_id = p.id) t ON true
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount_minor) FILTER (WHERE kind = 'refund'), 0)::bigint
                           AS refunds,
                       coalesce(sum(amount_minor) FILTER (WHERE kind = 'dispute'), 0)::bigint
                           AS disputes
                FROM outside_facts WHERE shop_id = p.shop_id AND order_id = p.order_id
                 AND payment_id = p.id AND active AND counted) f ON true
            WHERE p.shop_id = :shop AND p.order_id = ANY (:orders)
              AND (p.reserved, p.refunded, p.external, p.disputed)
                  <> (t.held, t.paid, f.refunds, f.disputes)"""),
    ),
    Check(
        "N2",
        "refund amounts",
        sql(f"""
            SELECT r.id, r.amount_minor, sum(t.amount_minor)::bigint AS under_way FROM refunds r
            JOIN transfers t ON t.shop_id = r.shop_id AND t.refund_id = r.id
             AND t.state IN ('succeeded', {_HELD})
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
            GROUP BY r.shop_id, r.id, r.amount_minor
            HAVING sum(t.amount_minor) > r.amount_minor"""),
    ),
    Check(
        "N2",
        "refund parts",
        sql("""
            SELECT r.id, r.amount_minor, s.parts FROM refunds r
            CROSS JOIN LATERAL (SELECT coalesce(sum((part ->> 'amount')::bigint), 0)::bigint
                                       AS parts
                                FROM jsonb_array_elements(r.parts) part) s
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
              AND r.amount_minor <> s.parts"""),
    ),
    Check(
        "N2",
        "credit notes",
        sql("""
            SELECT r.id, r.state, r.arrived_minor, t.arrived, r.noted_minor, n.noted
            FROM refunds r
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(CASE kind WHEN 'cancellation' THEN -amount_minor
                                    ELSE amount_minor END), 0)::bigint AS noted
                FROM credit_notes WHERE shop_id = r.shop_id AND refund_id = r.id) n
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(amount_minor), 0)::bigint AS arrived FROM transfers
                WHERE shop_id = r.shop_id AND refund_id = r.id AND state = 'succeeded') t
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
              AND (r.arrived_minor <> t.arrived OR r.noted_minor <> n.noted
                   OR (r.noted_minor <> t.arrived AND r.note_at IS NULL AND r.state IN
                       ('succeeded', 'partially_succeeded', 'failed', 'reversed', 'canceled')))"""),
    ),
    Check(
        "N2",
        "returned amount",
        sql("""
            SELECT r.id, r.refunded_minor, coalesce(sum(t.amount_minor), 0)::bigint AS arrived
            FROM returns r
            LEFT JOIN refunds f ON f.shop_id = r.shop_id AND f.return_id = r.id
            LEFT JOIN transfers t ON t.shop_id = f.shop_id AND t.refund_id = f.id
             AND t.state = 'succeeded'
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
            GROUP BY r.shop_id, r.id, r.refunded_minor
            HAVING r.refunded_minor <> coalesce(sum(t.amount_minor), 0)"""),
    ),
    Check(
        "N2",
        "claimed units",
        sql("""
            SELECT l.id, l.claimed, c.claims FROM order_lines l CROSS JOIN LATERAL (
                SELECT count(*) AS claims FROM unit_claims c
                LEFT JOIN cancellation_lines x ON x.shop_id = c.shop_id
                 AND x.id = c.cancellation_line_id
                WHERE c.shop_id = l.shop_id AND c.line_id = l.id
                  AND coalesce(x.dispatched, true)) c
            WHERE l.shop_id = :shop AND l.order_id = ANY (:orders) AND c.claims <> l.claimed"""),
    ),
    Check(
        "N2",
        "received units",
        sql("""
            SELECT l.id, l.quantity, l.received, l.inspected, s.received AS counted, s.inspected
                   AS graded
            FROM return_lines l CROSS JOIN LATERAL (
                SELECT (SELECT coalesce(sum(r.quantity), 0)::bigint FROM receipt_lines r
                        JOIN receipts h ON h.shop_id = r.shop_id AND h.id = r.receipt_id
                        WHERE h.shop_id = l.shop_id AND h.return_id = l.return_id
                          AND r.return_line_id = l.id) AS received,
                       (SELECT count(*) FROM inspected_units u
                        WHERE u.shop_id = l.shop_id AND u.return_line_id = l.id) AS inspected) s
            WHERE l.shop_id = :shop AND l.order_id = ANY (:orders)
              AND (l.inspected > l.received OR l.received > l.quantity
                   OR (l.received, l.inspected) <> (s.received, s.inspected))"""),
    ),
    Check(
        "N5",
        "claimed beyond shipped",
        sql("""
            SELECT l.id, l.claimed, l.outside_returned, l.ordered, l.removed, l.shipped
            FROM order_lines l CROSS JOIN LATERAL (
                -- A parcel that came back unopened may be told as never sent afterwards.
                SELECT count(*) AS back FROM unit_claims c
                WHERE c.shop_id = l.shop_id AND c.line_id = l.id
                  AND c.cancellation_line_id IS NOT NULL) c
            WHERE l.shop_id = :shop AND l.order_id = ANY (:orders)
              AND l.claimed > 0 AND l.claimed > least(l.ordered, l.shipped + c.back)"""),
    ),
    Check(
        "N5",
        "unit that was never sold",
        sql("""
            SELECT c.line_id AS id, c.unit_no, l.ordered FROM order_lines l
            JOIN unit_claims c ON c.shop_id = l.shop_id AND c.line_id = l.id
            WHERE l.shop_id = :shop AND l.order_id = ANY (:orders) AND c.unit_no > l.ordered"""),
    ),
    Check(
        "N6",
        "ledger of a payment",
        sql(f"""{_SIDES}
            SELECT p.id, p.captured, p.reserved, p.refunded, p.external, p.disputed,
                   coalesce(c.balance, 0)::bigint AS clearing,
                   coalesce(r.balance, 0)::bigint AS in_reserve,
                   coalesce(d.balance, 0)::bigint AS in_dispute
            FROM payments p
            LEFT JOIN sums c ON c.account = 'clearing' AND c.owner = p.id
            LEFT JOIN sums r ON r.account = 'reserved' AND r.owner = p.id
            LEFT JOIN sums d ON d.account = 'disputed' AND d.owner = p.id
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(amount_minor), 0) AS credited FROM transfers
                WHERE shop_id = p.shop_id AND payment_id = p.id AND state = 'succeeded'
                  AND store_credit_id IS NOT NULL) s
            WHERE p.shop_id = :shop AND p.order_id = ANY (:orders)
              AND (coalesce(c.balance, 0), coalesce(r.balance, 0), coalesce(d.balance, 0))
               <> (p.captured - p.refunded + s.credited - p.external - p.disputed, -p.reserved,
                   p.disputed)"""),
    ),
    Check(
        "N6",
        "ledger of a buyer",
        sql(f"""{_SIDES}, owed AS (
                SELECT r.order_id, sum(r.amount_minor - t.under_way) AS amount FROM refunds r
                CROSS JOIN LATERAL (
                    SELECT coalesce(sum(amount_minor), 0) AS under_way FROM transfers
                    WHERE shop_id = r.shop_id AND refund_id = r.id
                      AND state IN ('succeeded', {_HELD})
                      AND (payment_id IS NOT NULL OR state = 'succeeded')) t
                WHERE r.shop_id = :shop AND r.order_id = ANY (:orders) AND NOT r.given_up
                GROUP BY r.order_id)
            SELECT o.id, coalesce(owed.amount, 0)::bigint AS owed,
                   coalesce(-b.balance, 0)::bigint AS in_ledger
            FROM orders o LEFT JOIN owed ON owed.order_id = o.id
            LEFT JOIN sums b ON b.account = 'buyer' AND b.owner = o.id
            WHERE o.shop_id = :shop AND o.id = ANY (:orders)
              AND coalesce(owed.amount, 0) <> coalesce(-b.balance, 0)"""),
    ),
    Check(
        "N7",
        "sequence with gaps",
        sql("""
            WITH heads AS (
                SELECT shop_id, id, sequence FROM refunds
                WHERE shop_id = :shop AND order_id = ANY (:orders)
                UNION ALL SELECT shop_id, id, sequence FROM returns
                WHERE shop_id = :shop AND order_id = ANY (:orders)
                UNION ALL SELECT shop_id, id, sequence FROM advances
                WHERE shop_id = :shop AND order_id = ANY (:orders)
                UNION ALL SELECT shop_id, id, sequence FROM recoveries
                WHERE shop_id = :shop AND order_id = ANY (:orders))
            SELECT h.id, h.sequence, count(e.id) AS events, max(e.sequence) AS newest FROM heads h
            LEFT JOIN events e ON e.shop_id = h.shop_id AND e.resource_id = h.id
            GROUP BY h.shop_id, h.id, h.sequence
            HAVING count(e.id) <> h.sequence OR coalesce(max(e.sequence), 0) <> h.sequence"""),
    ),
    Check(
        "N7",
        "last event tells another state",
        sql("""
            WITH heads AS (
                SELECT shop_id, id, state FROM refunds
                WHERE shop_id = :shop AND order_id = ANY (:orders)
                UNION ALL SELECT shop_id, id, state FROM returns
                WHERE shop_id = :shop AND order_id = ANY (:orders)
                UNION ALL SELECT shop_id, id, state FROM advances
                WHERE shop_id = :shop AND order_id = ANY (:orders)
                UNION ALL SELECT shop_id, id, state FROM recoveries
                WHERE shop_id = :shop AND order_id = ANY (:orders))
            SELECT h.id, h.state, e.state AS told FROM heads h
            JOIN LATERAL (SELECT data ->> 'state' AS state FROM events
                          WHERE shop_id = h.shop_id AND resource_id = h.id
                          ORDER BY sequence DESC LIMIT 1) e ON true
            WHERE h.state <> e.state"""),
    ),
    Check(
        "N7",
        "money that no second person approved",
        sql("""
            SELECT t.id, t.state FROM transfers t
            JOIN refunds r ON r.shop_id = t.shop_id AND r.id = t.refund_id
            WHERE t.shop_id = :shop AND t.order_id = ANY (:orders) AND r.hold_reason IS NOT NULL
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
            SELECT t.id, count(*) AS tries FROM transfers t
            JOIN transfer_attempts a ON a.shop_id = t.shop_id AND a.transfer_id = t.id
             AND a.state = 'in_flight'
            WHERE t.shop_id = :shop AND t.order_id = ANY (:orders)
            GROUP BY t.shop_id, t.id HAVING count(*) > 1"""),
    ),
    Check(
        "N9",
        "nobody will look",
        sql("""
            SELECT id, state, due_at::text FROM transfers
            WHERE shop_id = :shop AND order_id = ANY (:orders) AND due_at IS NULL
              AND state IN ('queued', 'sending', 'unknown', 'pending', 'requires_action')"""),
    ),
    Check(
        "N9",
        "due although it is over",
        sql(f"""
            SELECT id, state, due_at::text FROM transfers
            WHERE shop_id = :shop AND order_id = ANY (:orders) AND due_at IS NOT NULL
              AND state IN ({_OVER}, 'needs_review')
            UNION ALL SELECT r.id, r.state, d.wake_at::text FROM returns r
            JOIN deadlines d ON d.shop_id = r.shop_id AND d.return_id = r.id AND d.object_id = r.id
            WHERE r.shop_id = :shop AND r.order_id = ANY (:orders) AND d.wake_at IS NOT NULL
              AND d.kind <> 'dispute_window'
              AND r.state IN ('rejected', 'canceled', 'expired', 'completed')"""),
    ),
    Check(
        "N10",
        "entry left out of the chain",
        sql("""
            SELECT e.id, e.fact FROM ledger_entries e
            WHERE e.shop_id = :shop AND e.order_id = ANY (:orders)
              AND NOT EXISTS (SELECT FROM ledger_seals s
                              WHERE s.shop_id = e.shop_id AND s.entry_id = e.id)
              AND NOT EXISTS (SELECT FROM ledger_unsealed u
                              WHERE u.shop_id = e.shop_id AND u.entry_id = e.id)"""),
    ),
)
"""What must hold of the rows below each order."""

_PAGE_OF_EVENTS: Final = """
    WITH page AS (SELECT * FROM events WHERE shop_id = :shop AND id > :after
                  ORDER BY id LIMIT :limit)
"""
EVENT_CHECKS: Final = (
    Check(
        "N7",
        "event of nothing",
        sql(f"""{_PAGE_OF_EVENTS}
            SELECT e.id, e.type FROM page e WHERE e.resource_type IN ('refund', 'return')
              AND NOT EXISTS (SELECT FROM refunds r
                              WHERE r.shop_id = e.shop_id AND r.id = e.resource_id)
              AND NOT EXISTS (SELECT FROM returns r
                              WHERE r.shop_id = e.shop_id AND r.id = e.resource_id)"""),
    ),
    Check(
        "N7",
        "transition without an actor",
        sql(f"{_PAGE_OF_EVENTS} SELECT id, type FROM page WHERE actor = ''"),
    ),
    Check(
        "N7",
        "event without its delivery",
        sql(f"""{_PAGE_OF_EVENTS}
            SELECT e.id, e.type, w.id::text AS endpoint FROM page e
            JOIN webhook_endpoints w ON w.shop_id = e.shop_id AND w.created_at < e.at
             AND w.state = 'active' AND w.version = 1 AND ('*' = ANY (w.topics)
             OR e.type = ANY (w.topics) OR split_part(e.type, '.', 1) || '.*' = ANY (w.topics))
            WHERE NOT EXISTS (SELECT FROM deliveries d WHERE d.shop_id = e.shop_id
                              AND d.event_id = e.id AND d.endpoint_id = w.id)"""),
    ),
)
"""What must hold of each event."""


def _orphans(table: str, parent: str, column: str, key: str = "id") -> Check:
    return Check(
        "N11",
        f"{table} without {parent}",
        sql(f"""
            SELECT c.{key} AS id, c.{column}::text AS parent FROM {table} c
            WHERE c.shop_id = :shop AND c.{column} IS NOT NULL
              AND NOT EXISTS (SELECT FROM {parent} p
                              WHERE p.shop_id = c.shop_id AND p.id = c.{column}) LIMIT 1000"""),
    )


SHOP_CHECKS: Final = (
    Check(
        "N2",
        "numbers of credit notes",
        sql("""
            SELECT s.shop_id AS id, s.last_number, count(n.number) AS notes, max(n.number) AS newest
            FROM number_series s LEFT JOIN credit_notes n ON n.shop_id = s.shop_id
            WHERE s.shop_id = :shop AND s.name = 'credit_notes'
            GROUP BY s.shop_id, s.last_number
            HAVING count(n.number) <> s.last_number
                OR coalesce(max(n.number), 0) <> s.last_number"""),
    ),
    _orphans("payments", "orders", "order_id"),
    _orphans("order_lines", "orders", "order_id"),
    _orphans("returns", "orders", "order_id"),
    _orphans("refunds", "orders", "order_id"),
    _orphans("transfers", "refunds", "refund_id"),
    _orphans("transfers", "payments", "payment_id"),
    _orphans("ledger_entries", "orders", "order_id"),
    _orphans("ledger_postings", "ledger_entries", "entry_id", "entry_id"),
    _orphans("ledger_seals", "ledger_entries", "entry_id", "entry_id"),
)
"""What must hold of the whole shop: nothing without its parent."""

_STEPS: Final = sql("""
    WITH heads AS (
        SELECT shop_id, id, 'refund' AS kind, amount_minor FROM refunds
        WHERE shop_id = :shop AND order_id = ANY (:orders)
        UNION ALL SELECT shop_id, id, 'return', NULL FROM returns
        WHERE shop_id = :shop AND order_id = ANY (:orders)
        UNION ALL SELECT shop_id, id, 'advance', NULL FROM advances
        WHERE shop_id = :shop AND order_id = ANY (:orders)
        UNION ALL SELECT shop_id, id, 'recovery', NULL FROM recoveries
        WHERE shop_id = :shop AND order_id = ANY (:orders)
        UNION ALL SELECT s.shop_id, s.id, 'shipment', NULL FROM shipments s
        JOIN returns r ON r.shop_id = s.shop_id AND r.id = s.return_id
        WHERE r.shop_id = :shop AND r.order_id = ANY (:orders))
    SELECT h.kind, h.id, e.data ->> 'state' AS state,
           lag(e.data ->> 'state') OVER (PARTITION BY h.id ORDER BY e.sequence) AS before,
           (SELECT count(*) = 1 AND sum(t.amount_minor) = h.amount_minor FROM transfers t
            WHERE t.shop_id = h.shop_id AND t.refund_id = h.id) AS alone
    FROM heads h JOIN events e ON e.shop_id = h.shop_id AND e.resource_id = h.id
     AND e.resource_type = h.kind""")
_REFUNDS: Final = sql("""
    SELECT r.id, r.state, r.amount_minor, r.given_up,
           coalesce(array_agg(t.state ORDER BY t.id) FILTER (WHERE t.id IS NOT NULL), '{}')
               AS states,
           coalesce(array_agg(t.amount_minor ORDER BY t.id) FILTER (WHERE t.id IS NOT NULL), '{}')
               AS amounts
    FROM refunds r LEFT JOIN transfers t ON t.shop_id = r.shop_id AND t.refund_id = r.id
    WHERE r.shop_id = :shop AND r.order_id = ANY (:orders)
    GROUP BY r.shop_id, r.id""")
_ORDERS: Final = sql(
    "SELECT id FROM orders WHERE shop_id = :shop AND id > :after ORDER BY id LIMIT :limit"
)
_LAST_EVENT: Final = sql(
    "SELECT id FROM (SELECT id FROM events WHERE shop_id = :shop AND id > :after"
    " ORDER BY id LIMIT :limit) page ORDER BY id"
)
_TOTALS: Final = sql("""
    SELECT (SELECT count(*) FROM orders WHERE shop_id = :shop) AS orders,
           (SELECT count(*) FROM events WHERE shop_id = :shop) AS events,
           (SELECT count(*) FROM ledger_seals WHERE shop_id = :shop) AS entries""")


async def run(tx: Transaction, check: Check, **params: Any) -> list[Row]:
    """The rows of one check that break it."""
    return await tx.all(check.query, **params)


async def steps(tx: Transaction, orders: Sequence[UUID]) -> list[Row]:
    """Every told state of refunds, returns and shipments with the one before."""
    return await tx.all(_STEPS, orders=list(orders))


async def refunds(tx: Transaction, orders: Sequence[UUID]) -> list[Row]:
    """Refunds with the states and amounts of their transfers."""
    return await tx.all(_REFUNDS, orders=list(orders))


async def orders_after(tx: Transaction, after: UUID, limit: int) -> list[UUID]:
    return [row["id"] for row in await tx.all(_ORDERS, after=after, limit=limit)]


async def events_after(tx: Transaction, after: UUID, limit: int) -> list[UUID]:
    return [row["id"] for row in await tx.all(_LAST_EVENT, after=after, limit=limit)]


async def totals(tx: Transaction) -> Mapping[str, int]:
    """How many orders, events and sealed entries there are."""
    row = await tx.first(_TOTALS)
    assert row is not None
    return dict(row.items())
