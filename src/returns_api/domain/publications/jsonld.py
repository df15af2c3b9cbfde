"""The published terms in the words of schema.org, for search engines and shopping agents.

Owns the mapping to ``MerchantReturnPolicy`` (https://schema.org/MerchantReturnPolicy). What
schema.org has no word for (deductions by condition, silence, deadlines) is in the data and the text
and not here. Its two classes of causes are the buyer's remorse and a defect: each is taken from the
standard reason of that kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from returns_api.domain.money import format_minor
from returns_api.domain.policy.vocabulary import PPM
from returns_api.domain.publications.shown import Published

SCHEMA: Final = "https://schema.org"
REMORSE: Final = "changed_mind"
DEFECT: Final = "defective"

_METHODS: Final = {
    "post": "ReturnByMail",
    "pickup": "ReturnByMail",
    "dropoff": "ReturnAtKiosk",
    "locker": "ReturnAtKiosk",
    "in_store": "ReturnInStore",
    "keep": "KeepProduct",
}
_REFUNDS: Final = {
    "refund": "FullRefund",
    "exchange": "ExchangeRefund",
    "replacement": "ExchangeRefund",
    "store_credit": "StoreCreditRefund",
}


def to_jsonld(
    published: Published, *, version: str, groups: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    """One ``MerchantReturnPolicy`` per market; ``groups`` names the members of place groups.

    A market of regions only is left out: schema.org knows countries.
    """
    found = []
    for number, market in enumerate(published.markets, 1):
        countries = [
            country
            for name in market["places"]
            for country in groups.get(name, (name,))
            if "-" not in country
        ]
        if countries or not market["places"]:
            node = _policy(market["groups"], published.currency)
            where = {"applicableCountry": countries} if countries else {}
            found.append(
                {
                    "@type": "MerchantReturnPolicy",
                    "@id": f"#{version}-{number}",
                    "identifier": version,
                    "name": published.name,
                    **where,
                    **node,
                }
            )
    return {"@context": SCHEMA, "@graph": found}


def _policy(groups: list[Mapping[str, Any]], currency: str) -> dict[str, Any]:
    remorse, defect = _group_of(groups, REMORSE), _group_of(groups, DEFECT)
    node = {**_window(remorse), **_fees(remorse, currency, ("returnFees", "returnShippingFees"))}
    if remorse["eligible"]:
        node |= {
            "returnMethod": _unique(_METHODS[m["kind"]] for m in remorse["methods"]),
            "refundType": _unique(
                _REFUNDS[r["kind"]] for r in remorse["resolutions"] if r["kind"] in _REFUNDS
            ),
            "inStoreReturnsOffered": any(m["kind"] == "in_store" for m in remorse["methods"]),
        }
        if remorse["restocking_ppm"]:
            node["restockingFee"] = _percent(remorse["restocking_ppm"])
        for kind, words in (
            (remorse, ("customerRemorseReturnFees", "customerRemorseReturnShippingFees")),
            (defect, ("itemDefectReturnFees", "itemDefectReturnShippingFees")),
        ):
            node |= _fees(kind, currency, words)
    return node


def _group_of(groups: list[Mapping[str, Any]], reason: str) -> Mapping[str, Any]:
    return next(group for group in groups if reason in group["reasons"])


def _window(group: Mapping[str, Any]) -> dict[str, Any]:
    """The window of the first resolution; days are whole days from delivery."""
    if not group["eligible"]:
        return {"returnPolicyCategory": f"{SCHEMA}/MerchantReturnNotPermitted"}
    first = group["resolutions"][0]
    if first["days"] is None:
        return {"returnPolicyCategory": f"{SCHEMA}/MerchantReturnUnlimitedWindow"}
    found = {
        "returnPolicyCategory": f"{SCHEMA}/MerchantReturnFiniteReturnWindow",
        "merchantReturnDays": first["days"],
    }
    if first["extended_until"]:
        found["returnPolicySeasonalOverride"] = {
            "@type": "MerchantReturnPolicySeasonalOverride",
            "endDate": first["extended_until"],
            "merchantReturnDays": first["extended_until"],
            "returnPolicyCategory": f"{SCHEMA}/MerchantReturnFiniteReturnWindow",
        }
    return found


def _fees(group: Mapping[str, Any], currency: str, words: tuple[str, str]) -> dict[str, Any]:
    if not group["eligible"]:
        return {}
    kind, what = words
    if group["freight"]["own_label"]:
        return {kind: f"{SCHEMA}/ReturnFeesCustomerResponsibility"}
    fee = group["freight"]["fee_minor"]
    if not fee:
        return {kind: f"{SCHEMA}/FreeReturn"}
    return {
        kind: f"{SCHEMA}/ReturnShippingFees",
        f"{what}Amount": {
            "@type": "MonetaryAmount",
            "value": format_minor(fee, currency),
            "currency": currency,
        },
    }


def _percent(ppm: int) -> Any:
    """schema.org takes a number for a percentage; a whole one stays whole."""
    whole, rest = divmod(ppm, PPM // 100)
    return whole if not rest else float(f"{whole}.{rest:04d}")


def _unique(names: Any) -> list[str]:
    return [f"{SCHEMA}/{name}" for name in dict.fromkeys(names)]
