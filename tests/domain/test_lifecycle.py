"""Every state x actor x action of every table: allowed, or refused with the allowed ones named.

The tables stand a second time in ``allowed_goods``, ``allowed_money`` and ``allowed_talk``, in the
shape in which people ask ("what may a buyer do while ..."), so that a change of a table is a change
of two files.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from returns_api.domain.errors import ActionNotAllowed
from returns_api.domain.lifecycle.address_changes import ADDRESS_CHANGE
from returns_api.domain.lifecycle.advances import ADVANCE, RECOVERY
from returns_api.domain.lifecycle.cancellations import CANCELLATION
from returns_api.domain.lifecycle.complaints import COMPLAINT
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.domain.lifecycle.machine import Actor, Machine, Timer, rule
from returns_api.domain.lifecycle.offers import OFFER
from returns_api.domain.lifecycle.pickups import PICKUP
from returns_api.domain.lifecycle.policies import POLICY
from returns_api.domain.lifecycle.refunds import (
    HOLDING,
    REFUND,
    REFUND_STATES,
    TRANSFER,
    refund_state,
)
from returns_api.domain.lifecycle.returns import LINE, RETURN
from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.lifecycle.store_credits import LOT
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from tests.support.actors import ADMIN, AGENT, BUYER, FINANCE, PLATFORM, SYSTEM, WAREHOUSE
from tests.support.allowed_goods import GOODS
from tests.support.allowed_money import MONEY
from tests.support.allowed_talk import TALK
from tests.support.refusals import listed

MACHINES = (
    RETURN,
    LINE,
    SHIPMENT,
    PICKUP,
    TRANSPORT_CLAIM,
    CANCELLATION,
    ADDRESS_CHANGE,
    TRANSFER,
    REFUND,
    OFFER,
    DISPUTE,
    COMPLAINT,
    EXCHANGE,
    LOT,
    ADVANCE,
    RECOVERY,
    POLICY,
)
PEOPLE = (BUYER, AGENT, WAREHOUSE, FINANCE, ADMIN, PLATFORM)
EXPECTED = {**GOODS, **MONEY, **TALK}


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_every_pair_is_allowed_or_refused_with_the_allowed_ones_named(machine: Machine) -> None:
    expected = {PLATFORM: {}, **EXPECTED[machine.name]}
    seen = 0
    for state, actor, action in product(machine.states, Actor, machine.actions):
        seen += 1
        allowed = expected[actor].get(state, set())
        if action in allowed:
            assert machine.step(state, action, actor) in machine.states
            continue
        with pytest.raises(ActionNotAllowed) as refused:
            machine.step(state, action, actor)
        context = refused.value.context
        assert set(listed(refused, "allowed")) == allowed
        assert (context["state"], context["action"]) == (state, action)
    assert seen == len(machine.states) * len(Actor) * len(machine.actions)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_a_condition_that_is_not_met_refuses_and_is_named(machine: Machine) -> None:
    for (state, action), found in machine.rules.items():
        if found.when is None:
            continue
        actor, others = min(found.by), machine.conditions.keys() - {found.when}
        assert machine.step(state, action, actor, holds={found.when}) in found.to
        with pytest.raises(ActionNotAllowed, match=machine.conditions[found.when]) as refused:
            machine.step(state, action, actor, holds=others)
        assert action not in listed(refused, "allowed")


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_a_step_leads_only_where_the_table_says(machine: Machine) -> None:
    for (state, action), found in machine.rules.items():
        actor = min(found.by)
        for to in machine.states:
            if to in found.to:
                assert machine.step(state, action, actor, to=to) == to
            else:
                with pytest.raises(ValueError, match="not in the table"):
                    machine.step(state, action, actor, to=to)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_the_tables_are_sound(machine: Machine) -> None:
    assert list(machine.faults()) == []
    assert all(len(found.meaning) > 4 for found in machine.rules.values())


def table(rules: Any, *, initial: str = "a", terminal: str = "", **more: Any) -> Machine:
    """A small table that is sound but for what a test does to it."""
    return Machine("m", (initial,), frozenset(terminal), rules, **more)


GO = {("a", "go"): rule((SYSTEM,), "b", meaning="x")}
WAIT = {"a": (SYSTEM, "go")}


@pytest.mark.parametrize(
    ("machine", "fault"),
    [
        (table(GO, awaits={"a": (SYSTEM, "go"), "b": (SYSTEM, "go")}),
         "m: 'b' has no way out and is not terminal"),
        (table({**GO, ("c", "go"): rule((SYSTEM,), "b", meaning="x")}, terminal="b", awaits=WAIT),
         "m: 'c' cannot be reached"),
        (table({("a", "go"): rule((SYSTEM,), "a", meaning="x")}, terminal="a"),
         "m: 'a' is terminal and has a way out"),
        (table(GO, terminal="bz", awaits=WAIT), "m: there is no state 'z'"),
        (table({("a", "go"): rule((), "a", meaning="x")}),
         "m: 'go' in 'a' is for nobody or leads nowhere"),
        (table({("a", "go"): rule((SYSTEM,), "b", meaning="x", when="w")},
               terminal="b", awaits=WAIT),
         "m: 'go' in 'a' needs the unknown 'w'"),
        (table(GO, terminal="b"), "m: in 'a' it is not said who has to act, or said in vain"),
        (table(GO, terminal="b", awaits={"a": (BUYER, "go")}),
         "m: 'a' waits for buyer to 'go', who may not"),
        (table(GO, terminal="b", awaits=WAIT,
               timers=(Timer("t", ("b",), SYSTEM, ("go",), ("go",), "x"),)),
         "m: the deadline 't' stands in 'b'"),
        (table(GO, terminal="b", awaits=WAIT,
               timers=(Timer("t", ("a",), BUYER, ("go",), ("go",), "x"),)),
         "m: buyer cannot keep 't' in 'a'"),
        (table(GO, terminal="b", awaits=WAIT,
               timers=(Timer("t", ("a",), SYSTEM, ("go",), ("stop",), "x"),)),
         "m: 't' ends in 'stop', not in the table"),
    ],
)  # fmt: skip
def test_an_unsound_table_is_named(machine: Machine, fault: str) -> None:
    assert fault in list(machine.faults())


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_every_state_reaches_an_end_or_rest(machine: Machine) -> None:
    """From everywhere there is a way to where nobody has to act."""
    rest = machine.rest | machine.terminal
    for start in machine.states:
        reached, new = set[str](), {start}
        while new:
            reached |= new
            new = {to for (s, _), r in machine.rules.items() if s in reached for to in r.to}
            new -= reached
        assert reached & rest, f"{machine.name}: {start} never comes to rest"


def test_only_evidence_or_a_person_ends_a_transfer() -> None:
    """No timeout, no outage and no crash ever calls a transfer failed or succeeded."""
    for (_, action), found in TRANSFER.rules.items():
        ends = set(found.to) & {"succeeded", "failed", "reversed", "canceled"}
        if ends:
            assert action in {"fact", "cancel"}
    assert "unknown" in HOLDING
    assert HOLDING.isdisjoint({"succeeded", "failed", "reversed", "canceled"})


def test_people_decide_what_is_theirs() -> None:
    """Money moves by the system alone; a warehouse never decides, an agent never counts in."""
    for person in PEOPLE:
        actions = {a for s in RETURN.states for a in RETURN.allowed(s, person)}
        assert actions.isdisjoint(
            {"settle", "complete", "reopen", "expire", "overdue", "let_stand"}
        )
    assert {a for s in RETURN.states for a in RETURN.allowed(s, WAREHOUSE)} == {
        "receive",
        "inspect",
    }


@pytest.mark.parametrize(
    ("moves", "given_up", "state"),
    [
        ([], False, "needs_review"),
        ([], True, "canceled"),
        ([("succeeded", 100)], False, "succeeded"),
        ([("succeeded", 60)], False, "partially_succeeded"),
        ([("succeeded", 60)], True, "partially_succeeded"),
        ([("succeeded", 60), ("failed", 40)], False, "partially_succeeded"),
        ([("succeeded", 60), ("failed", 40), ("succeeded", 40)], False, "succeeded"),
        ([("failed", 100)], False, "failed"),
        ([("failed", 100)], True, "canceled"),
        ([("canceled", 100)], False, "failed"),
        ([("canceled", 100)], True, "canceled"),
        ([("failed", 50), ("reversed", 50)], False, "reversed"),
        ([("failed", 100), ("queued", 100)], False, "queued"),
        ([("succeeded", 60), ("pending", 40)], False, "pending"),
        ([("unknown", 60), ("queued", 40)], False, "unknown"),
        ([("needs_review", 60), ("unknown", 40)], True, "needs_review"),
        ([("on_hold", 100)], False, "requested"),
    ],
)
def test_the_refund_is_what_its_transfers_are(
    moves: list[tuple[str, int]], given_up: bool, state: str
) -> None:
    assert refund_state(moves, 100, given_up=given_up) == state


def test_every_mix_of_transfers_has_a_state_of_the_table() -> None:
    for first, second, given_up in product(TRANSFER.states, TRANSFER.states, (False, True)):
        state = refund_state([(first, 60), (second, 40)], 100, given_up=given_up)
        assert state in REFUND_STATES
        open_ones = {first, second} & HOLDING
        assert bool(open_ones) == (
            state not in {"succeeded", "partially_succeeded", "failed", "reversed", "canceled"}
        )
