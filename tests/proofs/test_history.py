"""The checker of ``script/proof history`` finds each kind of lie, and nothing in a true history."""

from __future__ import annotations

from dataclasses import replace

import pytest
from proofs.history.checking import check
from proofs.history.told import History, Outcome, Read, Shown, Write

ORDER = "ord_1"
OK = Write(1, 1.0, 2.0, ORDER, "a", 500, Outcome.OK, "ref_a")
REFUSED = Write(2, 1.0, 2.0, ORDER, "b", 900, Outcome.FAIL)
UNANSWERED = Write(3, 1.0, 2.0, ORDER, "c", 700, Outcome.INFO)
A = Shown("ref_a", ORDER, 500, 2)
C = Shown("ref_c", ORDER, 700, 1)
LOOK = Read(4, 3.0, 4.0, ORDER, {"a": A})


def _history(*notes: Write | Read) -> History:
    found = History()
    for note in notes:
        if isinstance(note, Write):
            found.writes.append(note)
        else:
            found.reads.append(note)
    return found


@pytest.mark.parametrize("stored", [{"a": A}, {"a": A, "c": C}], ids=["lost", "done"])
def test_what_nobody_answered_may_be_there_or_not(stored: dict[str, Shown]) -> None:
    assert check(_history(OK, REFUSED, UNANSWERED, LOOK), stored) == []


def test_the_same_request_again_may_be_answered_at_last() -> None:
    again = replace(UNANSWERED, begun=5.0, ended=6.0, outcome=Outcome.OK, refund="ref_c")
    assert check(_history(UNANSWERED, again), {"c": C}) == []


def test_a_look_at_the_same_time_as_the_writing_may_see_it_or_not() -> None:
    early = Read(4, 1.5, 3.0, ORDER, {})
    assert check(_history(OK, early, replace(early, shown={"a": A})), {"a": A}) == []


@pytest.mark.parametrize(
    ("notes", "stored", "said"),
    [
        ((OK,), {}, "told to be done and is not there"),
        ((REFUSED,), {"b": Shown("ref_b", ORDER, 900, 1)}, "was refused and is there"),
        ((), {"x": A}, "nobody asked for it"),
        ((OK, replace(OK, refund="ref_z")), {"a": A}, "has two ids"),
        ((OK,), {"a": replace(A, refund="ref_z")}, "under another id"),
        ((OK,), {"a": replace(A, amount=501)}, "not what was asked for"),
        ((OK,), {"a": replace(A, order="ord_2")}, "not what was asked for"),
        ((OK, replace(OK, outcome=Outcome.FAIL)), {"a": A}, "to be done and to be refused"),
        ((OK, replace(LOOK, shown={})), {"a": A}, "did not see it"),
        ((UNANSWERED, Read(4, 0.1, 0.9, ORDER, {"c": C})), {"c": C}, "before anybody asked"),
        ((REFUSED, replace(LOOK, shown={"b": A})), {}, "which was refused"),
        ((OK, replace(LOOK, shown={"a": replace(A, amount=1)})), {"a": A}, "not what was asked"),
        (
            (OK, LOOK, Read(5, 4.5, 5.0, ORDER, {"a": replace(A, sequence=1)})),
            {"a": A},
            "at 1 after 2 had been seen",
        ),
    ],
)
def test_each_kind_of_lie_is_found(
    notes: tuple[Write | Read, ...], stored: dict[str, Shown], said: str
) -> None:
    assert any(said in text for text in check(_history(*notes), stored))
