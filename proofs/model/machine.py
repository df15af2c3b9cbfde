"""Which steps there are and what is drawn for them, for Hypothesis.

No rule has a precondition and no draw looks at what happened: the same seed draws the same
sequences, however fast the machine and the bank are.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from proofs.model.scene import Scene, Sequence, Tally

from returns_api.domain.access import Role

_any = st.integers(0, 2**16)
_minor = st.one_of(st.integers(0, 50), st.integers(0, 200_000))
_order = st.fixed_dictionaries(
    {
        "prices": st.lists(st.sampled_from([0, 1, 999, 4_990, 60_000]), min_size=1, max_size=3),
        "quantity": st.integers(1, 4),
        "shipping": st.sampled_from([0, 490]),
        "tenders": st.integers(1, 3),
        "sent": st.booleans(),
    }
)
_seconds = st.sampled_from([0, 1, 61, 400, 1_000, 3_700, 90_000, 180_000])


def machine_on(scene: Scene, tally: Tally) -> type[RuleBasedStateMachine]:
    """The machine's class, bound to where it plays and to who counts."""

    class Machine(Rules):
        def __init__(self) -> None:
            super().__init__()
            self.sequence = Sequence(scene, tally)
            self.failed = False

    return Machine


class Rules(RuleBasedStateMachine):
    """One rule for each kind of step."""

    sequence: Sequence
    failed: bool

    def _step(self, name: str, **values: Any) -> None:
        try:
            self.sequence.step(name, **values)
        except BaseException:
            self.failed = True
            raise

    def teardown(self) -> None:
        self.sequence.close(whole=not self.failed)

    @initialize(first=_order, second=_order)
    def first_orders(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        """Without an order there is nothing to do."""
        self._step("order_in", **{**first, "sent": True})
        self._step("order_in", **second)

    @rule(order=_order)
    def order_in(self, order: dict[str, Any]) -> None:
        self._step("order_in", **order)

    @rule(which=_any, line=_any, removed=_any)
    def order_edited(self, **values: Any) -> None:
        self._step("order_edited", **values)

    @rule(which=_any)
    def order_told_again(self, **values: Any) -> None:
        self._step("order_told_again", **values)

    @rule(which=_any)
    def order_sent(self, **values: Any) -> None:
        self._step("order_sent", **values)

    @rule()
    def buyer_erased(self) -> None:
        self._step("buyer_erased")

    @rule(which=_any, line=_any, count=_any, reason=_any)
    def return_opened(self, **values: Any) -> None:
        self._step("return_opened", **values)

    @rule(which=_any, line=_any, count=_any, reason=_any, grade=_any)
    def return_brought_back(self, **values: Any) -> None:
        self._step("return_brought_back", **values)

    @rule(which=_any)
    def return_approved(self, **values: Any) -> None:
        self._step("return_approved", **values)

    @rule(which=_any)
    def return_rejected(self, **values: Any) -> None:
        self._step("return_rejected", **values)

    @rule(which=_any)
    def return_canceled(self, **values: Any) -> None:
        self._step("return_canceled", **values)

    @rule(which=_any, status=st.sampled_from(["in_transit", "delivered", "failure"]))
    def parcel_scanned(self, **values: Any) -> None:
        self._step("parcel_scanned", **values)

    @rule(which=_any, count=_any, reference=st.integers(0, 2))
    def units_received(self, **values: Any) -> None:
        self._step("units_received", **values)

    @rule(which=_any, count=_any, grade=_any, close=st.booleans())
    def units_inspected(self, **values: Any) -> None:
        self._step("units_inspected", **values)

    @rule(
        which=_any,
        amount=_minor,
        kind=st.sampled_from(["manual", "goodwill"]),
        role=st.sampled_from([Role.FINANCE, Role.AGENT, Role.ADMIN]),
        expected=st.sampled_from([0, 0, 1, 2]),
        reference=st.integers(0, 2),
    )
    def refunded(self, **values: Any) -> None:
        self._step("refunded", **values)

    @rule(which=_any, amount=st.sampled_from([100, 2_000]), key=st.integers(0, 3))
    def refunded_by_key(self, **values: Any) -> None:
        self._step("refunded_by_key", **values)

    @rule(which=_any, role=st.sampled_from([Role.FINANCE, Role.ADMIN]))
    def refund_approved(self, **values: Any) -> None:
        self._step("refund_approved", **values)

    @rule(which=_any)
    def refund_retried(self, **values: Any) -> None:
        self._step("refund_retried", **values)

    @rule(which=_any)
    def refund_canceled(self, **values: Any) -> None:
        self._step("refund_canceled", **values)

    @rule(which=_any, amount=_minor)
    def refunded_elsewhere(self, **values: Any) -> None:
        self._step("refunded_elsewhere", **values)

    @rule(which=_any, amount=_minor)
    def charged_back(self, **values: Any) -> None:
        self._step("charged_back", **values)

    @rule(which=_any, won=st.booleans())
    def dispute_closed(self, **values: Any) -> None:
        self._step("dispute_closed", **values)

    @rule(which=_any, refund=_any, status=st.sampled_from(["succeeded", "failed", "canceled"]))
    def provider_decides(self, **values: Any) -> None:
        self._step("provider_decides", **values)

    @rule(which=_any)
    def webhooks_written(self, **values: Any) -> None:
        self._step("webhooks_written", **values)

    @rule(which=_any, times=st.integers(1, 3))
    def webhook_arrives(self, **values: Any) -> None:
        self._step("webhook_arrives", **values)

    @rule()
    def reconciled(self) -> None:
        self._step("reconciled")

    @rule(fault=_any)
    def bank_fails(self, **values: Any) -> None:
        self._step("bank_fails", **values)

    @rule(seconds=_seconds)
    def worked(self, **values: Any) -> None:
        self._step("worked", **values)

    @rule(which=_any, after=st.booleans())
    def worker_died(self, **values: Any) -> None:
        self._step("worker_died", **values)

    @rule(which=_any, amounts=st.lists(_any, min_size=2, max_size=6), seconds=_seconds)
    def burst(self, **values: Any) -> None:
        self._step("burst", **values)
