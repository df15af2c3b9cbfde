"""What must hold in the database and at the bank after every story (N1-N3, N5, N7, N8).

Each check is one query that finds breaches, run as the owner, whom row-level security does not
bind. Nothing here looks at how the service works: only rows, the lifecycle tables and the bank.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any, Final

import asyncpg
import orjson

from returns_api.domain import ids
from returns_api.domain.lifecycle.address_changes import ADDRESS_CHANGE
from returns_api.domain.lifecycle.advances import ADVANCE, RECOVERY
from returns_api.domain.lifecycle.cancellations import CANCELLATION
from returns_api.domain.lifecycle.complaints import COMPLAINT
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.domain.lifecycle.machine import Machine
from returns_api.domain.lifecycle.offers import OFFER
from returns_api.domain.lifecycle.pickups import PICKUP
from returns_api.domain.lifecycle.refunds import HOLDING, REFUND
from returns_api.domain.lifecycle.repairs import REPAIR
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from tests.support.bank import Bank

MACHINES: Final[dict[str, Machine]] = {
    "return": RETURN,
    "refund": REFUND,
    "shipment": SHIPMENT,
    "offer": OFFER,
    "dispute": DISPUTE,
    "complaint": COMPLAINT,
    "exchange": EXCHANGE,
    "repair": REPAIR,
    "advance": ADVANCE,
    "recovery": RECOVERY,
    "pickup": PICKUP,
    "transport_claim": TRANSPORT_CLAIM,
    "cancellation": CANCELLATION,
    "address_change": ADDRESS_CHANGE,
}

_HOLDING: Final = ", ".join(f"'{state}'" for state in sorted(HOLDING))

BREACHES: Final[dict[str, str]] = {
    "N1: we reserved or refunded more than was captured": """
        SELECT id FROM payments WHERE reserved + refunded + exchanged > captured""",
    "N1: nothing is negative": """
        SELECT id FROM payments
        WHERE least(captured, reserved, refunded, external, disputed, exchanged) < 0""",
    "N2: a payment's reserved is not the sum of its open transfers": f"""
        SELECT p.id, p.reserved FROM payments p LEFT JOIN transfers t
          ON t.shop_id = p.shop_id AND t.payment_id = p.id AND t.state IN ({_HOLDING})
        GROUP BY p.shop_id, p.id HAVING p.reserved <> coalesce(sum(t.amount_minor), 0)""",
    "N2: a payment's refunded is not the sum of its succeeded transfers": """
        SELECT p.id, p.refunded FROM payments p LEFT JOIN transfers t
          ON t.shop_id = p.shop_id AND t.payment_id = p.id AND t.state = 'succeeded'
        GROUP BY p.shop_id, p.id HAVING p.refunded <> coalesce(sum(t.amount_minor), 0)""",
    "N2: a payment's external and disputed are not the sums of its outside facts": """
        SELECT p.id FROM payments p LEFT JOIN outside_facts f
          ON f.shop_id = p.shop_id AND f.payment_id = p.id AND f.active AND f.counted
        GROUP BY p.shop_id, p.id
        HAVING p.external <> coalesce(sum(f.amount_minor) FILTER (WHERE f.kind = 'refund'), 0)
            OR p.disputed <> coalesce(sum(f.amount_minor) FILTER (WHERE f.kind = 'dispute'), 0)""",
    "N2: what goods drew on a payment is not what it says": """
        SELECT p.id, p.exchanged FROM payments p LEFT JOIN (
          exchange_draws d JOIN exchanges x ON x.shop_id = d.shop_id AND x.id = d.exchange_id
            AND x.state <> 'lapsed') ON d.shop_id = p.shop_id AND d.payment_id = p.id
        GROUP BY p.shop_id, p.id HAVING p.exchanged <> coalesce(sum(d.amount_minor), 0)""",
    "N2: a unit was both refunded and exchanged": """
        SELECT r.id FROM returns r
        JOIN (SELECT shop_id, return_id, sum(drawn_minor) AS drawn, sum(credit_minor) AS credit,
                     bool_and(state IN ('released', 'shipped', 'completed')) AS given
              FROM exchanges WHERE NOT in_advance AND state <> 'lapsed'
              GROUP BY shop_id, return_id) x ON x.shop_id = r.shop_id AND x.return_id = r.id
        LEFT JOIN refunds f
          ON f.shop_id = r.shop_id AND f.return_id = r.id AND f.kind IN ('return', 'advance')
        WHERE r.settled_at IS NOT NULL AND x.given
        GROUP BY r.shop_id, r.id, x.drawn, x.credit
        HAVING x.drawn + coalesce(sum(f.amount_minor), 0) <> coalesce(x.credit, 0)""",
    "N2: goods went first for another sum than their advance": """
        SELECT x.id, x.drawn_minor, a.amount_minor FROM exchanges x LEFT JOIN advances a
          ON a.shop_id = x.shop_id AND a.exchange_id = x.id
        WHERE (x.in_advance OR a.id IS NOT NULL)
          AND (a.id IS NULL OR a.amount_minor - a.never_paid_minor <> x.drawn_minor)""",
    "N9: goods are waited for in a return that is over": """
        SELECT x.id FROM exchanges x JOIN returns r
          ON r.shop_id = x.shop_id AND r.id = x.return_id AND r.closed_at IS NOT NULL
        WHERE x.state IN ('requested', 'out_of_stock', 'offered', 'awaiting_goods',
                          'awaiting_payment')""",
    "N2: a repair was paid for otherwise than the books say": """
        SELECT x.id, x.paid_minor FROM repairs x
        LEFT JOIN ledger_entries e ON e.shop_id = x.shop_id AND e.source_id = x.id
        LEFT JOIN ledger_postings p ON p.shop_id = e.shop_id AND p.entry_id = e.id
        GROUP BY x.shop_id, x.id HAVING x.paid_minor <> coalesce(sum(p.amount_minor), 0)""",
    "N2: a return's refunded is not what arrived": """
        SELECT r.id, r.refunded_minor FROM returns r
        LEFT JOIN refunds f ON f.shop_id = r.shop_id AND f.return_id = r.id
        LEFT JOIN transfers t ON t.shop_id = f.shop_id AND t.refund_id = f.id
          AND t.state = 'succeeded'
        GROUP BY r.shop_id, r.id HAVING r.refunded_minor <> coalesce(sum(t.amount_minor), 0)""",
    "N2: a refund has more under way or arrived than its amount": f"""
        SELECT f.id FROM refunds f JOIN transfers t
          ON t.shop_id = f.shop_id AND t.refund_id = f.id
         AND t.state IN ('succeeded', {_HOLDING})
        GROUP BY f.shop_id, f.id HAVING sum(t.amount_minor) > f.amount_minor""",
    "N2: a refund's amount is not the sum of its parts": """
        SELECT f.id FROM refunds f
        WHERE f.amount_minor <>
          (SELECT sum((part ->> 'amount')::bigint) FROM jsonb_array_elements(f.parts) part)""",
    "N2: a refund's credit notes do not sum to what it noted": """
        SELECT f.id, f.noted_minor FROM refunds f LEFT JOIN credit_notes n
          ON n.shop_id = f.shop_id AND n.refund_id = f.id
        GROUP BY f.shop_id, f.id HAVING f.noted_minor <> coalesce(sum(
            CASE n.kind WHEN 'cancellation' THEN -n.amount_minor ELSE n.amount_minor END), 0)""",
    "N2: a refund at rest noted other than what arrived, and no note is due": """
        SELECT f.id, f.noted_minor FROM refunds f LEFT JOIN transfers t
          ON t.shop_id = f.shop_id AND t.refund_id = f.id AND t.state = 'succeeded'
        WHERE f.note_at IS NULL AND f.state IN
          ('succeeded', 'partially_succeeded', 'failed', 'reversed', 'canceled')
        GROUP BY f.shop_id, f.id HAVING f.noted_minor <> coalesce(sum(t.amount_minor), 0)""",
    "N2: a refund's arrived is not the sum of its transfers that succeeded": """
        SELECT f.id, f.arrived_minor FROM refunds f LEFT JOIN transfers t
          ON t.shop_id = f.shop_id AND t.refund_id = f.id AND t.state = 'succeeded'
        GROUP BY f.shop_id, f.id HAVING f.arrived_minor <> coalesce(sum(t.amount_minor), 0)""",
    "credit notes have gaps": """
        SELECT shop_id FROM credit_notes GROUP BY shop_id HAVING count(*) <> max(number)""",
    "N5: an order line has more claims than it may": """
        SELECT id FROM order_lines l
        WHERE claimed > 0 AND claimed > least(ordered, shipped + (
            SELECT count(*) FROM unit_claims c WHERE c.shop_id = l.shop_id AND c.line_id = l.id
              AND c.cancellation_line_id IS NOT NULL))""",
    "N5: an order line's claimed is not the number of its claims": """
        SELECT l.id, l.claimed FROM order_lines l LEFT JOIN (
            unit_claims c LEFT JOIN cancellation_lines x
              ON x.shop_id = c.shop_id AND x.id = c.cancellation_line_id)
          ON c.shop_id = l.shop_id AND c.line_id = l.id AND coalesce(x.dispatched, true)
        GROUP BY l.shop_id, l.id HAVING l.claimed <> count(c.unit_no)""",
    "N5: an order line's cancelled is not the number of its stopped units": """
        SELECT l.id, l.cancelled FROM order_lines l LEFT JOIN (
            unit_claims c JOIN cancellation_lines x
              ON x.shop_id = c.shop_id AND x.id = c.cancellation_line_id AND NOT x.dispatched)
          ON c.shop_id = l.shop_id AND c.line_id = l.id AND c.unit_no <= l.ordered - l.removed
        GROUP BY l.shop_id, l.id HAVING l.cancelled <> count(c.unit_no)""",
    "N5: a return line holds other units than it may": """
        SELECT l.id, l.state, l.quantity, count(c.unit_no) AS held
        FROM return_lines l LEFT JOIN unit_claims c
          ON c.shop_id = l.shop_id AND c.return_line_id = l.id
        GROUP BY l.shop_id, l.id
        HAVING count(c.unit_no) <> CASE
            WHEN l.state = 'rejected' AND EXISTS (
                SELECT FROM disputes d
                JOIN returns r ON r.shop_id = d.shop_id AND r.id = d.return_id
                WHERE d.shop_id = l.shop_id AND d.return_id = l.return_id
                  AND r.state = 'rejected'
                  AND (d.state NOT IN ('withdrawn', 'final') OR
                       d.state = 'final' AND d.award_minor > 0)) THEN l.quantity
            WHEN l.state = 'rejected' AND EXISTS (
                -- Of a return that was settled, as many as were in no other return by then.
                SELECT FROM disputes d WHERE d.shop_id = l.shop_id AND d.return_id = l.return_id
                  AND (d.state NOT IN ('withdrawn', 'final') OR
                       d.state = 'final' AND d.award_minor > 0))
                THEN least(count(c.unit_no), l.quantity)
            WHEN l.state IN ('rejected', 'canceled', 'expired') THEN 0
            WHEN l.state IN ('inspected', 'settled') THEN l.received
              - coalesce((SELECT cardinality(x.units) FROM repairs x
                          WHERE x.shop_id = l.shop_id AND x.return_line_id = l.id
                            AND x.state IN ('shipped', 'completed')), 0)
            ELSE l.quantity END""",
    "N5: a return line counts more graded than received than announced": """
        SELECT id FROM return_lines WHERE inspected > received OR received > quantity""",
    "N5: received and graded are not the sums of their rows": """
        SELECT l.id FROM return_lines l
        WHERE l.received <> (SELECT coalesce(sum(r.quantity), 0) FROM receipt_lines r
                             WHERE r.shop_id = l.shop_id AND r.return_line_id = l.id)
           OR l.inspected <> (SELECT count(*) FROM inspected_units u
                              WHERE u.shop_id = l.shop_id AND u.return_line_id = l.id)""",
    "a store credit's balance is not what its lots have left": """
        SELECT t.id, t.balance_minor FROM store_credits t LEFT JOIN store_credit_lots l
          ON l.shop_id = t.shop_id AND l.store_credit_id = t.id
        GROUP BY t.shop_id, t.id HAVING t.balance_minor <> coalesce(sum(l.remaining_minor), 0)""",
    "a store credit's balance is not what the ledger says": """
        SELECT t.id, t.balance_minor FROM store_credits t
        LEFT JOIN ledger_postings p ON p.shop_id = t.shop_id
         AND ((p.credit = 'store_credit' AND p.credit_of = t.id)
           OR (p.debit = 'store_credit' AND p.debit_of = t.id))
        GROUP BY t.shop_id, t.id HAVING t.balance_minor <> coalesce(sum(
            CASE p.credit WHEN 'store_credit' THEN p.amount_minor ELSE -p.amount_minor END), 0)""",
    "a store credit's movements have gaps or are untold": """
        SELECT t.id, t.sequence FROM store_credits t
        WHERE t.sequence <> 1 + (SELECT count(*) FROM store_credit_movements m
                                 WHERE m.shop_id = t.shop_id AND m.store_credit_id = t.id)
           OR t.sequence <> (SELECT count(*) FROM events e
                             WHERE e.shop_id = t.shop_id AND e.resource_id = t.id)""",
    "N8: a transfer has two tries in flight": """
        SELECT transfer_id FROM transfer_attempts WHERE state = 'in_flight'
        GROUP BY shop_id, transfer_id HAVING count(*) > 1""",
    "a row stays due although it has ended": """
        SELECT id FROM transfers
        WHERE due_at IS NOT NULL
          AND state IN ('succeeded', 'failed', 'canceled', 'reversed', 'needs_review')
        UNION ALL SELECT id FROM shipments
        WHERE due_at IS NOT NULL AND state NOT IN ('label_due', 'void_due')
        UNION ALL SELECT r.id FROM returns r
        JOIN deadlines d ON d.shop_id = r.shop_id AND d.return_id = r.id AND d.object_id = r.id
        WHERE d.wake_at IS NOT NULL AND d.kind <> 'dispute_window'
          AND r.state IN ('rejected', 'canceled', 'expired', 'completed')
        UNION ALL SELECT c.id FROM complaints c
        JOIN order_deadlines d ON d.shop_id = c.shop_id AND d.object_id = c.id
        WHERE d.wake_at IS NOT NULL AND c.state IN ('withdrawn', 'rated', 'unrated')""",
    "an undecided return line in a return that goes on": """
        SELECT l.id FROM return_lines l JOIN returns r
          ON r.shop_id = l.shop_id AND r.id = l.return_id
        WHERE l.state = 'requested' AND r.state NOT IN ('requested', 'info_needed')""",
}
"""What is wrong, and the query whose every row is one case of it."""

_EVENTS: Final = """
    SELECT e.resource_type, e.resource_id, e.sequence, e.type, e.actor, e.data FROM events e
    WHERE e.resource_type IN ('return', 'refund', 'shipment', 'offer', 'dispute', 'advance',
                              'recovery', 'exchange', 'repair', 'pickup', 'transport_claim',
                              'complaint', 'cancellation', 'address_change')
    ORDER BY e.shop_id, e.resource_id, e.sequence"""
_ROWS: Final = """
    SELECT id, state, sequence FROM returns UNION ALL SELECT id, state, sequence FROM refunds
    UNION ALL SELECT id, state, sequence FROM shipments
    UNION ALL SELECT id, state, sequence FROM offers
    UNION ALL SELECT id, state, sequence FROM disputes
    UNION ALL SELECT id, state, sequence FROM complaints
    UNION ALL SELECT id, state, sequence FROM pickups
    UNION ALL SELECT id, state, sequence FROM transport_claims
    UNION ALL SELECT id, state, sequence FROM cancellations
    UNION ALL SELECT id, state, sequence FROM address_changes
    UNION ALL SELECT id, state, sequence FROM advances
    UNION ALL SELECT id, state, sequence FROM recoveries
    UNION ALL SELECT id, state, sequence FROM exchanges
    UNION ALL SELECT id, state, sequence FROM repairs"""
_TRANSFERS: Final = (
    "SELECT id, state, amount_minor, first_sent_at FROM transfers"
    " WHERE store_credit_id IS NULL AND provider <> 'manual'"
)


async def breaches(owner_url: str, bank: Bank | None = None) -> list[str]:
    """Every broken promise in the database, and at the bank when it is given."""
    connection = await asyncpg.connect(owner_url)
    try:
        found = []
        for name, query in BREACHES.items():
            found += [f"{name}: {dict(row.items())}" for row in await connection.fetch(query)]
        found += _history(await connection.fetch(_EVENTS), await connection.fetch(_ROWS))
        if bank is not None:
            found += await _at_the_bank(await connection.fetch(_TRANSFERS), bank)
        return found
    finally:
        await connection.close()


def _history(events: list[Any], rows: list[Any]) -> list[str]:
    """N7: one event per transition, without gaps, only along the tables, by somebody."""
    by_resource: dict[Any, list[Any]] = defaultdict(list)
    for event in events:
        by_resource[event["resource_id"]].append(event)
    now = {row["id"]: row for row in rows}
    found = []
    for resource, seen in by_resource.items():
        machine = MACHINES[seen[0]["resource_type"]]
        name = f"N7: {machine.name} {resource}"
        sequences = [event["sequence"] for event in seen]
        if sequences != list(range(sequences[0], sequences[0] + len(sequences))):
            found.append(f"{name}: events {sequences}")
        states = [orjson.loads(event["data"])["state"] for event in seen]
        if (states[-1], sequences[-1]) != (now[resource]["state"], now[resource]["sequence"]):
            found.append(f"{name}: told {states[-1]}, is {dict(now[resource].items())}")
        steps = {(state, to) for (state, _), rule in machine.rules.items() for to in rule.to}
        for before, after in pairwise(states):
            if before != after and (before, after) not in steps:
                found.append(f"{name}: {before} -> {after} is not in the table")
        found += [f"{name}: nobody did {e['type']}" for e in seen if not e["actor"]]
    for resource, row in now.items():
        if row["sequence"] > 1 and resource not in by_resource:
            found.append(f"N7: {resource} moved untold: {dict(row.items())}")
    return found


async def _at_the_bank(transfers: list[Any], bank: Bank) -> list[str]:
    """N3: exactly one movement for what succeeded, none for what failed, never two."""
    seen = (await bank.ledger())["references"]
    found = []
    for transfer in transfers:
        nothing = {"made": 0, "reversed": 0, "net": 0, "net_minor": 0}
        moved = seen.get(ids.encode("trf", transfer["id"]), nothing)
        state = transfer["state"]
        right = moved["made"] <= 1
        if state == "succeeded":
            right = right and moved["net"] == 1 and moved["net_minor"] == transfer["amount_minor"]
        elif state in {"failed", "canceled", "reversed"} or transfer["first_sent_at"] is None:
            right = right and moved["net"] == 0
        if not right:
            found.append(f"N3: transfer {transfer['id']} is {state}, the bank says {moved}")
    return found
