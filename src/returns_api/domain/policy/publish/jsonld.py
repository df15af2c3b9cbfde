"""The policy as schema.org ``MerchantReturnPolicy`` JSON-LD.

Owns the mapping to schema.org's terms (https://schema.org/MerchantReturnPolicy). What those terms
cannot say (deductions by grade, approval, deadlines) stays in the plain text that ``url`` points
to. Refuses to own the policy's meaning: it writes what the situations decided.
"""

from __future__ import annotations

from typing import Any, Final

from returns_api.domain.calendars import Unit
from returns_api.domain.money import format_minor
from returns_api.domain.policy.decisions import Decision
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.publish.situations import Market, Situation
from returns_api.domain.policy.term_values import read_window
from returns_api.domain.policy.values import write_ppm
from returns_api.domain.policy.vocabulary import Grade, MethodKind, Payer, ResolutionKind

CONTEXT: Final = "https://schema.org"

METHODS: Final = {
    MethodKind.POST: "https://schema.org/ReturnByMail",
    MethodKind.DROPOFF: "https://schema.org/ReturnAtKiosk",
    MethodKind.LOCKER: "https://schema.org/ReturnAtKiosk",
    MethodKind.PICKUP: "https://schema.org/ReturnByMail",
    MethodKind.IN_STORE: "https://schema.org/ReturnInStore",
    MethodKind.KEEP: "https://schema.org/KeepProduct",
}
REFUNDS: Final = {
    ResolutionKind.REFUND: "https://schema.org/FullRefund",
    ResolutionKind.EXCHANGE: "https://schema.org/ExchangeRefund",
    ResolutionKind.STORE_CREDIT: "https://schema.org/StoreCreditRefund",
}
_CONDITIONS: Final = (
    (Grade.SEALED, "https://schema.org/NewCondition"),
    (Grade.USED_WORN, "https://schema.org/UsedCondition"),
    (Grade.DAMAGED_BUYER, "https://schema.org/DamagedCondition"),
)
_APPROXIMATE_DAYS: Final = {Unit.DAYS: 1, Unit.WEEKS: 7, Unit.MONTHS: 28, Unit.YEARS: 365}
"""Months and years in whole days that are never too many: schema.org only counts days."""

REMORSE, DEFECT = "changed_mind", "defective"


def render_jsonld(
    policy: Policy, market: Market, found: tuple[Situation, ...], *, version: str, url: str
) -> dict[str, Any]:
    """The policy for ``market`` as a JSON-LD object; ``version`` is its identifier."""
    remorse, defect = _of(found, REMORSE), _of(found, DEFECT)
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "MerchantReturnPolicy",
        "name": policy.document.name,
        "identifier": version,
        "url": url,
        "merchantReturnLink": url,
        "returnPolicyCategory": _category(remorse),
    }
    countries = [market.country] if market.country else _countries(policy)
    if countries:
        document["applicableCountry"] = countries
    if remorse.eligible:
        document.update(_window(remorse))
        document.update(_returns(remorse))
        document.update(_fees(remorse, "customerRemorse"))
    if defect.eligible:
        document.update(_fees(defect, "itemDefect"))
    return document


def _of(found: tuple[Situation, ...], reason: str) -> Decision:
    return next(situation.decision for situation in found if reason in situation.reasons)


def _countries(policy: Policy) -> list[str]:
    groups = policy.world.groups
    names = policy.document.markets
    places = (place for name in names for place in groups.get(name, (name,)))
    return sorted({place.partition("-")[0] for place in places})


def _category(decision: Decision) -> str:
    if not decision.eligible:
        return "https://schema.org/MerchantReturnNotPermitted"
    days = _days(decision)
    unlimited = days is None
    name = "MerchantReturnUnlimitedWindow" if unlimited else "MerchantReturnFiniteReturnWindow"
    return f"https://schema.org/{name}"


def _window(decision: Decision) -> dict[str, Any]:
    """``merchantReturnDays`` is a number of days, or the date a fixed window ends."""
    days = _days(decision)
    return {} if days is None else {"merchantReturnDays": days}


def _main(decision: Decision) -> str:
    """The resolution that the published window is about: the refund, where there is one."""
    kinds = [resolution.kind for resolution in decision.resolutions]
    kind = ResolutionKind.REFUND if ResolutionKind.REFUND in kinds else kinds[0]
    return f"window.{kind.value}"


def _days(decision: Decision) -> int | str | None:
    name = _main(decision)
    value = next(term.value for term in decision.terms if term.term == name)
    window = read_window(value["within"])
    if window.until is not None:
        return window.until.isoformat()
    if window.period is None:
        return None
    if window.period.unit is Unit.BUSINESS_DAYS:
        until = next(r.until for r in decision.resolutions if f"window.{r.kind.value}" == name)
        return until.date().isoformat() if until else None
    return window.period.amount * _APPROXIMATE_DAYS[window.period.unit]


def _returns(d: Decision) -> dict[str, Any]:
    found: dict[str, Any] = {
        "returnMethod": list(dict.fromkeys(METHODS[method.kind] for method in d.methods)),
        "refundType": [REFUNDS[r.kind] for r in d.resolutions if r.kind in REFUNDS],
        "itemCondition": [url for grade, url in _CONDITIONS if d.grades[grade] is not None],
    }
    if d.restocking_ppm:
        percent = write_ppm(d.restocking_ppm).rstrip("%")
        found["restockingFee"] = int(percent) if percent.isdigit() else percent
    return {name: value for name, value in found.items() if value != []}


def _fees(d: Decision, prefix: str) -> dict[str, Any]:
    """The return fees for one cause, with the amount where there is one."""
    if d.freight.own_label:
        return {f"{prefix}ReturnFees": "https://schema.org/ReturnFeesCustomerResponsibility"}
    if d.freight.payer is Payer.MERCHANT:
        return {f"{prefix}ReturnFees": "https://schema.org/FreeReturn"}
    fee = d.methods[0].fee_minor
    amount = {
        "@type": "MonetaryAmount",
        "currency": d.facts.currency,
        "value": format_minor(fee, d.facts.currency),
    }
    return {
        f"{prefix}ReturnFees": "https://schema.org/ReturnShippingFees",
        f"{prefix}ReturnShippingFeesAmount": amount,
    }
