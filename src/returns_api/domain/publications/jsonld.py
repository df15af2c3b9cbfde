"""The published terms in the words of schema.org, for search engines and shopping agents.

Owns the mapping to ``MerchantReturnPolicy``. Properties, where they may stand and what they may
hold are those of https://schema.org/MerchantReturnPolicy and
https://schema.org/MerchantReturnPolicySeasonalOverride; members come from ReturnFeesEnumeration,
ReturnMethodEnumeration, RefundTypeEnumeration, ReturnLabelSourceEnumeration,
MerchantReturnEnumeration and OfferItemCondition of the same vocabulary. A test holds every document
to these lists. What schema.org has no word for (deductions by condition, silence, deadlines) is in
the data and the text and not here. Its two classes of causes are the buyer's remorse and a defect:
each is taken from the standard reason of that kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from returns_api.domain.money import format_minor
from returns_api.domain.policy.vocabulary import PPM
from returns_api.domain.publications.shown import UNTIL, Published

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
_MAILED: Final = frozenset({"post", "dropoff", "locker", "pickup"})
"""Ways back that need a label."""
_CONDITIONS: Final = (
    ("sealed", "NewCondition"),
    ("used_worn", "UsedCondition"),
    ("damaged_buyer", "DamagedCondition"),
)
"""The grade of ours that stands for each of schema.org's conditions."""


def to_jsonld(
    published: Published,
    *,
    version: str,
    groups: Mapping[str, tuple[str, ...]],
    url: str | None = None,
) -> dict[str, Any]:
    """One ``MerchantReturnPolicy`` per market; ``groups`` names the members of place groups.

    ``url``: where it stands in plain language. A market of regions only is left out: schema.org
    knows countries.
    """
    link = {} if url is None else {"url": url, "merchantReturnLink": url}
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
                    **link,
                    **where,
                    **node,
                }
            )
    return {"@context": SCHEMA, "@graph": found}


def _policy(groups: list[Mapping[str, Any]], currency: str) -> dict[str, Any]:
    remorse, defect = _group_of(groups, REMORSE), _group_of(groups, DEFECT)
    node = _window(remorse)
    for group, prefix in ((remorse, ""), (remorse, "customerRemorse"), (defect, "itemDefect")):
        if group["eligible"]:
            node |= _costs(group, currency, prefix)
    if remorse["eligible"]:
        node |= _ways(remorse)
    return {name: value for name, value in node.items() if value != []}


def _ways(group: Mapping[str, Any]) -> dict[str, Any]:
    """How it comes back, in which condition, and what the buyer gets."""
    found: dict[str, Any] = {
        "returnMethod": _unique(_METHODS[m["kind"]] for m in group["methods"]),
        "refundType": _unique(
            _REFUNDS[r["kind"]] for r in group["resolutions"] if r["kind"] in _REFUNDS
        ),
        "itemCondition": _unique(
            name for grade, name in _CONDITIONS if group["grades"].get(grade, 0) is not None
        ),
        "inStoreReturnsOffered": any(m["kind"] == "in_store" for m in group["methods"]),
    }
    if group["restocking_ppm"]:
        found["restockingFee"] = _percent(group["restocking_ppm"])
    return found


def _group_of(groups: list[Mapping[str, Any]], reason: str) -> Mapping[str, Any]:
    return next(group for group in groups if reason in group["reasons"])


def _window(group: Mapping[str, Any]) -> dict[str, Any]:
    """The window of the refund, or of the first resolution where there is none.

    Days are whole days from delivery; a window with a fixed end has that date instead.
    """
    if not group["eligible"]:
        return {"returnPolicyCategory": f"{SCHEMA}/MerchantReturnNotPermitted"}
    offered = group["resolutions"]
    first = next((one for one in offered if one["kind"] == "refund"), offered[0])
    if first["within"].startswith(UNTIL):
        return {
            "returnPolicyCategory": f"{SCHEMA}/MerchantReturnFiniteReturnWindow",
            "merchantReturnDays": first["within"].removeprefix(UNTIL),
        }
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


def _costs(group: Mapping[str, Any], currency: str, prefix: str) -> dict[str, Any]:
    """Fee and label of the way back, for one cause or (no prefix) for any."""
    kind, amount, label = (
        f"{prefix}{name}" if prefix else name[:1].lower() + name[1:]
        for name in ("ReturnFees", "ReturnShippingFeesAmount", "ReturnLabelSource")
    )
    found: dict[str, Any] = {}
    if any(method["kind"] in _MAILED for method in group["methods"]):
        own = group["freight"]["own_label"]
        member = "ReturnLabelCustomerResponsibility" if own else "ReturnLabelDownloadAndPrint"
        found[label] = f"{SCHEMA}/{member}"
    fee = group["freight"]["fee_minor"]
    if group["freight"]["own_label"]:
        return {**found, kind: f"{SCHEMA}/ReturnFeesCustomerResponsibility"}
    if not fee:
        return {**found, kind: f"{SCHEMA}/FreeReturn"}
    money = {
        "@type": "MonetaryAmount",
        "value": format_minor(fee, currency),
        "currency": currency,
    }
    return {**found, kind: f"{SCHEMA}/ReturnShippingFees", amount: money}


def _percent(ppm: int) -> Any:
    """schema.org takes a number for a percentage; a whole one stays whole."""
    whole, rest = divmod(ppm, PPM // 100)
    return whole if not rest else float(f"{whole}.{rest:04d}")


def _unique(names: Any) -> list[str]:
    return [f"{SCHEMA}/{name}" for name in dict.fromkeys(names)]
