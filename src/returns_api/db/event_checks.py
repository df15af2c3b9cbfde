"""The queries of an audit about what was told: events, their order, actors and deliveries.

Like ``db.checks``: every row that a statement gives is a breach.
"""

from __future__ import annotations

from typing import Final

from returns_api.db.checks import Check, sql

_PAGE_OF_EVENTS: Final = """
    WITH page AS (SELECT * FROM events WHERE shop_id = :shop AND id > :after
                  ORDER BY id LIMIT :limit)
"""

ORDER_CHECKS: Final = (
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
)
"""What must hold of whatever has a history below each order."""

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
