"""The analysis: planted defects, clean documents, agreement with trying every case."""

from __future__ import annotations

import json
from random import Random

import pytest
from proofs import policy_analysis
from proofs.policy_enumeration import AXES_SETS, differences
from proofs.policy_planted.clean import CLEAN
from proofs.policy_planted.defects import PLANTED
from proofs.policy_planted.documents import Planted
from proofs.policy_random import document as random_document

from returns_api.domain.errors import PolicyInvalid
from returns_api.domain.policy import load_policy
from returns_api.domain.policy.analysis import analyse
from returns_api.domain.policy.boxes import STEPS
from returns_api.domain.policy.vocabulary import Severity
from tests.domain.policy.support import EXAMPLES, document, loaded
from tests.support.refusals import listed


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_defect_is_named_with_a_witness_that_shows_it(planted: Planted) -> None:
    assert policy_analysis.check_planted(planted) == []


@pytest.mark.parametrize("number", range(len(CLEAN)))
def test_a_clean_document_has_no_findings(number: int) -> None:
    assert policy_analysis.check_clean(number) == []


@pytest.mark.parametrize("axes", AXES_SETS, ids="-".join)
def test_it_agrees_with_trying_every_case(axes: tuple[str, ...]) -> None:
    for number in range(2):
        plain = random_document(Random(f"tests {number} {axes}"), axes=axes)
        report = analyse(load_policy(json.dumps(plain)))
        findings = [finding.as_json() for finding in report.findings]
        assert differences(plain, axes, findings) == []


def test_the_enumeration_notices_a_wrong_analysis() -> None:
    axes = AXES_SETS[0]
    plain = random_document(Random("wrong"), rules=6, axes=axes)
    report = analyse(load_policy(json.dumps(plain)))
    findings = [finding.as_json() for finding in report.findings]
    dead = [f for f in findings if str(f["code"]).startswith("rule.dead")]
    assert differences(plain, axes, [f for f in findings if f not in dead[:1]]) or not dead


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("DEU", "Write DE."),
        ("USA-CA", "Write US-CA."),
        ("GBR", "Write GB."),
        ("UK", "Write GB."),
        ("EL", "Write GR."),
        ("SPAIN", "Write ES."),
        ("EEUU", "Write EU."),
        ("XK", "Write ISO codes: DE, US-CA; or EU."),
        ("QQQQ", "Write ISO codes: DE, US-CA; or EU."),
    ],
)
def test_a_place_that_is_none_is_told_which_was_meant(written: str, hint: str) -> None:
    rule = f"  - {{id: r, when: {{place: [{written}, CH]}}, evidence: {{photo: 1}}}}\n"
    findings = analyse(loaded(rule)).findings
    (found,) = (one for one in findings if one.code == "name.unknown_place")
    assert found.suggestion == hint


@pytest.mark.parametrize(
    ("written", "hint"),
    [("de", "DE"), ("Germany", "DE"), ("us-ca", "US-CA"), ("eu", "EU"), ("{a: b}", "DE")],
)
def test_a_word_that_cannot_be_a_place_is_told_which_was_meant(written: str, hint: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        loaded(f"  - {{id: r, when: {{place: [{written}]}}, evidence: {{photo: 1}}}}\n")
    (finding,) = listed(refused, "findings")
    assert finding["suggestion"] == f"Write {hint}, US-CA or EU."


def test_errors_forbid_publishing_and_warnings_do_not() -> None:
    gap = analyse(loaded(house="  - {id: r, resolutions: {refund: 9 days}}\n"))
    assert not gap.publishable
    fee = analyse(loaded("  - {id: f, return_shipping: 4.90}\n"))
    assert fee.publishable
    assert [finding.severity for finding in fee.warnings] == [Severity.WARNING] * len(fee.warnings)
    assert fee.warnings


def test_a_document_beyond_the_bound_is_told_so() -> None:
    report = analyse(loaded(), steps=3)
    assert (report.complete, report.publishable) == (False, False)
    assert report.findings[0].code == "analysis.too_large"


def test_the_work_is_counted_and_bounded() -> None:
    rules = "".join(
        f"  - {{id: r{n}, when: {{sku: A{n}*, place: [DE, FR], unit_price: {{min: {n}}}}}, "
        f"evidence: {{photo: 1}}}}\n"
        for n in range(1, 121)
    )
    report = analyse(loaded(rules, "markets: [DE, FR]\n"))
    assert report.complete
    assert 0 < report.steps < STEPS


def test_the_examples_are_sound() -> None:
    for file in sorted(EXAMPLES.glob("*.yaml")):
        report = analyse(load_policy(file.read_bytes()))
        assert [(f.code, f.path, f.message) for f in report.findings] == [], file.name


def test_findings_are_plain_data() -> None:
    report = analyse(load_policy(document(house="  - {id: r, approval: review}\n")))
    data = json.loads(json.dumps(report.as_json()))
    assert data["steps_bound"] == STEPS
    first = data["findings"][0]
    assert {"code", "severity", "line", "path", "message", "suggestion", "witness"} <= set(first)
    assert first["witness"]["facts"]["reason"]
