"""The law's clocks for refunds: by case, and never later than any law that binds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.policy import Decision
from returns_api.domain.refund_clocks import STAGES, LawClock, due_by_law, law_clocks, shortest
from tests.domain.policy.support import facts, policy, utc

DAY = 86_400
OPENED = datetime(2026, 3, 20, 12, tzinfo=UTC)
EU = LawClock("eu-withdrawal", "request", 14 * DAY, "first_scan")
CN = LawClock("cn-seven-day", "receipt", 7 * DAY)
KR = LawClock("kr-withdrawal", "receipt", 3 * DAY)
UK = LawClock("uk-reject", "inspection", 14 * DAY)


def decided(country: str, **more: object) -> Decision:
    case = {"delivered_at": utc(2026, 3, 18, 12), "asked_at": OPENED, **more}
    return policy().decide(facts(country=country, **case))


@pytest.mark.parametrize(
    ("country", "more", "clocks"),
    [
        ("DE", {}, {EU}),
        ("CN", {}, {CN}),
        ("KR", {}, {KR}),
        ("GB", {"reason": "defective"}, {UK, LawClock("uk-cancel", "first_scan", 14 * DAY)}),
        ("CH", {}, set()),
        ("DE", {"asked_at": utc(2026, 4, 3, 12)}, set()),
    ],
)
def test_the_clocks_of_the_laws_that_bind(
    country: str, more: dict[str, object], clocks: set[LawClock]
) -> None:
    found = law_clocks([decided(country, **more)] * 2)
    assert len(found) == len(clocks)
    assert set(found) == clocks


def days(number: float) -> datetime:
    return OPENED + timedelta(days=number)


@pytest.mark.parametrize(
    ("clocks", "stage", "now", "due"),
    [
        ([EU], "request", 0, None),
        ([EU], "first_scan", 2, (14, "eu-withdrawal")),
        ([EU], "first_scan", 20, (20, "eu-withdrawal")),
        ([EU], "receipt", 5, (14, "eu-withdrawal")),
        ([CN], "first_scan", 2, None),
        ([CN], "receipt", 5, (12, "cn-seven-day")),
        ([CN, KR], "receipt", 5, (8, "kr-withdrawal")),
        ([EU, CN], "receipt", 9, (14, "eu-withdrawal")),
        ([UK], "receipt", 5, None),
        ([UK], "inspection", 6, (20, "uk-reject")),
        ([], "inspection", 6, None),
    ],
)
def test_the_day_is_known_when_its_events_have_happened(
    clocks: list[LawClock], stage: str, now: float, due: tuple[float, str] | None
) -> None:
    expected = None if due is None else (days(due[0]), due[1])
    assert due_by_law(clocks, stage, OPENED, days(now)) == expected


def test_the_shortest_time_that_a_stage_may_promise() -> None:
    assert shortest([EU, CN, KR, UK], "receipt") == 3 * DAY
    assert shortest([UK], "receipt") is None
    assert shortest([UK], "inspection") == 14 * DAY


CLOCKS = st.builds(
    LawClock,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(STAGES),
    st.integers(0, 30 * DAY),
    st.sampled_from([None, *STAGES]),
)


@given(clock=CLOCKS, waits=st.lists(st.integers(0, 20 * DAY), min_size=3, max_size=3))
def test_a_day_is_never_later_than_the_law_reads(clock: LawClock, waits: list[int]) -> None:
    """Against the rule as it is written: all events known, looked at from the end."""
    came = [OPENED]
    for wait in waits:
        came.append(came[-1] + timedelta(seconds=wait))
    at = dict(zip(STAGES, came, strict=True))
    law = at[clock.after] + timedelta(seconds=clock.within_seconds)
    if clock.not_before is not None:
        law = max(law, at[clock.not_before])
    named = [due_by_law([clock], stage, OPENED, at[stage]) for stage in STAGES]
    found = min(one[0] for one in named if one is not None)
    assert found <= law
    forgot = clock.after != STAGES[0] and clock.not_before is not None
    assert found == law or forgot, "nor earlier, unless the return forgot when it began"
