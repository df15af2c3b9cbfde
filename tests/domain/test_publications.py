"""What is published: joined without loss, the same as a buyer is told, in every language."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from returns_api.domain.policy import Facts, Policy, compile_policy, load_policy
from returns_api.domain.policy.texts import LANGUAGES
from returns_api.domain.publications import Asked, publish, to_jsonld, to_text
from returns_api.domain.publications.shown import terms_of

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "policies").glob("*.yaml"))
TERMS = {
    "MerchantReturnPolicy", "MerchantReturnPolicySeasonalOverride", "MonetaryAmount",
    "applicableCountry", "returnPolicyCategory", "merchantReturnDays", "returnFees",
    "returnShippingFeesAmount", "returnMethod", "refundType", "inStoreReturnsOffered",
    "restockingFee", "customerRemorseReturnFees", "customerRemorseReturnShippingFeesAmount",
    "itemDefectReturnFees", "itemDefectReturnShippingFeesAmount", "returnPolicySeasonalOverride",
    "endDate", "identifier", "name", "value", "currency",
    "MerchantReturnFiniteReturnWindow", "MerchantReturnNotPermitted",
    "MerchantReturnUnlimitedWindow", "ReturnByMail", "ReturnAtKiosk", "ReturnInStore",
    "KeepProduct", "FullRefund", "ExchangeRefund", "StoreCreditRefund", "FreeReturn",
    "ReturnShippingFees", "ReturnFeesCustomerResponsibility",
}  # fmt: skip
"""Types, properties and members of schema.org that a published policy may use."""
BASE = """\
policy: returns-policy/v1
name: X
timezone: UTC
currency: EUR
rules:
  - {id: house, resolutions: {refund: 30 days}, original_shipping: keep, approval: auto}
"""


def policy(text: str) -> Policy:
    return compile_policy(load_policy(text))


def words(node: Any) -> set[str]:
    """Every schema.org word in a JSON-LD document."""
    if isinstance(node, list):
        return {word for item in node for word in words(item)}
    if isinstance(node, dict):
        found = {key for key in node if not key.startswith("@")}
        found |= {node["@type"]} if "@type" in node else set()
        return found.union(*(words(value) for key, value in node.items() if key != "@context"))
    if isinstance(node, str) and node.startswith("https://schema.org/"):
        return {node.removeprefix("https://schema.org/")}
    return set()


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_form_of_the_examples(file: Path) -> None:
    judge = policy(file.read_text(encoding="utf-8"))
    found = publish(judge, Asked(), AT)
    linked = to_jsonld(found, version="pv_1", groups=judge.law.groups)
    assert linked["@context"] == "https://schema.org"
    assert words(linked["@graph"]) <= TERMS
    assert all(node["@type"] == "MerchantReturnPolicy" for node in linked["@graph"])
    texts = {language: to_text(judge, found, "pv_1", language) for language in LANGUAGES}
    assert len(set(texts.values())) == len(LANGUAGES)
    for text in texts.values():
        assert "pv_1" in text
        assert "{" not in text
        assert "publish." not in text
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
        ("return_shipping: free", {"returnFees": "https://schema.org/FreeReturn"}),
        ("return_shipping: 4.90", {"returnFees": "https://schema.org/ReturnShippingFees"}),
        ("return_shipping: own_cost",
         {"returnFees": "https://schema.org/ReturnFeesCustomerResponsibility"}),
        ("restocking_fee: 10%", {"restockingFee": 10}),
        ("restocking_fee: 12.5%", {"restockingFee": 12.5}),
        ("methods: [in_store]", {"inStoreReturnsOffered": True}),
        ("extend_to: 2027-01-31", {"merchantReturnDays": 30}),
    ],
)  # fmt: skip
def test_schema_org_has_a_word_for_it(rule: str, expected: dict[str, Any]) -> None:
    text = BASE.replace("approval: auto", f"approval: auto, {rule}")
    judge = policy(text)
    found = publish(judge, Asked(country="US"), AT)
    node = to_jsonld(found, version="pv_1", groups={})["@graph"][0]
    assert {name: node.get(name) for name in expected} == expected
    assert ("returnPolicySeasonalOverride" in node) == ("extend_to" in rule)


@pytest.mark.parametrize(
    ("resolutions", "category"),
    [
        ("{refund: unlimited}", "MerchantReturnUnlimitedWindow"),
        ("{refund: 2 weeks}", "MerchantReturnFiniteReturnWindow"),
        ("{refund: until 2026-01-01}", "MerchantReturnNotPermitted"),
    ],
)
def test_windows_without_end_and_without_beginning(resolutions: str, category: str) -> None:
    judge = policy(BASE.replace("{refund: 30 days}", resolutions))
    found = publish(judge, Asked(country="US", region="TX"), AT)
    assert found.markets[0]["places"] == ["US-TX"]
    at_home = publish(judge, Asked(country="CH"), AT)
    node = to_jsonld(at_home, version="pv_1", groups={})["@graph"][0]
    assert node["returnPolicyCategory"] == f"https://schema.org/{category}"
    assert to_jsonld(found, version="pv_1", groups={})["@graph"] == []
    assert to_text(judge, found, "pv_1", "de")
