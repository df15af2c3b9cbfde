"""What is published: joined without loss, the same as a buyer is told, in every language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from returns_api.domain.policy import Facts
from returns_api.domain.policy.texts import LANGUAGES
from returns_api.domain.publications import Asked, publish, special_rules, to_jsonld, to_text
from returns_api.domain.publications.shown import terms_of
from tests.support.published import AT, BASE, faults, linked, policy

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "policies").glob("*.yaml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_form_of_the_examples(file: Path) -> None:
    judge = policy(file.read_text(encoding="utf-8"))
    found = publish(judge, Asked(), AT)
    whole = to_jsonld(found, version="pv_1", groups=judge.law.groups, url="https://shop.test/p")
    assert whole["@context"] == "https://schema.org"
    assert [fault for node in whole["@graph"] for fault in faults(node)] == []
    assert all(node["@type"] == "MerchantReturnPolicy" for node in whole["@graph"])
    texts = {language: to_text(judge, found, "pv_1", language) for language in LANGUAGES}
    assert len(set(texts.values())) == len(LANGUAGES)
    for text in texts.values():
        assert "pv_1" in text
        assert "{" not in text
        assert "publish." not in text
        assert "rule." not in text
    assert to_text(judge, found, "pv_1", "it") == texts["en"]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_what_is_published_is_what_a_buyer_is_told(file: Path) -> None:
    judge = policy(file.read_text(encoding="utf-8"))
    for market in publish(judge, Asked(), AT).markets:
        codes = [code for group in market["groups"] for code in group["reasons"]]
        assert sorted(codes) == sorted(judge.world.reasons)
        place = next(iter(market["places"]), None)
        country, _, region = (judge.law.groups.get(place or "", (place or "",))[0]).partition("-")
        for group in market["groups"]:
            for code in group["reasons"]:
                facts = Facts(
                    reason=code, currency=judge.document.home_currency, placed_at=AT,
                    fulfilled_at=AT, delivered_at=AT, asked_at=AT, unit_paid_minor=10_000,
                    order_paid_minor=10_000, country=country or None, region=region or None,
                )  # fmt: skip
                told = terms_of(judge.decide(facts), AT)
                assert told == {name: group[name] for name in told}


def test_places_are_told_apart_only_where_something_differs() -> None:
    plain = publish(policy(BASE), Asked(), AT)
    names = [market["places"] for market in plain.markets]
    assert ["EU"] in [places[:1] for places in names]
    assert names[-1] == [], "everywhere else comes last"
    some = BASE.replace("currency: EUR\n", "currency: EUR\nmarkets: [EU, US-CA]\n")
    found = [market["places"] for market in publish(policy(some), Asked(), AT).markets]
    assert found == [["EU"], ["US-CA"]]
    split = BASE.replace(
        "rules:\n",
        "markets: [EU]\nrules:\n  - {id: at, when: {place: AT}, return_shipping: 9.00}\n",
    )
    found = [market["places"] for market in publish(policy(split), Asked(), AT).markets]
    assert found[0] == ["AT"]
    assert "EU" not in found[1]
    assert len(found[1]) == 26


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("return_shipping: free",
         {"returnFees": "https://schema.org/FreeReturn",
          "returnLabelSource": "https://schema.org/ReturnLabelDownloadAndPrint"}),
        ("return_shipping: 4.90",
         {"returnFees": "https://schema.org/ReturnShippingFees",
          "customerRemorseReturnShippingFeesAmount":
              {"@type": "MonetaryAmount", "currency": "EUR", "value": "4.90"}}),
        ("return_shipping: own_cost",
         {"returnFees": "https://schema.org/ReturnFeesCustomerResponsibility",
          "returnLabelSource": "https://schema.org/ReturnLabelCustomerResponsibility"}),
        ("restocking_fee: 10%", {"restockingFee": 10}),
        ("restocking_fee: 12.5%", {"restockingFee": 12.5}),
        ("methods: [in_store]", {"inStoreReturnsOffered": True, "returnLabelSource": None}),
        ("extend_to: 2027-01-31", {"merchantReturnDays": 30}),
        ("grades: {used_worn: refused}",
         {"itemCondition": ["https://schema.org/NewCondition",
                            "https://schema.org/DamagedCondition"]}),
        ("resolutions: {refund: 2 weeks, exchange: 60 days}",
         {"merchantReturnDays": 14,
          "refundType": ["https://schema.org/FullRefund", "https://schema.org/ExchangeRefund"]}),
        ("resolutions: {exchange: 20 days, store_credit: 90 days}",
         {"merchantReturnDays": 20,
          "refundType": ["https://schema.org/ExchangeRefund",
                         "https://schema.org/StoreCreditRefund"]}),
        ("resolutions: {repair: 20 days}", {"merchantReturnDays": 20, "refundType": None}),
        ("resolutions: {refund: until 2027-01-31}", {"merchantReturnDays": "2027-01-31"}),
        ("refuse: final_sale, return_shipping: 4.90",
         {"merchantReturnDays": None, "returnFees": None, "customerRemorseReturnFees": None}),
        ("return_shipping: free", {"url": "https://shop.test/p"}),
    ],
)  # fmt: skip
def test_schema_org_has_a_word_for_it(rule: str, expected: dict[str, Any]) -> None:
    first = BASE.replace("rules:\n", f"rules:\n  - {{id: first, {rule}}}\n")
    node = linked(first)
    assert faults(node) == []
    assert {name: node.get(name) for name in expected} == expected
    assert ("returnPolicySeasonalOverride" in node) == ("extend_to" in rule)


def test_what_is_not_of_schema_org_would_be_found() -> None:
    node = linked(BASE)
    assert faults(node) == []
    wrongs: tuple[dict[str, Any], ...] = (
        {"returnWindow": 30}, {"returnFees": "https://schema.org/NoFee"}, {"refundType": []},
        {"merchantReturnDays": "30 days"}, {"inStoreReturnsOffered": 1}, {"url": "/p"},
        {"returnShippingFeesAmount": {"@type": "MonetaryAmount", "amount": 4}},
    )  # fmt: skip
    for wrong in wrongs:
        try:
            assert faults({**node, **wrong}), wrong
        except ValueError:
            assert "merchantReturnDays" in wrong


def test_a_text_says_when_the_law_lets_the_money_wait() -> None:
    judge = policy(BASE)
    german = publish(judge, Asked(country="DE"), AT)
    text = to_text(judge, german, "pv_1", "en")
    assert "EU right to withdraw within 14 days" in text
    assert "though not before the first scan of the parcel" in text
    unknown = to_text(judge, publish(judge, Asked(country="ZA"), AT), "pv_1", "en")
    assert "We have no data on the law of this place" in unknown


SPECIAL = BASE.replace(
    "rules:\n",
    """\
goods:
  made_to_order: {tags: [engraved]}
tiers:
  - {tier: gold, orders_kept: {min: 5}}
rules:
  - {id: faulty, when: {fault: merchant}, return_shipping: free}
  - {id: swiss, when: {place: CH}, return_shipping: 9.00}
  - {id: sale, when: {tags: [sale]}, refuse: final_sale}
  - {id: engraved, when: {goods: made_to_order, place: DE}, refuse: final_sale}
  - {id: small, when: {unit_price: {below: 10.00}}, return_shipping: free}
  - {id: gold, when: {tier: gold}, resolutions: {store_credit: {within: 90 days, bonus: 10%}}}
  - {id: quiet, when: {channel: web}, send_to: warehouse}
""",
)


def test_rules_about_more_than_reason_and_place_are_told_in_words() -> None:
    judge = policy(SPECIAL)
    told = {one.rule: one.text for one in special_rules(judge, None, None, "en")}
    assert told == {
        "sale": "If it is tagged sale: This item was sold as final sale.",
        "engraved": "If the product is among made to order and you are in DE: "
        "This item was sold as final sale.",
        "small": "If the price is below 10.00 EUR: sending it back is free",
        "gold": "If your customer tier is gold: store credit within 90 days of delivery"
        " with a bonus of 10%",
    }
    at_home = [one.rule for one in special_rules(judge, "CH", None, "de")]
    assert at_home == ["sale", "small", "gold"]
    text = to_text(judge, publish(judge, Asked(country="CH"), AT), "pv_1", "de")
    assert "- Wenn " in text.split("Besondere Regeln")[1]
    plain = policy(BASE)
    assert "Besondere" not in to_text(plain, publish(plain, Asked(), AT), "pv_1", "de")


def test_windows_in_words_count_from_what_the_rules_say() -> None:
    text = SPECIAL.replace("approval: auto}", "approval: auto, starts: [placed]}")
    told = {one.rule: one.text for one in special_rules(policy(text), None, None, "en")}
    assert "store credit within 90 days of the order" in told["gold"]


@pytest.mark.parametrize(
    ("resolutions", "category"),
    [
        ("{refund: unlimited}", "MerchantReturnUnlimitedWindow"),
        ("{refund: 2 weeks}", "MerchantReturnFiniteReturnWindow"),
        ("{refund: until 2026-01-01}", "MerchantReturnNotPermitted"),
    ],
)
def test_windows_without_end_and_without_beginning(resolutions: str, category: str) -> None:
    text = BASE.replace("{refund: 30 days}", resolutions)
    node = linked(text)
    assert (faults(node), node["returnPolicyCategory"]) == ([], f"https://schema.org/{category}")
    judge = policy(text)
    found = publish(judge, Asked(country="US", region="TX"), AT)
    assert found.markets[0]["places"] == ["US-TX"]
    assert to_jsonld(found, version="pv_1", groups={})["@graph"] == []
    assert to_text(judge, found, "pv_1", "de")
