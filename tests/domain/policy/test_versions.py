"""The life of a version, and which one judges an order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from returns_api.domain.errors import ActionNotAllowed, Conflict, Invalid, PolicyInvalid
from returns_api.domain.policy.analysis import Report, analyse
from returns_api.domain.policy.versions import (
    Acknowledgement,
    Version,
    VersionState,
    in_force,
    plan_check,
    plan_publish,
    plan_retire,
)
from tests.domain.policy.support import loaded, utc

NOW = utc(2026, 3, 1)
CLEAN = analyse(loaded(header="markets: [CH]\n"))
WARNED = analyse(loaded("  - {id: f, return_shipping: 4.90}\n", "markets: [CH]\n"))
BROKEN = analyse(loaded(house="  - {id: r, approval: review}\n"))
DRAFT = Version(1, "sha256:a")


def checked(report: Report = CLEAN) -> Version:
    return plan_check(DRAFT, "sha256:a", report)


def accepted(report: Report) -> Acknowledgement:
    pairs = tuple((finding.code, finding.path) for finding in report.warnings)
    return Acknowledgement("key_1", NOW, pairs)


def test_a_sound_document_is_checked_and_published() -> None:
    published = plan_publish(checked(), CLEAN, from_=NOW, now=NOW)
    assert (published.state, published.in_force_from) == (VersionState.PUBLISHED, NOW)
    assert published.acknowledged is None


def test_errors_forbid_publishing() -> None:
    assert checked(BROKEN).state is VersionState.DRAFT
    with pytest.raises(PolicyInvalid) as caught:
        plan_publish(checked(BROKEN), BROKEN, from_=NOW, now=NOW)
    assert caught.value.context["findings"]


def test_warnings_need_an_acknowledgement_that_is_kept() -> None:
    assert WARNED.warnings
    with pytest.raises(Conflict) as caught:
        plan_publish(checked(WARNED), WARNED, from_=NOW, now=NOW)
    assert caught.value.context["warnings"]
    some = replace(accepted(WARNED), findings=accepted(WARNED).findings[1:])
    with pytest.raises(Conflict):
        plan_publish(checked(WARNED), WARNED, from_=NOW, now=NOW, acknowledgement=some)
    everything = accepted(WARNED)
    published = plan_publish(
        checked(WARNED), WARNED, from_=NOW, now=NOW, acknowledgement=everything
    )
    assert published.acknowledged == everything


def test_what_changed_after_the_check_is_checked_again() -> None:
    edited = replace(checked(), digest="sha256:b")
    with pytest.raises(Conflict, match="check it again"):
        plan_publish(edited, CLEAN, from_=NOW, now=NOW)


def test_a_version_cannot_come_into_force_in_the_past() -> None:
    with pytest.raises(Invalid):
        plan_publish(checked(), CLEAN, from_=utc(2026, 2, 28), now=NOW)


def test_a_published_version_can_only_be_retired() -> None:
    published = plan_publish(checked(), CLEAN, from_=NOW, now=NOW)
    with pytest.raises(ActionNotAllowed) as caught:
        plan_check(published, "sha256:b", CLEAN)
    assert caught.value.context["allowed"] == ["retire"]
    with pytest.raises(ActionNotAllowed):
        plan_publish(published, CLEAN, from_=NOW, now=NOW)
    with pytest.raises(ActionNotAllowed):
        plan_publish(DRAFT, CLEAN, from_=NOW, now=NOW)


def test_a_version_is_retired_only_when_another_takes_over() -> None:
    published = plan_publish(checked(), CLEAN, from_=NOW, now=NOW)
    for successor in (None, utc(2026, 6, 1)):
        with pytest.raises(Conflict):
            plan_retire(published, at=utc(2026, 5, 1), successor_from=successor)
    retired = plan_retire(published, at=utc(2026, 5, 1), successor_from=utc(2026, 5, 1))
    assert (retired.state, retired.in_force_until) == (VersionState.RETIRED, utc(2026, 5, 1))
    with pytest.raises(ActionNotAllowed):
        plan_retire(retired, at=utc(2026, 6, 1), successor_from=utc(2026, 5, 1))


def test_an_order_is_judged_by_the_version_in_force_when_it_was_placed() -> None:
    first = Version(1, "a", VersionState.RETIRED, "a", utc(2026, 1, 1), utc(2026, 3, 1))
    second = Version(2, "b", VersionState.PUBLISHED, "b", utc(2026, 3, 1))
    later = Version(3, "c", VersionState.PUBLISHED, "c", utc(2026, 9, 1))
    same = Version(4, "d", VersionState.PUBLISHED, "d", utc(2026, 9, 1))
    every = (later, DRAFT, first, same, second)
    expected = {
        utc(2025, 12, 31): None,
        utc(2026, 1, 1): first,
        utc(2026, 2, 28): first,
        utc(2026, 3, 1): second,
        utc(2026, 8, 31): second,
        utc(2026, 9, 1): same,
    }
    assert {at: in_force(every, at) for at in expected} == expected
