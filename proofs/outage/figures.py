"""What an outage cost, counted from the tables. Refuses to own what of it is too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from proofs.outage.load import Load

OTHER: Final = "steady"
"""Slug, and gateway, of the account whose bank stays well."""
AWAY: Final = "stripe"
RECOVERY_SECONDS: Final = 300.0
_OPEN: Final = ("queued", "sending", "unknown", "pending", "requires_action")

_TRANSFERS: Final = (
    "SELECT t.state, t.account, r.created_at, t.updated_at, t.attempt FROM transfers t"
    " JOIN refunds r ON r.shop_id = t.shop_id AND r.id = t.refund_id"
)


@dataclass(frozen=True, slots=True)
class Times:
    """When what happened, UTC."""

    phases: dict[str, datetime]
    """When each part of the outage began."""
    recovery: datetime
    calm: datetime
    """From then on nothing of the outage was left."""

    @property
    def outage(self) -> datetime:
        return min(self.phases.values())

    def part(self, at: datetime) -> str:
        """Into which part of the proof a moment falls."""
        if at < self.outage or at >= self.calm:
            return "calm"
        if at >= self.recovery:
            return "return"
        return max((begun, name) for name, begun in self.phases.items() if begun <= at)[1]


async def figures_of(connection: Any, loads: Sequence[Load], times: Times) -> dict[str, Any]:
    """Of both accounts; ``times`` says which part of the outage a transfer falls into."""
    rows = await connection.fetch(_TRANSFERS)
    gone = [row for row in rows if row["account"] == AWAY]
    steady = [row for row in rows if row["account"] == OTHER]
    return {
        "refunds": {load.source: len(load.accepted) for load in loads},
        "failed_by_outage": _failed(gone),
        **_delayed(gone, times),
        "open_after_recovery": sum(row["state"] in _OPEN for row in rows),
        "states": dict(Counter(f"{row['account']} {row['state']}" for row in rows)),
        "tries_most": max((row["attempt"] for row in gone), default=0),
        "others_failed": _failed(steady),
        **_others(steady, times),
        "wrong": [text for load in loads for text in load.wrong][:20],
    }


def _failed(rows: Sequence[Any]) -> int:
    return sum(row["state"] not in (*_OPEN, "succeeded") for row in rows)


def _delayed(gone: Sequence[Any], times: Times) -> dict[str, Any]:
    """How much of what the bank held up arrived in the promised time, and how long after it."""
    held = [row for row in gone if row["created_at"] < times.recovery]
    limit = times.recovery + timedelta(seconds=RECOVERY_SECONDS)
    done = [row for row in held if row["state"] == "succeeded" and row["updated_at"] <= limit]
    late = sorted(
        (row["updated_at"] - times.recovery).total_seconds()
        for row in done
        if row["created_at"] >= times.outage
    )
    return {
        "done_in_time": round(len(done) / max(len(held), 1), 4),
        "done_seconds_after_return": {
            "median": round(_quantile(late, 0.5), 1),
            "p95": round(_quantile(late, 0.95), 1),
            "max": round(max(late, default=0.0), 1),
        },
    }


def _others(steady: Sequence[Any], times: Times) -> dict[str, Any]:
    """How long the other bank's refunds took in each part, and in the outage over the calm."""
    parts = {
        part: _took(row for row in steady if times.part(row["created_at"]) == part)
        for part in ("calm", *times.phases, "return")
    }
    calm, during = parts["calm"], sorted(s for name in times.phases for s in parts[name])
    return {
        "others_seconds": {
            name: {
                "n": len(took),
                **{f"p{q}": round(_quantile(took, q / 100), 3) for q in (50, 99)},
            }
            for name, took in (*parts.items(), ("outage", during))
        },
        "others_p99_ratio": round(_quantile(during, 0.99) / (_quantile(calm, 0.99) or 1.0), 3),
    }


def _took(rows: Any) -> list[float]:
    """Seconds from the request to the provider's yes, sorted."""
    return sorted(
        (row["updated_at"] - row["created_at"]).total_seconds()
        for row in rows
        if row["state"] == "succeeded"
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
