"""What became of the refunds: from the tables, the bank's ledger and the clients' own notes."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from proofs.chaos.clients import Seen
from proofs.harness.crashing import Cell
from proofs.harness.storm import MUST_FIRE
from proofs.invariants import violations

from returns_api.domain import ids

_ENDED: Final = ("succeeded", "failed", "canceled", "reversed")


async def figures_of(one: Cell, seen: Seen, fired: dict[str, int]) -> dict[str, Any]:
    """``fired`` is how often each fault did; once all is at rest."""
    ledger = await one.bank.ledger()
    rows = await one.connection.fetch(
        "SELECT r.id, r.state, count(t.*) AS transfers,"
        " bool_and(t.state = ANY ($1)) AS ended FROM refunds r JOIN transfers t"
        " ON t.shop_id = r.shop_id AND t.refund_id = r.id GROUP BY r.shop_id, r.id, r.state",
        list(_ENDED),
    )
    stored = {ids.encode("ref", row["id"]) for row in rows}
    told = list(seen.accepted.values())
    twice = sum(each["made"] > 1 for each in ledger["references"].values())
    found = await violations(one.connection, ledger, quiet=True)
    return {
        "refunds": len(told),
        "double": twice + len(told) - len(set(told)) + len(stored - set(told)),
        "lost": len(set(told) - stored) + sum("succeeded over" in text for text in found),
        "stuck": sum(not row["ended"] for row in rows),
        "states": dict(Counter(row["state"] for row in rows)),
        "kills": dict(seen.kills),
        "elsewhere": dict(seen.elsewhere),
        "fired": {name: fired[name] for name in MUST_FIRE},
        "answers": dict(seen.answers),
        "retried": dict(one.client.retried),
        "violations": found[:20],
        "wrong": seen.wrong[:20],
    }
