"""Whether the money adds up: the shop's own audit, its ledger, and what the bank itself counted."""

from __future__ import annotations

from typing import Any

from returns_api.demo import calls
from returns_api.demo.calls import Json
from returns_api.demo.stories.orders import GATEWAY, Order
from returns_api.demo.stories.scene import Scene

ENDED = frozenset({"succeeded", "failed"})


async def audit(scene: Scene) -> Json:
    """Have every promise about money recomputed (``POST /v1/audits``), and wait for its end."""
    asked = await scene.finance.enter("/v1/audits", {})
    return await scene.finance.until(
        f"/v1/audits/{asked['id']}", lambda run: run["state"] in ENDED, "at its end"
    )


async def faults_of(scene: Scene, audited: Json, expected_minor: int) -> tuple[list[str], Json]:
    """What does not add up, and what the bank counted.

    Sound is: an audit without a breach, balances that add up to zero, every movement at the bank
    one of ours, once and of our amount, and all of them together what the story expects (minor
    units).
    """
    found = [f"audit: {each}" for each in audited["findings"]]
    if audited["state"] != "succeeded" or audited["breaches"] != len(audited["findings"]):
        found.append(f"the audit {audited['state']} with {audited['breaches']} breaches")
    balances = (await scene.finance.see("/v1/ledger-balances"))["items"]
    if total := sum(each["balance"] for each in balances):
        found.append(f"the ledger's balances add up to {total}")
    bank: dict[str, Any] = {"movements": 0, "refunded_minor": 0}
    for order in scene.orders:
        counted = await scene.world.bank_ledger(order.payment)
        theirs = {
            name: (each["made"], each["net_minor"]) for name, each in counted["references"].items()
        }
        ours = await _sent(scene, order)
        if theirs != ours:
            found.append(f"{order.number}: the bank has {theirs}, we have {ours}")
        bank["movements"] += counted["payments"][order.payment]["refunds"]
        bank["refunded_minor"] += counted["payments"][order.payment]["refunded_minor"]
    if bank["refunded_minor"] != expected_minor:
        found.append(f"the bank paid {bank['refunded_minor']}, expected {expected_minor}")
    return found, bank


async def _sent(scene: Scene, order: Order) -> dict[str, tuple[int, int]]:
    """By our reference, what our books say went out over the bank: once each, and how much."""
    query = {"order": order.href.rpartition("/")[2], "limit": "100"}
    refunds = (await scene.finance.see("/v1/refunds", **query))["items"]
    return {
        move["transfer"]: (1, move["amount"])
        for refund in refunds
        for move in refund["transfers"]
        if move["provider"] == GATEWAY and move["state"] == "succeeded"
    }


async def settled(scene: Scene) -> None:
    """Wait until no money is on its way. Raises: StepFailed."""

    async def done() -> bool:
        shown = [await scene.finance.see(order.href) for order in scene.orders]
        return not any(each["reserved"] for order in shown for each in order["payments"])

    await calls.until(done, lambda: "money is still on its way")
