"""When the money is due: the first clock to end."""

from __future__ import annotations

from datetime import datetime

import pytest

from returns_api.domain.policy.due import refund_due
from returns_api.domain.policy.vocabulary import RefundAt
from tests.domain.policy.support import facts, policy, utc

REQUEST, SCAN, RECEIPT, INSPECTION = RefundAt
EARLY = {"delivered_at": utc(2026, 3, 18), "asked_at": utc(2026, 3, 20)}


@pytest.mark.parametrize(
    ("country", "happened", "due"),
    [
        (None, {}, None),
        (None, {REQUEST: utc(2026, 3, 20)}, None),
        (None, {INSPECTION: utc(2026, 4, 1)}, utc(2026, 4, 6)),
        # the EU: 14 days from the request, but it may wait for proof of sending
        ("DE", {REQUEST: utc(2026, 3, 20)}, None),
        ("DE", {REQUEST: utc(2026, 3, 20), SCAN: utc(2026, 3, 22)}, utc(2026, 4, 3)),
        ("DE", {REQUEST: utc(2026, 3, 20), SCAN: utc(2026, 4, 9)}, utc(2026, 4, 9)),
        ("DE", {REQUEST: utc(2026, 3, 20), SCAN: utc(2026, 3, 22), INSPECTION: utc(2026, 3, 24)},
         utc(2026, 3, 29)),
        # China: seven days from receipt
        ("CN", {RECEIPT: utc(2026, 3, 28)}, utc(2026, 4, 4)),
    ],
)  # fmt: skip
def test_the_first_clock_to_end_counts(
    country: str | None, happened: dict[RefundAt, datetime], due: datetime | None
) -> None:
    decision = policy().decide(facts(country=country, **EARLY))
    assert refund_due(decision, happened) == due
