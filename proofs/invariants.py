"""The invariants that every proof checks after its storm: our tables, each other, the bank.

N1 nothing reserved beyond what was captured · N2 counters and credit notes are the sums of their
rows, numbers have no gaps · N3 the bank
moved each transfer's money exactly once, or not at all · N4 our ledger is the bank's · N5 no unit
claimed twice or before it was shipped · N7 every transition is in the lifecycle table, with an
actor, one event, and one delivery per endpoint that asked, and with a second person where one was
due · N8 at most one try in flight.

Read as the superuser, since row-level security would hide what a bug did to another shop. Each
finding is a sentence that begins with the invariant's name. ``tests/proofs`` plants a violation of
each and sees it found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from returns_api.domain import ids
from returns_api.domain.lifecycle.machine import Machine
from returns_api.domain.lifecycle.refunds import HOLDING, TRANSFER
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.lifecycle.shipments import SHIPMENT

SHOWN: Final = 5
"""Findings of one kind that are told; all count as one failure."""

GONE: Final = ("failed", "canceled", "reversed")
_HELD: Final = sorted(HOLDING)

_QUERIES: Final[Mapping[str, str]] = {
    "N1 reserved beyond captured": (
        "SELECT id, captured, reserved, refunded FROM payments"
        " WHERE reserved < 0 OR refunded < 0 OR reserved + refunded > captured"
    ),
    "N1 reserved beyond what outside facts left": (
        "SELECT p.id, captured, reserved, refunded, external, disputed FROM payments p"
        " WHERE reserved + refunded + external + disputed > captured AND NOT EXISTS ("
        "SELECT FROM outside_facts f WHERE f.shop_id = p.shop_id AND f.payment_id = p.id)"
    ),
    "N2 payment counters": (
        "SELECT p.id, p.reserved, p.refunded, p.external, p.disputed, t.held, t.paid, f.refunds,"
        " f.disputes FROM payments p"
        " LEFT JOIN LATERAL (SELECT"
        " coalesce(sum(amount_minor) FILTER (WHERE state = ANY ($1)), 0) AS held,"
        " coalesce(sum(amount_minor) FILTER (WHERE state = 'succeeded'), 0) AS paid"
        " FROM transfers WHERE shop_id = p.shop_id AND payment_id = p.id) t ON true"
        " LEFT JOIN LATERAL (SELECT"
        " coalesce(sum(amount_minor) FILTER (WHERE kind = 'refund'), 0) AS refunds,"
        " coalesce(sum(amount_minor) FILTER (WHERE kind = 'dispute'), 0) AS disputes"
        " FROM outside_facts WHERE shop_id = p.shop_id AND payment_id = p.id AND active AND counted"
        ") f ON true"
        " WHERE (p.reserved, p.refunded, p.external, p.disputed)"
        " <> (t.held, t.paid, f.refunds, f.disputes)"
    ),
    "N2 refund amounts": (
        "SELECT r.id, r.amount_minor, sum(t.amount_minor) AS transfers FROM refunds r"
        " JOIN transfers t ON t.shop_id = r.shop_id AND t.refund_id = r.id"
        " GROUP BY r.shop_id, r.id, r.amount_minor HAVING sum(t.amount_minor) <> r.amount_minor"
    ),
    "N2 credit notes": (
        "SELECT r.id, r.state, r.noted_minor, n.noted, t.arrived FROM refunds r"
        " LEFT JOIN LATERAL (SELECT coalesce(sum(CASE kind WHEN 'cancellation'"
        " THEN -amount_minor ELSE amount_minor END), 0) AS noted FROM credit_notes"
        " WHERE shop_id = r.shop_id AND refund_id = r.id) n ON true"
        " LEFT JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS arrived FROM transfers"
        " WHERE shop_id = r.shop_id AND refund_id = r.id AND state = 'succeeded') t ON true"
        " WHERE r.noted_minor <> n.noted OR (r.noted_minor <> t.arrived AND r.state IN"
        " ('succeeded', 'partially_succeeded', 'failed', 'reversed', 'canceled'))"
    ),
    "N2 numbers of credit notes": (
        "SELECT s.shop_id, s.last_number, count(n.*) AS notes, max(n.number) AS newest"
        " FROM number_series s LEFT JOIN credit_notes n ON n.shop_id = s.shop_id"
        " WHERE s.name = 'credit_notes' GROUP BY s.shop_id, s.last_number"
        " HAVING count(n.*) <> s.last_number OR coalesce(max(n.number), 0) <> s.last_number"
    ),
    "N7 money that no second person approved": (
        "SELECT t.id, t.state FROM transfers t JOIN refunds r"
        " ON r.shop_id = t.shop_id AND r.id = t.refund_id"
        " WHERE r.hold_reason IS NOT NULL AND t.state NOT IN ('on_hold', 'canceled')"
        " AND NOT EXISTS (SELECT FROM refund_approvals a WHERE a.shop_id = t.shop_id"
        " AND a.refund_id = t.refund_id AND a.approver_id IS DISTINCT FROM r.requested_by"
        " AND a.amount_minor = r.amount_minor AND a.currency = r.currency"
        " AND a.releases @> jsonb_build_array(jsonb_build_object('transfer', t.id,"
        " 'payment', t.payment_id, 'amount', t.amount_minor, 'currency', t.currency)))"
    ),
    "N2 claimed units": (
        "SELECT l.id, l.claimed, count(c.*) AS claims FROM order_lines l"
        " LEFT JOIN unit_claims c ON c.shop_id = l.shop_id AND c.line_id = l.id"
        " GROUP BY l.shop_id, l.id, l.claimed HAVING count(c.*) <> l.claimed"
    ),
    "N5 claimed beyond shipped": (
        "SELECT id, claimed, outside_returned, ordered, removed, shipped FROM order_lines"
        " WHERE claimed > 0 AND claimed > least(ordered, shipped)"
    ),
    "N5 unit that was never sold": (
        "SELECT c.line_id, c.unit_no, l.ordered FROM unit_claims c"
        " JOIN order_lines l ON l.shop_id = c.shop_id AND l.id = c.line_id"
        " WHERE c.unit_no > l.ordered"
    ),
    "N7 sequence with gaps": (
        "WITH heads AS (SELECT shop_id, id, sequence FROM refunds"
        " UNION ALL SELECT shop_id, id, sequence FROM returns)"
        " SELECT h.id, h.sequence, count(e.*) AS events, max(e.sequence) AS newest FROM heads h"
        " LEFT JOIN events e ON e.shop_id = h.shop_id AND e.resource_id = h.id"
        " GROUP BY h.shop_id, h.id, h.sequence"
        " HAVING count(e.*) <> h.sequence OR coalesce(max(e.sequence), 0) <> h.sequence"
    ),
    "N7 event of nothing": (
        "SELECT e.id, e.type FROM events e WHERE e.resource_type IN ('refund', 'return')"
        " AND NOT EXISTS (SELECT FROM refunds r WHERE r.shop_id = e.shop_id"
        " AND r.id = e.resource_id)"
        " AND NOT EXISTS (SELECT FROM returns r WHERE r.shop_id = e.shop_id"
        " AND r.id = e.resource_id)"
    ),
    "N7 transition without an actor": "SELECT id, type FROM events WHERE actor = ''",
    "N7 event without its delivery": (
        "SELECT e.id, e.type, w.id AS endpoint FROM events e"
        " JOIN webhook_endpoints w ON w.shop_id = e.shop_id AND w.created_at < e.at"
        " AND w.state = 'active' AND w.version = 1 AND ('*' = ANY (w.topics)"
        " OR e.type = ANY (w.topics) OR split_part(e.type, '.', 1) || '.*' = ANY (w.topics))"
        " WHERE NOT EXISTS (SELECT FROM deliveries d WHERE d.shop_id = e.shop_id"
        " AND d.event_id = e.id AND d.endpoint_id = w.id)"
    ),
    "N8 two tries in flight": (
        "SELECT transfer_id, count(*) FROM transfer_attempts WHERE state = 'in_flight'"
        " GROUP BY shop_id, transfer_id HAVING count(*) > 1"
    ),
}
_ARGUMENTS: Final[Mapping[str, list[str]]] = {"N2 payment counters": _HELD}
_TRANSFERS: Final = (
    "SELECT id, state, amount_minor, first_sent_at IS NOT NULL AS sent FROM transfers"
)
_PAYMENTS: Final = (
    "SELECT provider_payment_id, refunded, external, disputed FROM payments"
    " WHERE provider_payment_id IS NOT NULL"
)
_STEPS: Final = (
    "SELECT e.resource_type, e.resource_id, e.sequence, e.data->>'state' AS state,"
    " lag(e.data->>'state') OVER (PARTITION BY e.shop_id, e.resource_id ORDER BY e.sequence)"
    " AS before, (SELECT count(*) FROM transfers t WHERE t.shop_id = e.shop_id"
    " AND t.refund_id = e.resource_id) AS transfers"
    " FROM events e WHERE e.resource_type IN ('refund', 'return', 'shipment')"
)
_HEADS: Final = (
    "SELECT h.id, h.state, e.state AS told FROM"
    " (SELECT shop_id, id, state FROM refunds UNION ALL SELECT shop_id, id, state FROM returns) h"
    " JOIN LATERAL (SELECT data->>'state' AS state FROM events"
    " WHERE shop_id = h.shop_id AND resource_id = h.id ORDER BY sequence DESC LIMIT 1) e ON true"
    " WHERE h.state <> e.state"
)


async def violations(
    connection: Any, ledger: Mapping[str, Any] | None = None, *, quiet: bool
) -> list[str]:
    """Every finding, empty when all holds. ``connection`` is asyncpg's, as the superuser.

    ``ledger`` is the bank's own summary; ``quiet`` says that nothing is in flight any more, so that
    the books must be equal.
    """
    found: list[str] = []
    for name, query in _QUERIES.items():
        arguments = [_ARGUMENTS[name]] if name in _ARGUMENTS else []
        found += _told(name, await connection.fetch(query, *arguments))
    found += _told("N7 last event tells another state", await connection.fetch(_HEADS))
    found += list(_wrong_steps(await connection.fetch(_STEPS)))
    if ledger is not None:
        transfers = await connection.fetch(_TRANSFERS)
        found += list(_wrong_movements(transfers, ledger["references"]))
        if quiet:
            payments = await connection.fetch(_PAYMENTS)
            found += list(_unequal_books(payments, ledger["payments"]))
    return found


def _told(name: str, rows: Iterable[Any]) -> list[str]:
    return [f"{name}: {dict(row)}" for row in list(rows)[:SHOWN]]


def _wrong_steps(rows: Iterable[Any]) -> Iterator[str]:
    """Transitions that are in no lifecycle table."""
    machines = {"return": RETURN, "shipment": SHIPMENT}
    for row in rows:
        before, after = row["before"], row["state"]
        if before is None or before == after:
            continue
        kind = row["resource_type"]
        if kind == "refund":
            # Several transfers are derived into one state, of which no table tells the order.
            fine = row["transfers"] != 1 or _refund_may(before, after)
        else:
            fine = _may(machines[kind], before, after)
        if not fine:
            yield f"N7 {kind} {row['resource_id']} went from {before} to {after}"


def _may(machine: Machine, before: str, after: str) -> bool:
    return any(state == before and after in rule.to for (state, _), rule in machine.rules.items())


def _refund_may(before: str, after: str) -> bool:
    """A refund of one transfer follows it; ``sending`` is not announced."""
    start = "on_hold" if before == "requested" else before
    direct = _may(TRANSFER, start, after)
    return direct or (_may(TRANSFER, start, "sending") and _may(TRANSFER, "sending", after))


def _wrong_movements(rows: Iterable[Any], references: Mapping[str, Any]) -> Iterator[str]:
    """N3: what the bank did under each of our references."""
    nothing = {"made": 0, "net": 0, "net_minor": 0}
    ours = set()
    for row in rows:
        name = ids.encode("trf", row["id"])
        ours.add(name)
        bank, state = references.get(name, nothing), row["state"]
        if bank["made"] > 1:
            yield f"N3 {name} moved {bank['made']} times"
        elif state == "succeeded" and (bank["net"], bank["net_minor"]) != (1, row["amount_minor"]):
            yield f"N3 {name} succeeded over {row['amount_minor']}, the bank says {dict(bank)}"
        elif state in GONE and bank["net"] != 0:
            yield f"N3 {name} is {state}, the bank moved its money"
        elif not row["sent"] and bank["made"]:
            yield f"N3 {name} was never sent, the bank moved its money"
    for name in references.keys() - ours:
        yield f"N3 {name} moved money and is not in our books"


def _unequal_books(rows: Iterable[Any], payments: Mapping[str, Any]) -> Iterator[str]:
    """N4: our counters of each payment and the bank's."""
    for row in rows:
        bank = payments.get(row["provider_payment_id"])
        if bank is None:
            yield f"N4 the bank does not know payment {row['provider_payment_id']}"
            continue
        mine = row["refunded"] + row["external"], row["disputed"]
        if mine != (bank["refunded_minor"], bank["disputed_minor"]):
            yield f"N4 payment {row['provider_payment_id']}: ours {mine}, the bank's {dict(bank)}"
