"""The words of schema.org that are used here, and small policies to be published."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from returns_api.domain.policy import Policy, compile_policy, load_policy
from returns_api.domain.publications import Asked, publish, to_jsonld

# What https://schema.org/MerchantReturnPolicy, https://schema.org/MonetaryAmount and
# https://schema.org/MerchantReturnPolicySeasonalOverride say of the properties that are used: on
# which types they stand, and what they hold (a type, a data type or an enumeration).
AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
ENUMERATIONS = {
    "MerchantReturnEnumeration": {
        "MerchantReturnFiniteReturnWindow", "MerchantReturnNotPermitted",
        "MerchantReturnUnlimitedWindow", "MerchantReturnUnspecified",
    },
    "OfferItemCondition": {
        "DamagedCondition", "NewCondition", "RefurbishedCondition", "UsedCondition",
    },
    "RefundTypeEnumeration": {"ExchangeRefund", "FullRefund", "StoreCreditRefund"},
    "ReturnFeesEnumeration": {
        "FreeReturn", "OriginalShippingFees", "RestockingFees",
        "ReturnFeesCustomerResponsibility", "ReturnShippingFees",
    },
    "ReturnLabelSourceEnumeration": {
        "ReturnLabelCustomerResponsibility", "ReturnLabelDownloadAndPrint", "ReturnLabelInBox",
    },
    "ReturnMethodEnumeration": {"KeepProduct", "ReturnAtKiosk", "ReturnByMail", "ReturnInStore"},
}  # fmt: skip


_THING = {"identifier": ("Text",), "name": ("Text",), "url": ("URL",)}


PROPERTIES: dict[str, dict[str, tuple[str, ...]]] = {
    "MerchantReturnPolicy": {
        **_THING,
        "applicableCountry": ("Text",),
        "customerRemorseReturnFees": ("ReturnFeesEnumeration",),
        "customerRemorseReturnLabelSource": ("ReturnLabelSourceEnumeration",),
        "customerRemorseReturnShippingFeesAmount": ("MonetaryAmount",),
        "inStoreReturnsOffered": ("Boolean",),
        "itemCondition": ("OfferItemCondition",),
        "itemDefectReturnFees": ("ReturnFeesEnumeration",),
        "itemDefectReturnLabelSource": ("ReturnLabelSourceEnumeration",),
        "itemDefectReturnShippingFeesAmount": ("MonetaryAmount",),
        "merchantReturnDays": ("Date", "Integer"),
        "merchantReturnLink": ("URL",),
        "refundType": ("RefundTypeEnumeration",),
        "restockingFee": ("Number",),
        "returnFees": ("ReturnFeesEnumeration",),
        "returnLabelSource": ("ReturnLabelSourceEnumeration",),
        "returnMethod": ("ReturnMethodEnumeration",),
        "returnPolicyCategory": ("MerchantReturnEnumeration",),
        "returnPolicySeasonalOverride": ("MerchantReturnPolicySeasonalOverride",),
        "returnShippingFeesAmount": ("MonetaryAmount",),
    },
    "MerchantReturnPolicySeasonalOverride": {
        **_THING,
        "endDate": ("Date",),
        "merchantReturnDays": ("Date", "Integer"),
        "returnPolicyCategory": ("MerchantReturnEnumeration",),
    },
    "MonetaryAmount": {**_THING, "currency": ("Text",), "value": ("Text", "Number")},
}


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


def fits(value: Any, kind: str) -> bool:
    """Whether schema.org lets a property of this kind hold the value."""
    if kind in PROPERTIES:
        return isinstance(value, dict) and value["@type"] == kind and not faults(value)
    if kind in ENUMERATIONS:
        return str(value).removeprefix("https://schema.org/") in ENUMERATIONS[kind]
    if kind in {"Boolean", "Integer", "Number"}:
        known = {"Boolean": (bool,), "Integer": (int,), "Number": (int, float)}[kind]
        return isinstance(value, known) and isinstance(value, bool) == (kind == "Boolean")
    if kind == "Date":
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    return isinstance(value, str) and (kind != "URL" or value.startswith("https://"))


def faults(node: dict[str, Any]) -> list[str]:
    """Where a JSON-LD object is not in schema.org's words; ids and types are JSON-LD's own."""
    known = PROPERTIES[node["@type"]]
    found = [name for name in node if name not in {*known, "@type", "@id"}]
    for name, kinds in known.items():
        values = node.get(name, [])
        for value in values if isinstance(values, list) else [values]:
            if not any(fits(value, kind) for kind in kinds):
                found.append(f"{name}: {value}")
        if node.get(name) == []:
            found.append(f"{name} is empty")
    return found


def linked(text: str, place: str = "CH", **asked: Any) -> dict[str, Any]:
    """The one node of a document for a market, with an address."""
    judge = policy(text)
    country, _, region = place.partition("-")
    found = publish(judge, Asked(country=country, region=region or None, **asked), AT)
    (node,) = to_jsonld(found, version="pv_1", groups={}, url="https://shop.test/p")["@graph"]
    return dict(node)
