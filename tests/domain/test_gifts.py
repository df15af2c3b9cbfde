"""Gift receipts as pure rules: codes, what a receipt is for, and what of the terms is a gift's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain import ids
from returns_api.domain.allocation import certify
from returns_api.domain.errors import Conflict, DoesNotFit, NotEligible, NothingLeftToReturn
from returns_api.domain.gifts import (
    LASTS_DAYS,
    GiftLine,
    GiftReceipt,
    draw_code,
    for_recipient,
    lasts_until,
    normalise_code,
    not_eligible,
    plan_lines,
    require_country,
    require_left,
)
from returns_api.domain.order_facts import AskedLine
from returns_api.domain.order_record import OrderRecord
from returns_api.domain.terms import AdvanceTerms, InsuranceTerms
from tests.domain.test_allocation_orders import line, order, shipping
from tests.support.lives import terms
from tests.support.quoting import NOW, record

LAMP, VASE, FREIGHT = (UUID(int=n) for n in (1, 2, 3))
FACTS = order([line("lamp", 4000, 3), line("vase", 900), shipping(500)])
ORDER = record(FACTS, certify(FACTS))


def an_order(**lamp: Any) -> OrderRecord:
    """Three lamps and a vase, all delivered, but for what is said of the lamps."""
    lamps, *rest = ORDER.lines
    return replace(ORDER, lines=(replace(lamps, **lamp), *rest))


def a_receipt(quantity: int = 2, taken: int = 0, **more: Any) -> GiftReceipt:
    """For lamps of the order, made now."""
    gift = GiftLine(LAMP, "lamp", None, quantity, taken)
    made = GiftReceipt(
        UUID(int=9), ORDER.id, "buyer", 1, NOW, lasts_until(NOW, None), None, (gift,)
    )
    return replace(made, **more)


@given(st.text(alphabet="0123456789abcdef", min_size=64, max_size=64))
def test_a_code_is_found_however_it_is_typed(secret: str) -> None:
    code = draw_code(secret)
    assert code == draw_code(secret)
    assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
    assert set(code) <= set(ids.ALPHABET.upper()) | {"-"}
    wanted = normalise_code(code)
    typed = code.lower().replace("-", " ").replace("1", "l").replace("0", "o")
    assert normalise_code(f"  {typed}\n") == wanted
    assert normalise_code(code.replace("1", "I").replace("0", "O")) == wanted


def test_codes_have_eighty_bits() -> None:
    drawn = {normalise_code(draw_code(f"{n:064x}")) for n in range(2_000)}
    assert len(drawn) == 2_000
    for place in range(16):
        assert len({code[place] for code in drawn}) == 32, "every letter is free"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, {LAMP: 3, VASE: 1}),
        ({LAMP: 1}, {LAMP: 1}),
        ({LAMP: 3, VASE: 1}, {LAMP: 3, VASE: 1}),
    ],
)
def test_a_receipt_is_for_goods_that_were_sold(
    asked: dict[UUID, int] | None, found: dict[UUID, int]
) -> None:
    assert plan_lines(ORDER, asked) == found


@pytest.mark.parametrize("asked", [{LAMP: 0}, {LAMP: 4}, {FREIGHT: 1}, {UUID(int=77): 1}])
def test_and_for_nothing_else(asked: dict[UUID, int]) -> None:
    with pytest.raises(DoesNotFit):
        plan_lines(ORDER, asked)


def test_what_was_taken_out_cannot_be_given() -> None:
    assert plan_lines(an_order(removed=1, cancelled=1), None) == {LAMP: 1, VASE: 1}
    nothing = replace(ORDER, lines=ORDER.lines[2:])
    with pytest.raises(Conflict):
        plan_lines(nothing, None)


@pytest.mark.parametrize(
    ("taken", "claimed", "left"),
    [(0, 0, 2), (1, 1, 1), (2, 2, 0), (0, 2, 1), (0, 3, 0), (3, 3, 0)],
)
def test_a_gift_comes_back_once_and_only_what_the_buyer_left(
    taken: int, claimed: int, left: int
) -> None:
    found = an_order(claimed=claimed, claimed_units=tuple(range(1, claimed + 1)))
    receipt = a_receipt(taken=taken)
    assert receipt.left(found, receipt.lines[0], NOW) == left
    if left:
        require_left(receipt, found, [AskedLine(LAMP, left, "gift_not_wanted")], NOW)
    with pytest.raises(NothingLeftToReturn) as refused:
        require_left(receipt, found, [AskedLine(LAMP, left + 1, "gift_not_wanted")], NOW)
    told = {"line": ids.encode("li", LAMP), "left": left}
    assert refused.value.context == told, "nothing of what else the order has"


def test_a_receipt_opens_nothing_else_and_not_for_ever() -> None:
    receipt, asked = a_receipt(), [AskedLine(LAMP, 1, "gift_not_wanted")]
    with pytest.raises(DoesNotFit, match="not for such a line"):
        require_left(receipt, ORDER, [AskedLine(VASE, 1, "gift_not_wanted")], NOW)
    end = NOW + timedelta(days=LASTS_DAYS)
    last = end - timedelta(microseconds=1)
    require_left(receipt, ORDER, asked, last)
    for over, moment in ((receipt, end), (a_receipt(revoked_at=NOW), NOW)):
        with pytest.raises(Conflict, match="revoked, or its time is over"):
            require_left(over, ORDER, asked, moment)
        assert over.left(ORDER, over.lines[0], moment) == 0


def test_a_label_is_bought_in_the_country_that_was_quoted() -> None:
    require_country(replace(ORDER, country="DE"), "DE")
    require_country(replace(ORDER, country=None), "FR")
    with pytest.raises(DoesNotFit):
        require_country(replace(ORDER, country="DE"), "FR")


def test_a_gift_pays_nothing_early_and_nothing_that_only_the_buyer_paid() -> None:
    own = terms(
        refund_original_shipping=True,
        advance=AdvanceTerms("request", None, None, None),
        insurance=InsuranceTerms(500, 0),
        quoted_freight_minor=490,
    )
    gift = for_recipient(own)
    assert (gift.refund_original_shipping, gift.advance, gift.insurance) == (False, None, None)
    assert replace(own, refund_original_shipping=False, advance=None, insurance=None) == gift


def test_a_refusal_says_which_line_and_not_why() -> None:
    because = [{"rule": "costly", "fact": "unit_price", "value": 400_00}]
    line_of = {"line": "li_1", "reason": "gift_not_wanted"}
    refused = NotEligible("No.", lines=[{**line_of, "because": because, "flips_if": because}])
    assert not_eligible(refused).context == {"lines": [line_of]}
