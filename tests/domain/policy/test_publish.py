"""Publications: three forms of one decision, with one version id."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from returns_api.domain.policy import compile_policy, load_policy
from returns_api.domain.policy.document import PolicyDocument
from returns_api.domain.policy.publish import Market, Product, publish
from returns_api.domain.policy.schema import policy_schema, policy_schema_bytes
from returns_api.domain.policy.texts import LANGUAGES
from tests.domain.policy.support import EXAMPLES, document, policy, utc

AT = utc(2026, 11, 22)
SCHEMA_FILE = EXAMPLES.parents[1] / "openapi" / "policy.schema.json"

# The properties of https://schema.org/MerchantReturnPolicy and Thing that are used, and the members
# of its enumerations.
PROPERTIES = {
    "name", "identifier", "url", "applicableCountry", "customerRemorseReturnFees",
    "customerRemorseReturnShippingFeesAmount", "itemCondition", "itemDefectReturnFees",
    "itemDefectReturnShippingFeesAmount", "merchantReturnDays", "merchantReturnLink", "refundType",
    "restockingFee", "returnMethod", "returnPolicyCategory",
}  # fmt: skip
MEMBERS = {
    f"https://schema.org/{name}"
    for name in (
        "MerchantReturnFiniteReturnWindow", "MerchantReturnNotPermitted",
        "MerchantReturnUnlimitedWindow", "KeepProduct", "ReturnAtKiosk", "ReturnByMail",
        "ReturnInStore", "FreeReturn", "ReturnFeesCustomerResponsibility", "ReturnShippingFees",
        "ExchangeRefund", "FullRefund", "StoreCreditRefund", "NewCondition", "UsedCondition",
        "DamagedCondition",
    )
}  # fmt: skip


def jsonld(rules: str = "", market: Market | None = None, **others: Any) -> dict[str, Any]:
    shop = policy(rules, "markets: [CH]\n")
    body = publish(shop, version="pv_1", at=AT, form="jsonld", market=market, **others).body
    found: dict[str, Any] = json.loads(body)
    return found


def members(value: Any) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    return [t for t in texts if isinstance(t, str) and t.startswith("https://schema.org/")]


@pytest.mark.parametrize("name", ["demo", "fashion", "electronics", "marketplace"])
def test_json_ld_uses_only_terms_of_schema_org(name: str) -> None:
    shop = compile_policy(load_policy((EXAMPLES / f"{name}.yaml").read_bytes()))
    for market in (Market(), Market("DE"), Market("US", "CA"), Market("BR"), Market("ZA")):
        body = publish(shop, version="pv_1", at=AT, form="jsonld", market=market).body
        data = json.loads(body)
        assert (data.pop("@context"), data.pop("@type")) == (
            "https://schema.org",
            "MerchantReturnPolicy",
        )
        assert set(data) <= PROPERTIES
        used = {member for value in data.values() for member in members(value)}
        assert used <= MEMBERS


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("", {"merchantReturnDays": 30,
              "returnPolicyCategory": "https://schema.org/MerchantReturnFiniteReturnWindow",
              "customerRemorseReturnFees": "https://schema.org/FreeReturn"}),
        ("  - {id: a, resolutions: {refund: 2 weeks}}\n", {"merchantReturnDays": 14}),
        ("  - {id: a, resolutions: {refund: until 2027-01-31}}\n",
         {"merchantReturnDays": "2027-01-31"}),
        ("  - {id: a, resolutions: {refund: 10 business days}}\n",
         {"merchantReturnDays": "2026-12-04"}),
        ("  - {id: a, resolutions: {refund: unlimited}}\n",
         {"returnPolicyCategory": "https://schema.org/MerchantReturnUnlimitedWindow"}),
        ("  - {id: a, refuse: final_sale}\n",
         {"returnPolicyCategory": "https://schema.org/MerchantReturnNotPermitted"}),
        ("  - {id: a, return_shipping: 4.90, restocking_fee: 15%}\n",
         {"customerRemorseReturnFees": "https://schema.org/ReturnShippingFees",
          "customerRemorseReturnShippingFeesAmount":
              {"@type": "MonetaryAmount", "currency": "EUR", "value": "4.90"},
          "restockingFee": 15}),
        ("  - {id: a, return_shipping: own_cost, restocking_fee: 12.5%}\n",
         {"customerRemorseReturnFees": "https://schema.org/ReturnFeesCustomerResponsibility",
          "restockingFee": "12.5"}),
        ("  - {id: a, resolutions: {exchange: 20 days, store_credit: 90 days}}\n",
         {"merchantReturnDays": 20, "refundType": ["https://schema.org/ExchangeRefund",
                                                   "https://schema.org/StoreCreditRefund"]}),
    ],
)  # fmt: skip
def test_what_the_policy_decides_stands_in_the_json_ld(
    rules: str, expected: dict[str, Any]
) -> None:
    found = jsonld(rules)
    assert {name: found[name] for name in expected} == expected


def test_a_refused_market_says_nothing_about_fees() -> None:
    found = jsonld("  - {id: a, refuse: final_sale, return_shipping: 4.90}\n")
    assert not [name for name in found if "Fees" in name or name == "merchantReturnDays"]


def test_markets_and_products_have_their_own_terms() -> None:
    rules = """\
  - {id: br, when: {place: BR}, return_shipping: free}
  - {id: shoes, when: {category: Shoes*}, resolutions: {refund: 60 days}}
  - {id: fee, return_shipping: 4.90}
"""
    assert jsonld(rules)["merchantReturnDays"] == 30
    assert jsonld(rules, product=Product(category="Shoes/Boots"))["merchantReturnDays"] == 60
    free = jsonld(rules, Market("BR"))
    assert free["customerRemorseReturnFees"] == "https://schema.org/FreeReturn"
    assert free["applicableCountry"] == ["BR"]


def test_the_law_of_the_market_is_in_what_is_published() -> None:
    mean = "  - {id: a, refuse: no_returns}\n"
    assert jsonld(mean, Market("DE"))["merchantReturnDays"] == 14
    shop = policy(mean)
    text = publish(shop, version="pv_1", at=AT, market=Market("DE")).body.decode()
    assert "EU right to withdraw within 14 days" in text
    assert "though not before the first scan of the parcel" in text
    unknown = publish(shop, version="pv_1", at=AT, market=Market("ZA")).body.decode()
    assert "We have no data on the law of this place" in unknown


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_is_complete_in_every_language(language: str) -> None:
    for file in EXAMPLES.glob("*.yaml"):
        shop = compile_policy(load_policy(file.read_bytes()))
        found = publish(shop, version="pv_9", at=AT, locale=language, market=Market("FR"))
        text = found.body.decode()
        assert "{" not in text
        assert "publish." not in text
        assert "rule." not in text
        assert "pv_9" in text
        assert found.language == language


def test_all_forms_carry_the_version_and_agree() -> None:
    shop = policy("  - {id: f, return_shipping: 4.90}\n", "markets: [CH]\n")
    made = {
        form: publish(shop, version="pv_7", at=AT, form=form) for form in ("text", "jsonld", "json")
    }
    assert all(b"pv_7" in found.body for found in made.values())
    data = json.loads(made["json"].body)
    decision = next(s["decision"] for s in data["situations"] if "changed_mind" in s["reasons"])
    ld = json.loads(made["jsonld"].body)
    assert decision["resolutions"][0]["window"] == {"within": "30 days", "from": "delivered"}
    assert ld["merchantReturnDays"] == 30
    assert decision["methods"] == [{"kind": "post", "fee_minor": 490}]
    assert ld["customerRemorseReturnShippingFeesAmount"]["value"] == "4.90"
    assert "within 30 days of delivery" in made["text"].body.decode()
    assert "by post 4.90 EUR" in made["text"].body.decode()


def test_equal_content_has_an_equal_tag() -> None:
    one = publish(policy(), version="pv_1", at=AT)
    assert one.etag == publish(policy(), version="pv_1", at=utc(2026, 11, 22, 23)).etag
    assert one.etag != publish(policy(), version="pv_2", at=AT).etag
    with pytest.raises(ValueError, match="no such form"):
        publish(policy(), version="pv_1", at=AT, form="pdf")


def test_the_published_schema_is_that_of_the_models() -> None:
    """To write it anew: open('openapi/policy.schema.json','wb').write(policy_schema_bytes())."""
    assert SCHEMA_FILE.read_bytes() == policy_schema_bytes()


def plain(value: Any) -> Any:
    """Numbers as an editor's YAML reader has them."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value if isinstance(value, str | int | None) else float(value)


def test_the_examples_satisfy_the_schema_and_mistakes_do_not() -> None:
    validator = jsonschema_rs.Draft202012Validator(policy_schema())
    for file in EXAMPLES.glob("*.yaml"):
        tree = plain(load_policy(file.read_bytes()).tree.value)
        assert [error.message for error in validator.iter_errors(tree)] == [], file.name
    good = plain(load_policy(document()).tree.value)
    for change in (
        {"rules": []}, {"nonsense": 1}, {"policy": "v0"}, {"day_ends": "noon"},
        {"rules": [{**good["rules"][0], "refund_at": "soon"}]},
        {"rules": [{**good["rules"][0], "restocking_fee": 15}]},
        {"rules": [{**good["rules"][0], "when": {"colour": "red"}}]},
        {"rules": [{**good["rules"][0], "resolutions": {"refund": "30"}}]},
    ):  # fmt: skip
        assert not validator.is_valid({**good, **change}), change


def test_the_schema_knows_every_field_of_the_document() -> None:
    assert set(policy_schema()["properties"]) == set(PolicyDocument.model_fields)
