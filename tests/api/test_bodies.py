"""What a buyer may not decide (money-cases, row 20): a body that sets it is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from returns_api.api.schemas.base import example_id
from returns_api.api.schemas.opening import ReturnIn
from returns_api.api.schemas.quotes import QuoteIn

QUOTE: dict[str, Any] = {
    "order": example_id("ord"),
    "lines": [{"line": example_id("li"), "quantity": 1, "reason": "changed_mind"}],
}
RETURN: dict[str, Any] = {
    "quote": example_id("qt"),
    "lines": [{"line": example_id("li"), "note": None, "evidence": []}],
}
NOT_THEIRS = (
    "fee",
    "amount",
    "total",
    "state",
    "status",
    "receive_now",
    "received",
    "location",
    "shop_id",
    "refund_at",
    "terms",
)


@pytest.mark.parametrize(("shape", "body"), [(QuoteIn, QUOTE), (ReturnIn, RETURN)])
def test_the_bodies_alone_are_right(shape: type[BaseModel], body: dict[str, Any]) -> None:
    assert shape.model_validate(body)


@pytest.mark.parametrize("name", NOT_THEIRS)
@pytest.mark.parametrize(("shape", "body"), [(QuoteIn, QUOTE), (ReturnIn, RETURN)])
def test_a_buyer_sets_no_fee_amount_receipt_or_state(
    shape: type[BaseModel], body: dict[str, Any], name: str
) -> None:
    line = {**body["lines"][0], name: 1}
    for wrong in ({**body, name: 1}, {**body, "lines": [line]}):
        with pytest.raises(ValidationError) as refused:
            shape.model_validate(wrong)
        (problem,) = refused.value.errors()
        assert (problem["type"], problem["loc"][-1]) == ("extra_forbidden", name)
