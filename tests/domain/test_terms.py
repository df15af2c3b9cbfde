"""One set of terms from the decisions of several lines: where one value can hold, the kinder."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_api.domain.policy import Decision, Facts, compile_policy, load_policy
from returns_api.domain.policy.decisions import (
    Advance,
    Approval,
    Deadlines,
    Evidence,
    Freight,
    Method,
    SetBy,
    Term,
)
from returns_api.domain.policy.vocabulary import (
    EvidenceKind,
    Grade,
    MethodKind,
    OnSilence,
    Payer,
    RefundAt,
)
from returns_api.domain.refund_clocks import LawClock
from returns_api.domain.terms import NOTHING_CAME, LineTerms, ReturnTerms, combine

NOW = datetime(2026, 11, 21, tzinfo=UTC)
POST = MethodKind.POST
BASE = compile_policy(
    load_policy(
        """
policy: returns-policy/v1
name: A shop
timezone: UTC
currency: EUR
rules:
  - id: house
    resolutions: {refund: unlimited}
    starts: delivered
    return_shipping: 4.90
    methods: [post]
    evidence: none
    approval: auto
"""
    )
).decide(
    Facts(
        reason="changed_mind",
        currency="EUR",
        placed_at=NOW - timedelta(days=5),
        asked_at=NOW,
        delivered_at=NOW - timedelta(days=1),
        unit_paid_minor=1000,
        order_paid_minor=1000,
    )
)


def decision(fee: int = 490, *, own_label: bool = False, **more: Any) -> Decision:
    payer = Payer.BUYER if fee or own_label else Payer.MERCHANT
    freight = Freight(payer, fee, own_label)
    return replace(BASE, methods=(Method(POST, fee),), freight=freight, **more)


def combined(*decisions: Decision) -> ReturnTerms:
    keys = {UUID(int=n): each for n, each in enumerate(decisions, start=1)}
    return combine(keys, "post")


def reviewed(hours: int, silence: OnSilence | None) -> Decision:
    return decision(approval=Approval(False, hours * 3600, silence))


@pytest.mark.parametrize(
    ("decisions", "payer", "fee", "own_label"),
    [
        ([decision(490)], "buyer", 490, False),
        ([decision(490), decision(990)], "buyer", 990, False),
        ([decision(490), decision(0)], "merchant", 0, False),
        ([decision(0, own_label=True)], "buyer", 0, True),
        ([decision(0, own_label=True), decision(490)], "buyer", 490, False),
        ([decision(0, own_label=True), decision(0)], "merchant", 0, False),
    ],
)
def test_who_pays_the_way_back(
    decisions: list[Decision], payer: str, fee: int, own_label: bool
) -> None:
    terms = combined(*decisions)
    found = (terms.freight_payer, terms.freight_fee_minor, terms.own_label)
    assert found == (payer, fee, own_label)


def test_the_kinder_clock_holds() -> None:
    quick = decision(deadlines=Deadlines(100, 10, 50))
    slow = decision(deadlines=Deadlines(200, 20, None))
    endless = decision(deadlines=Deadlines(None, None, None))
    terms = combined(quick, slow)
    assert terms.ship_within_seconds == 200
    assert terms.inspect_within_seconds == 10
    assert terms.refund_within_seconds == 50
    assert combined(quick, endless).ship_within_seconds is None


def test_no_promise_is_longer_than_a_law_that_binds() -> None:
    due = {"within": "7 days", "after": "receipt"}
    law = (*BASE.terms, Term("refund_due", due, SetBy(law="cn-seven-day"), ("country",)))
    clock = LawClock("cn-seven-day", "receipt", 7 * 86_400)
    for promised, holds in ((20 * 86_400, 7 * 86_400), (None, 7 * 86_400), (86_400, 86_400)):
        terms = combined(decision(deadlines=Deadlines(None, None, promised)), decision(terms=law))
        assert (terms.refund_within_seconds, terms.law_clocks) == (holds, (clock,))
        assert ReturnTerms.from_json(json.loads(json.dumps(terms.to_json()))) == terms
    early = combined(decision(terms=law, refund_at=RefundAt.RECEIPT))
    assert early.refund_within_seconds == 7 * 86_400
    scanned = (Term("refund_due", {**due, "after": "inspection"}, SetBy(law="x"), ()),)
    late = combined(decision(terms=scanned, refund_at=RefundAt.RECEIPT))
    assert late.refund_within_seconds is None, "a clock that has not begun shortens nothing"


def test_one_line_that_needs_a_person_makes_the_return_wait() -> None:
    terms = combined(decision(), reviewed(48, OnSilence.REJECT), reviewed(24, OnSilence.APPROVE))
    assert (terms.approval_auto, terms.respond_within_seconds) == (False, 24 * 3600)
    assert terms.on_silence == "approve"
    assert combined(reviewed(48, OnSilence.REJECT)).on_silence == "reject"
    assert combined(decision()).on_silence is None


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([RefundAt.RECEIPT], "receipt"),
        ([RefundAt.RECEIPT, RefundAt.INSPECTION], "inspection"),
        ([RefundAt.REQUEST], "receipt"),
    ],
)
def test_the_money_waits_for_the_last_line(stages: list[RefundAt], expected: str) -> None:
    assert combined(*(decision(refund_at=at) for at in stages)).refund_at == expected


def test_an_advance_is_not_promised() -> None:
    for otherwise in (RefundAt.RECEIPT, RefundAt.INSPECTION):
        advance = Advance(1, 1, 1, otherwise)
        early = decision(refund_at=RefundAt.FIRST_SCAN, advance=advance)
        assert combined(early).refund_at == otherwise.value


def test_each_line_keeps_its_own_grades_and_fees() -> None:
    worn = {Grade.USED_WORN: 300_000, Grade.DAMAGED_BUYER: None, Grade.WRONG_ITEM: 0}
    photo = (Evidence(EvidenceKind.PHOTO, 2),)
    terms = combined(
        decision(grades=worn, restocking_ppm=50_000), decision(grades={}, evidence=photo)
    )
    first, second = (terms.of_line(UUID(int=n)) for n in (1, 2))
    assert first.deduction_ppm("used_worn") == 300_000
    assert first.deduction_ppm("damaged_buyer") == 1_000_000, "not taken back: nothing is due"
    assert first.deduction_ppm("wrong_item") == 0, "a policy may be kinder"
    assert first.deduction_ppm("sealed") == 0
    assert (first.restocking_ppm, second.restocking_ppm) == (50_000, 0)
    assert second.evidence == (("photo", 2),)
    for grade in NOTHING_CAME:
        assert second.deduction_ppm(grade) == 1_000_000


def test_the_stored_form_reads_back_equal_and_old_ones_too() -> None:
    terms = combined(decision(), reviewed(24, OnSilence.APPROVE))
    assert ReturnTerms.from_json(terms.to_json()) == terms
    old = terms.to_json()
    for name in ("own_label", "certificate_version"):
        del old[name]
    found = ReturnTerms.from_json(old)
    assert (found.own_label, found.certificate_version) == (False, None)
    assert LineTerms({}, 0, ()).worst_ppm == 0


@pytest.mark.parametrize(
    ("places", "place"),
    [
        (("supplier", "supplier"), "supplier"),
        (("supplier", "warehouse"), "warehouse"),
        (("supplier", "repair-shop"), "warehouse"),
    ],
)
def test_one_parcel_goes_to_one_place(places: tuple[str, str], place: str) -> None:
    lines = {UUID(int=n): replace(BASE, send_to=each) for n, each in enumerate(places)}
    terms = combine(lines, "post")
    assert terms.send_to == place
    assert ReturnTerms.from_json(json.loads(json.dumps(terms.to_json()))) == terms
