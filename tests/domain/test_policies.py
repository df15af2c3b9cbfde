"""What may be published and from when; the states themselves are in ``test_lifecycle``."""

from __future__ import annotations

from typing import Any

import pytest

from returns_api.domain.errors import Conflict, DoesNotFit, PolicyInvalid
from returns_api.domain.policies import plan_begin, plan_publish
from returns_api.domain.policy.analysis import Report, analyse
from tests.domain.policy.support import loaded, utc

NOW = utc(2026, 3, 1)
WORDS = "Agreed with legal."


def found(report: Report) -> list[dict[str, Any]]:
    return [finding.as_json() for finding in report.findings]


CLEAN = found(analyse(loaded(header="markets: [CH]\n")))
WARNED = found(analyse(loaded("  - {id: f, return_shipping: 4.90}\n", "markets: [CH]\n")))
BROKEN = found(analyse(loaded(house="  - {id: r, approval: review}\n")))


def test_a_sound_document_needs_no_words() -> None:
    assert plan_publish(CLEAN, None, None) == []
    assert plan_publish(CLEAN, None, CLEAN) == []


def test_errors_forbid_publishing_whatever_anybody_says() -> None:
    with pytest.raises(PolicyInvalid) as caught:
        plan_publish(BROKEN, WORDS, BROKEN)
    kept: Any = caught.value.context["findings"]
    assert {one["severity"] for one in kept} == {"error"}


@pytest.mark.parametrize("words", [None, ""])
def test_warnings_need_words_and_are_kept(words: str | None) -> None:
    assert WARNED
    with pytest.raises(Conflict) as caught:
        plan_publish(WARNED, words, None)
    assert caught.value.context["findings"] == WARNED
    for shown in (None, WARNED, [*WARNED, *BROKEN]):
        kept = plan_publish(WARNED, WORDS, shown)
        assert [one["code"] for one in kept] == [one["code"] for one in WARNED]
        assert all("witness" not in one for one in kept)


def test_words_for_other_warnings_do_not_count() -> None:
    for shown in ([], [{**WARNED[0], "path": "rules[9]"}]):
        with pytest.raises(Conflict, match="law changed") as caught:
            plan_publish(WARNED, WORDS, shown)
        assert caught.value.context["findings"]
    moved = [{**one, "line": one["line"] + 7} for one in WARNED]
    assert plan_publish(WARNED, WORDS, moved)


def test_a_version_begins_now_or_later() -> None:
    assert plan_begin(None, NOW) == NOW
    assert plan_begin(NOW, NOW) == NOW
    assert plan_begin(utc(2027, 1, 1), NOW) == utc(2027, 1, 1)
    with pytest.raises(DoesNotFit) as caught:
        plan_begin(utc(2026, 2, 28), NOW)
    assert caught.value.context["errors"] == [{"field": "effective_from", "problem": "in the past"}]
