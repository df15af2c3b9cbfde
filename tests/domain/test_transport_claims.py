"""What of the freight an insurer owes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.terms import InsuranceTerms
from returns_api.domain.transport_claims import insured_freight

MINOR = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("cover", "excess", "freight", "owed"),
    [
        (1200, 200, 490, 290),
        (1200, 0, 490, 490),
        (400, 50, 490, 350),
        (400, 400, 490, 0),
        (400, 500, 490, 0),
        (1200, 200, 0, 0),
    ],
)
def test_up_to_the_cover_less_the_excess(cover: int, excess: int, freight: int, owed: int) -> None:
    assert insured_freight(InsuranceTerms(cover, excess), freight) == owed


@given(MINOR, MINOR, MINOR)
def test_never_more_than_was_paid_or_covered(cover: int, excess: int, freight: int) -> None:
    owed = insured_freight(InsuranceTerms(cover, excess), freight)
    assert 0 <= owed <= min(cover, freight)
    assert insured_freight(None, freight) == 0
