"""Documents: what a merchant may write, what is refused and what is said then."""

from __future__ import annotations

import json

import pytest

from returns_api.domain.errors import PolicyInvalid
from returns_api.domain.policy import (
    compile_policy,
    decision_bytes,
    load_policy,
    restore_policy,
)
from returns_api.domain.policy.document import PolicyDocument
from tests.domain.policy.support import EXAMPLES, HOUSE, document, facts, loaded

RICH = """\
  - id: rich
    note: everything at once
    when:
      reason: {not: [other]}
      fault: [buyer]
      condition: [sealed, unknown]
      goods: {any: [cards], none: [custom_made]}
      tags: {any: [a, b], all: [c], none: [d]}
      sku: [JKT-*, X1]
      category: Shoes*
      vendor: {not: [Acme]}
      unit_price: {min: 10.00, below: 99.99}
      order_value: {above: 5}
      place: [NO, US-CA, EU]
      channel: [web]
      tier: gold
      placed: {from: 2026-01-01, until: 2026-12-31}
      discounted: true
      rollout: 25%
    resolutions: {refund: 30 days, store_credit: {within: 90 days, bonus: 12.5%},
                  repair: {within: 2 years, cost: quoted}, exchange: until 2027-01-31,
                  replacement: unlimited}
    starts: [delivered, fulfilled + 7 days]
    extend_to: 2027-01-31
    return_shipping: {post: 4.90, pickup: 0}
    original_shipping: keep
    restocking_fee: 10%
    grades: {used_worn: 30%, damaged_buyer: refused, sealed: full}
    evidence: {photo: 2, serial_number: 1}
    methods: [post, pickup]
    approval: {respond_within: 48 hours, on_silence: approve}
    ship_within: 14 days
    inspect_within: unlimited
    refund_at: {at: first_scan, per_buyer: 300.00, per_day: 5000.00, recover_within: 21 days}
    refund_within: 5 days
    exchange_at: {at: request, per_buyer: 100.00, per_day: 900.00, recover_within: 14 days}
    freight_insurance: {cover: 12.00, excess: 2.00}
    keep_item: {label_over: 60%}
    send_to: repair-shop
"""
RICH_HEADER = """\
tiers: [{tier: gold, orders_kept: {min: 5}, return_rate: {max: 25%}}]
goods: {cards: {category: Gift*}}
reasons: {too_warm: {fault: buyer, title: {en: Too warm}}}
refusals: {ours: {en: "No."}}
holidays: [2026-12-25]
weekend: [fri, sat]
day_ends: buyer
"""


def findings(source: str) -> list[dict[str, object]]:
    with pytest.raises(PolicyInvalid) as caught:
        load_policy(source)
    found = caught.value.context["findings"]
    assert isinstance(found, list)
    return found


def test_every_word_of_the_language_is_read_and_written_back() -> None:
    policy = loaded(RICH, RICH_HEADER)
    plain = policy.document.model_dump(mode="json", exclude_none=True)
    assert PolicyDocument.model_validate(plain) == policy.document
    assert load_policy(json.dumps(plain)).document == policy.document
    rich = plain["rules"][0]
    assert rich["when"]["place"] == ["NO", "US-CA", "EU"]
    assert rich["resolutions"]["store_credit"] == {"within": "90 days", "bonus": "12.5%"}
    assert rich["refund_at"]["per_buyer"] == "300.00"


def test_the_stored_form_gives_the_same_policy_and_the_same_decisions() -> None:
    policy = loaded(RICH, RICH_HEADER)
    again = restore_policy(policy.canonical)
    assert (again.digest, again.document, again.lines) == (
        policy.digest, policy.document, policy.lines,
    )  # fmt: skip
    case = facts(country="DE")
    assert decision_bytes(compile_policy(again).decide(case)) == decision_bytes(
        compile_policy(policy).decide(case)
    )


def test_comments_and_blanks_do_not_change_the_meaning_only_the_lines() -> None:
    one, two = load_policy(document()), load_policy("# hello\n" + document())
    assert one.document == two.document
    assert (one.lines["house"], two.lines["house"]) == (6, 7)


def test_stored_bytes_of_another_engine_are_refused() -> None:
    bytes_ = loaded().canonical
    for broken in (b"", b"{}", b"[]", bytes_.replace(b"engine/1", b"engine/0"), bytes_[:-5]):
        with pytest.raises(PolicyInvalid):
            restore_policy(broken)


@pytest.mark.parametrize(
    ("change", "path", "suggestion"),
    [
        (("refund_within: 5 days", "refund_in: 5 days"), "rules[0].refund_in", "refund_within"),
        (("resolutions:", "resolution:"), "rules[0].resolution", "resolutions"),
        (("{refund: 30 days}", "{refnd: 30 days}"), "rules[0].resolutions", "refund"),
        (("30 days", "30"), "rules[0].resolutions", "30 days"),
        (("methods: [post]", "methods: [pst]"), "rules[0].methods", "post"),
        (("methods: [post]", "methods: []"), "rules[0].methods", "post"),
        (("approval: auto", "approval: {respond: 2 days}"), "rules[0].approval", "respond_within"),
        (("refund_at: inspection", "refund_at: inspect"), "rules[0].refund_at", "inspection"),
        (("inspect_within: 2 days", "inspect_within: 2 months"), "rules[0].inspect_within", "days"),
        (("return_shipping: free", "return_shipping: fre"), "rules[0].return_shipping", "free"),
        (("return_shipping: free", "return_shipping: 4.905"), "rules[0].return_shipping", "Round"),
        (("original_shipping: refund", "original_shipping: yes"), "rules[0].original_shipping", ""),
        (("name: Test\n", ""), "name", "name"),
        (("currency: EUR", "currency: EURO"), "currency", "ISO"),
        (("currency: EUR", "currency: [EUR, EUR]"), "currency", ""),
        (("Europe/Berlin", "Europe/Belrin"), "timezone", "Europe/Berlin"),
        (("Europe/Berlin", "Berlin"), "timezone", "Europe/Berlin"),
        (("returns-policy/v1", "returns-policy/v2"), "policy", "v1"),
        (("id: house", "id: House Rule"), "rules[0].id", "house-rule"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_a_suggestion(
    change: tuple[str, str], path: str, suggestion: str
) -> None:
    text = document()
    broken = text.replace(*change)
    assert broken != text
    found = findings(broken)
    places = [str(finding["path"]).rsplit("[", 1)[0] if "currency" in path else finding["path"]
              for finding in found]  # fmt: skip
    assert path in places
    chosen = found[places.index(path)]
    assert int(str(chosen["line"])) >= 1
    assert suggestion in f"{chosen['message']} {chosen['suggestion']}"


@pytest.mark.parametrize(
    "rule",
    [
        "when: {unit_price: {min: 5, above: 4}}",
        "when: {unit_price: {}}",
        "when: {placed: {from: 2026-02-30}}",
        "when: {placed: {from: 2026-02-03, until: 2026-02-01}}",
        "when: {tags: []}",
        "when: {sku: '*X'}",
        "when: {sku: 12345}",
        "when: {place: germany}",
        "when: {discounted: maybe}",
        "when: {discounted: 1}",
        "when: {rollout: 150%}",
        "when: {reason: [a, a]}",
        "when: {fault: {is: buyer}}",
        "when: {condition: [brand_new]}",
        "grades: {used_worn: 130%}",
        "grades: {}",
        "evidence: {photo: 0}",
        "evidence: {photo: true}",
        "evidence: {hologram: 1}",
        "starts: [delivered, delivered]",
        "starts: shipped",
        "resolutions: {refund: {within: 5 days, bonus: 3%}}",
        "resolutions: {refund: 5 hours}",
        "resolutions: {refund: until someday}",
        "restocking_fee: 0.15",
        "refund_at: {per_buyer: 5}",
        "exchange_at: receipt",
        "exchange_at: {at: request, otherwise: receipt}",
        "freight_insurance: {excess: 2}",
        "keep_item: sometimes",
        "refuse: Final Sale!",
        "nonsense: 1",
    ],
)
def test_bad_values_are_refused(rule: str) -> None:
    found = findings(document(f"  - id: bad\n    {rule}\n"))
    assert found
    assert str(found[0]["path"]).startswith("rules[0]")


def test_names_used_twice_are_refused() -> None:
    found = findings(document("  - id: house\n    refuse: no_returns\n"))
    assert found[0]["code"] == "document.duplicate_id"
    tiers = "tiers: [{tier: gold}, {tier: gold}]\n"
    assert findings(document(header=tiers))[0]["path"] == "tiers[1].tier"


def test_an_author_cannot_write_the_law() -> None:
    text = document(header="law: {packs: [], groups: {}}\n")
    assert findings(text)[0]["code"] == "document.unknown_key"


def test_a_weekend_leaves_a_working_day() -> None:
    header = "weekend: [mon, tue, wed, thu, fri, sat, sun]\n"
    assert findings(document(header=header))[0]["path"] == "weekend"


def test_the_examples_can_be_read() -> None:
    files = sorted(EXAMPLES.glob("*.yaml"))
    assert len(files) >= 4
    for file in files:
        assert load_policy(file.read_bytes()).digest.startswith("sha256:")


def test_a_document_needs_a_rule() -> None:
    text = document().replace(HOUSE, "").replace("rules:\n", "rules: []\n")
    assert findings(text)[0]["path"] == "rules"
