"""Return parcels: a set of scans says one thing in whatever order; labels are given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.shipments import (
    ASK_AGAIN,
    MAX_TRIES,
    ShipmentRecord,
    after_purchase,
    next_try,
    parcel_state,
    plan_scan,
    plan_void,
    why_not_here,
)
from returns_api.ports.carriers import TrackingStatus

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
STATUSES = [status.value for status in TrackingStatus]


def at(hours: int) -> datetime:
    return NOW + timedelta(hours=hours)


def shipment(state: str, **more: Any) -> ShipmentRecord:
    values: dict[str, Any] = dict.fromkeys(ShipmentRecord.__dataclass_fields__)
    values |= {
        "id": UUID(int=1),
        "return_id": UUID(int=2),
        "source": "easypost",
        "attempt": 1,
        "tries": 1,
        "sequence": 1,
    }
    return ShipmentRecord(**values | {"state": state} | more)


@pytest.mark.parametrize(
    ("scans", "state"),
    [
        ([], None),
        ([("pre_transit", 0), ("unknown", 1), ("cancelled", 2)], None),
        ([("in_transit", 0)], "in_transit"),
        ([("available_for_pickup", 0), ("out_for_delivery", 1)], "in_transit"),
        ([("in_transit", 0), ("failure", 1)], "lost"),
        ([("failure", 1), ("in_transit", 2)], "in_transit"),
        ([("failure", 1), ("in_transit", 1)], "lost"),
        ([("delivered", 1), ("in_transit", 2)], "delivered"),
        ([("delivered", 1), ("failure", 2)], "delivered"),
        ([("delivered", 1), ("return_to_sender", 2)], "returned_to_sender"),
        ([("return_to_sender", 1), ("delivered", 2)], "returned_to_sender"),
    ],
)
def test_what_the_scans_say(scans: list[tuple[str, int]], state: str | None) -> None:
    assert parcel_state((status, at(hours)) for status, hours in scans) == state


@given(st.data())
def test_the_order_and_number_of_scans_does_not_matter(data: st.DataObject) -> None:
    """Fed one by one in any order, some twice, the parcel ends where all scans together say."""
    scans = data.draw(
        st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(0, 5)), max_size=8, unique=True)
    )
    told = data.draw(
        st.permutations([*scans, *data.draw(st.lists(st.sampled_from(scans or [("unknown", 0)])))])
    )
    state, known = "label_ready", set[tuple[str, datetime]]()
    for status, hours in told:
        known.add((status, at(hours)))
        state = plan_scan(shipment(state), known) or state
    everything = [(status, at(hours)) for status, hours in told]
    assert state == (parcel_state(everything) or "label_ready")


@pytest.mark.parametrize("state", SHIPMENT.states)
def test_scans_move_only_parcels_that_can_move(state: str) -> None:
    moved = plan_scan(shipment(state), [("in_transit", NOW)])
    assert moved == ("in_transit" if state in {"label_ready", "lost"} else None)


@pytest.mark.parametrize("state", SHIPMENT.states)
def test_a_label_that_nobody_needs(state: str) -> None:
    unbought = plan_void(shipment(state))
    prepared = plan_void(shipment(state, carrier_shipment_id="shp_1"))
    if state == "label_ready":
        assert (unbought, prepared) == ("void_due", "void_due")
    elif state in {"label_due", "label_failed"}:
        assert (unbought, prepared) == ("voided", "void_due")
    else:
        assert (unbought, prepared) == (None, None)


@pytest.mark.parametrize(
    ("state", "after"),
    [
        ("label_due", "label_ready"),
        ("label_failed", "label_ready"),
        ("void_due", "void_due"),
        ("void_failed", "void_due"),
        ("voided", "void_due"),
        ("label_ready", None),
        ("in_transit", None),
    ],
)
def test_a_paid_label_is_a_fact_in_every_state(state: str, after: str | None) -> None:
    assert after_purchase(shipment(state)) == after


def test_a_carrier_is_asked_again_ever_more_rarely() -> None:
    waits = [next_try(tries, NOW) for tries in range(1, MAX_TRIES)]
    found = [wait - NOW for wait in waits if wait is not None]
    assert found[: len(ASK_AGAIN)] == list(ASK_AGAIN)
    assert set(found[len(ASK_AGAIN) :]) == {ASK_AGAIN[-1]}
    assert next_try(MAX_TRIES, NOW) is None
    assert next_try(1, NOW, 30.0) == NOW + timedelta(seconds=30)
    assert next_try(1, NOW, 1e9) == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (None, "no_label_of_ours"),
        ("label_ready", "never_scanned"),
        ("label_failed", "never_scanned"),
        ("in_transit", "stalled"),
        ("lost", "lost"),
        ("returned_to_sender", "returned_to_sender"),
        ("delivered", "delivered_not_received"),
    ],
)
def test_the_cause_of_a_parcel_that_did_not_come(state: str | None, cause: str) -> None:
    assert why_not_here(None if state is None else shipment(state)) == cause
