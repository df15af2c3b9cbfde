"""F2, F3 as arithmetic: caps, what goods settle of an advance, and what a recovery leaves open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.advances import (
    BUYER_CAP,
    RECOVER_WITHIN,
    SHOP_CAP,
    Applied,
    Kept,
    apply,
    buyer_subject,
    caps,
    reached,
    recover_at,
)
from returns_api.domain.errors import ActionNotAllowed, DoesNotFit
from returns_api.domain.lifecycle.advances import OPEN, RECOVERY
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.recoveries import (
    RecoveryRecord,
    Step,
    goes_on,
    part_of,
    plan_late_goods,
    plan_part,
)
from returns_api.domain.terms import AdvanceTerms

SHOP, BUYER = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
TERMS = AdvanceTerms("first_scan", 300_00, 500_00, 14 * 86_400)
A_RECOVERY = RecoveryRecord(
    id=UUID(int=9),
    order_id=UUID(int=9),
    return_id=UUID(int=9),
    advance_id=UUID(int=9),
    refund_id=UUID(int=9),
    exchange_id=None,
    pay_by=None,
    asked_action=None,
    asked_minor=None,
    asked_by=None,
    asked_note=None,
    closed_at=None,
    paid_minor=0,
    written_off_minor=0,
    waived_minor=0,
    cleared_minor=0,
    state="open",
    cause="not_returned",
    amount_minor=100,
    currency="EUR",
    sequence=1,
    created_at=NOW,
    updated_at=NOW,
)


def test_a_shop_s_day_is_its_own() -> None:
    found = caps(TERMS, shop=SHOP, buyer=BUYER, at=NOW, zone=BERLIN)
    assert [(each.kind, each.subject, each.day, each.cap_minor) for each in found] == [
        ("buyer", BUYER, "", 300_00),
        ("shop_day", SHOP, "2026-11-22", 500_00),
    ]


@pytest.mark.parametrize(
    ("buyer", "day", "amount", "expected"),
    [
        (0, 0, 300_00, None),
        (0, 0, 300_01, BUYER_CAP),
        (200_00, 0, 100_00, None),
        (200_01, 0, 100_00, BUYER_CAP),
        (0, 400_00, 100_00, None),
        (0, 400_01, 100_00, SHOP_CAP),
        (300_00, 500_00, 1, BUYER_CAP),
    ],
)
def test_a_cap_is_inclusive(buyer: int, day: int, amount: int, expected: str | None) -> None:
    counters = caps(TERMS, shop=SHOP, buyer=BUYER, at=NOW, zone=BERLIN)
    used = dict(zip((each.key for each in counters), (buyer, day), strict=True))
    assert reached(counters, used, amount) == expected


def test_without_a_limit_there_is_no_counter() -> None:
    free = replace(TERMS, per_buyer_minor=None, per_day_minor=None)
    assert caps(free, shop=SHOP, buyer=BUYER, at=NOW, zone=BERLIN) == ()
    guest = caps(TERMS, shop=SHOP, buyer=None, at=NOW, zone=BERLIN)
    assert [each.kind for each in guest] == ["shop_day"]


def test_no_advance_waits_for_ever() -> None:
    assert recover_at(TERMS, NOW) == NOW + timedelta(days=14)
    assert recover_at(replace(TERMS, recover_within_seconds=None), NOW) == NOW + RECOVER_WITHIN


def test_a_buyer_s_counter_names_nobody() -> None:
    key = b"keyed hash of a customer"
    assert buyer_subject(None) is None
    assert buyer_subject(key) == buyer_subject(key) != buyer_subject(key + b"x")
    assert key.hex() not in str(buyer_subject(key))


APPLIED = [
    ("all came", Kept(100), 100, Applied(100, 0, 0, 0, 0)),
    ("worth less", Kept(100), 60, Applied(60, 0, 0, 0, 40)),
    ("an empty box", Kept(100), 0, Applied(0, 0, 0, 0, 100)),
    ("worth more than arrived", Kept(70), 100, Applied(70, 0, 0, 30, 0)),
    ("never arrived", Kept(0), 100, Applied(0, 0, 0, 100, 0)),
    ("late, partly written off", Kept(60, 40), 80, Applied(60, 20, 0, 0, 0)),
    ("late, all given up", Kept(0, 50, 50), 120, Applied(0, 50, 50, 20, 0)),
]


@pytest.mark.parametrize(
    ("name", "kept", "worth", "expected"), APPLIED, ids=[c[0] for c in APPLIED]
)
def test_what_goods_settle(name: str, kept: Kept, worth: int, expected: Applied) -> None:
    assert apply(kept, worth) == expected


MINOR = st.integers(0, 10**12)


@given(st.builds(Kept, MINOR, MINOR, MINOR), MINOR)
def test_nothing_is_paid_twice_and_nothing_is_lost(kept: Kept, worth: int) -> None:
    done = apply(kept, worth)
    assert done.total_minor + done.rest_minor == worth
    assert done.open_minor + done.short_minor == kept.open_minor
    assert not (done.rest_minor and done.short_minor)
    assert done.total_minor <= kept.open_minor + kept.written_off_minor + kept.waived_minor


def grown(recovery: RecoveryRecord, step: Step) -> RecoveryRecord:
    sums = {name: getattr(recovery, name) + delta for name, delta in step.grown.items()}
    return replace(recovery, state=step.state, **sums)


@pytest.mark.parametrize(
    ("action", "ended"),
    [
        ("pay", "paid"),
        ("debit", "paid"),
        ("write_off", "written_off"),
        ("waive", "waived"),
    ],
)
def test_a_recovery_ends_with_its_last_minor_unit(action: str, ended: str) -> None:
    part = grown(A_RECOVERY, plan_part(A_RECOVERY, action, Actor.FINANCE, 99))
    assert (part.state, part.open_minor) == ("open", 1)
    whole = grown(part, plan_part(part, action, Actor.FINANCE, 1))
    assert (whole.state, whole.open_minor) == (ended, 0)
    with pytest.raises(ActionNotAllowed):
        plan_part(whole, action, Actor.FINANCE, 1)


@pytest.mark.parametrize("amount", [0, -1, 101])
def test_more_than_is_open_is_refused(amount: int) -> None:
    with pytest.raises(DoesNotFit):
        part_of(A_RECOVERY, amount)


def test_who_may_not_is_refused() -> None:
    for actor in (Actor.BUYER, Actor.AGENT, Actor.WAREHOUSE, Actor.SYSTEM):
        with pytest.raises(ActionNotAllowed):
            plan_part(A_RECOVERY, "write_off", actor, 1)


def test_a_binding_stands_for_action_and_amount() -> None:
    def asked(action: str, amount: int) -> str | None:
        return replace(A_RECOVERY, asked_action=action, asked_minor=amount).binding

    assert A_RECOVERY.binding is None
    assert len({asked("waive", 5), asked("waive", 6), asked("write_off", 5)}) == 3
    assert asked("waive", 5) == asked("waive", 5)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("pay", "debit", "write_off", "waive", "request", "late")),
        st.integers(1, 60),
    ),
    max_size=12,
)


@given(STEPS)
def test_any_sequence_keeps_the_sums(steps: list[tuple[str, int]]) -> None:
    """Paid + written off + waived + covered = what is done, at most the amount; the state says
    whether something is open; and the books of the advance are what is open."""
    recovery, books, late = A_RECOVERY, 100, False
    for action, wanted in steps:
        if action == "request":
            if (recovery.state, action) in RECOVERY.rules:
                recovery = replace(recovery, state="requested", pay_by=NOW)
        elif action == "late":
            if late:
                continue
            kept = Kept(recovery.open_minor, recovery.written_off_minor, recovery.waived_minor)
            done = apply(kept, wanted)
            step = plan_late_goods(
                recovery, done.open_minor, done.written_off_minor, done.waived_minor
            )
            late = True
            if step is not None:
                recovery = grown(recovery, step)
                books -= done.open_minor
        elif recovery.open_minor:
            amount = min(wanted, recovery.open_minor)
            recovery = grown(recovery, plan_part(recovery, action, Actor.FINANCE, amount))
            books -= amount
        assert recovery.open_minor == books >= 0
        assert (recovery.state in OPEN) == (recovery.open_minor > 0)
        assert recovery.done_minor <= recovery.amount_minor
        parts = ("paid_minor", "written_off_minor", "waived_minor", "cleared_minor")
        assert all(getattr(recovery, part) >= 0 for part in parts)
        if recovery.state in OPEN:
            assert recovery.state == goes_on(recovery)
