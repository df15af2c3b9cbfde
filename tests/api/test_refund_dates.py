"""Until when a refund is due, as a client reads it: by the law first, by the policy if earlier."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.api.test_decisions_recomputed import open_return
from tests.support.live import LiveServer
from tests.support.living import server, world
from tests.support.patience import PATIENCE
from tests.support.world import World, bearer

__all__ = ["server", "world"]


def test_the_earlier_of_policy_and_law_is_shown_with_its_law(
    server: LiveServer, world: World
) -> None:
    """Germany: 14 days from the request, once the goods were sent (Directive 2011/83, art. 13).

    The policy of the shop promises 5 days from the inspection, which is earlier here.
    """
    ours, made = world.ours, world.ours.made[0]
    with httpx.Client(
        base_url=server.url, headers=bearer(ours.keys["admin"]), trust_env=False, timeout=PATIENCE
    ) as http:

        def do(path: str, body: dict[str, Any], key: str) -> None:
            done = http.post(path, json=body, headers={"Idempotency-Key": key})
            assert done.is_success, done.text

        path = f"/v1/returns/{open_return(http, made['ord'], made['li'], 'refund-dates')}"
        before = http.get(path).json()
        assert (before["money"]["due_by"], before["money"]["due_by_law"]) == (None, None)
        line = before["lines"][0]["return_line"]
        counted = {"reference": "d", "lines": [{"return_line": line, "quantity": 1}]}
        do(f"{path}/receipts", counted, "refund-dates-1")
        by_law = datetime.fromisoformat(before["created_at"]) + timedelta(days=14)
        here = http.get(path).json()["money"]
        assert here["due_by_law"] == "eu-withdrawal"
        assert datetime.fromisoformat(here["due_by"]) == by_law
        graded = {"units": [{"return_line": line, "grade": "sealed"}]}
        do(f"{path}/inspections", graded, "refund-dates-2")
        after = http.get(path).json()["money"]
        assert after["due_by_law"] is None
        assert (
            timedelta(days=4)
            < datetime.fromisoformat(after["due_by"]) - datetime.fromisoformat(before["created_at"])
            < timedelta(days=6)
        )
        (refund,) = after["refunds"]
        assert http.get(f"/v1/refunds/{refund}").json()["due_by"] == after["due_by"]
