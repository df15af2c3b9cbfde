"""A shop's settings: what they are and which values can be right.

Owns checking names of zones, currencies, countries and locales. Refuses to own rows and who may
change them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from returns_api.domain import money
from returns_api.domain.complaints import ANSWER_DAYS
from returns_api.domain.errors import Invalid
from returns_api.domain.policy.zones import closest_zone, names
from returns_api.domain.repair_prices import BY_REPAIR

LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")

ADDRESS_FIELDS: Final = (
    "name",
    "street1",
    "street2",
    "city",
    "region",
    "postcode",
    "country",
    "email",
    "phone",
)
"""The members of a return address, as ``ports.carriers.Address`` names them."""


@dataclass(frozen=True, slots=True)
class AfterSales:
    """What a shop does for its buyers after a sale.

    ``complaint_answer_days`` are business days until a complaint is answered. So many days after
    a delivery, or after a return that ended well, buyers are asked how it was; None: they are not.
    """

    complaint_answer_days: int = ANSWER_DAYS
    check_in_days: int | None = None
    review_days: int | None = None
    review_url: str | None = None


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """``timezone`` is an IANA name, ``currency`` ISO 4217, ``country`` ISO 3166-1 alpha-2.

    ``locale`` is a language with an optional script and region (BCP 47): ``de``, ``zh-Hant-TW``.
    """

    name: str
    timezone: str
    currency: str
    country: str
    locale: str
    return_address: Mapping[str, Any]
    refund_limits: Mapping[str, int | None] = field(default_factory=dict)
    """Those that differ from the defaults, see ``approvals.RefundLimits``."""
    store_credit: Mapping[str, Any] = field(default_factory=dict)
    """Those that differ from the defaults, see ``store_credits.CreditTerms``."""
    after_sales: Mapping[str, Any] = field(default_factory=dict)
    """Those that differ from the defaults, see ``AfterSales``."""
    repairs: Mapping[str, Any] = field(default_factory=dict)
    """``address`` of the repair point (None: goods come to the return address) and ``prices``, see
    ``repair_prices.PriceList``."""
    destinations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Addresses of the places that a policy names by ``send_to``, like the return address; what is
    not here comes to the return address."""


def check(settings: ShopSettings) -> None:
    """Raises ``Invalid`` naming every field that cannot be right."""
    found = list(_problems(settings))
    if found:
        raise Invalid(f"{found[0]['field']}: {found[0]['problem']}", errors=found)


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """The codes of ISO 3166-1 as the time zone database lists them; the UK is ``GB``."""
    lines = (files("tzdata.zoneinfo") / "iso3166.tab").read_text(encoding="utf-8").splitlines()
    return frozenset(line[:2] for line in lines if line[:1] != "#" and line[2:3] == "\t")


def _problems(settings: ShopSettings) -> Iterator[dict[str, str]]:
    if settings.timezone not in names():
        problem = f"There is no such time zone. {closest_zone(settings.timezone)}"
        yield {"field": "timezone", "problem": problem}
    try:
        money.exponent(settings.currency)
    except Invalid as unknown:
        yield {"field": "currency", "problem": unknown.detail}
    places = {"country": settings.country, "return_address.country": _country_of(settings)}
    if settings.repairs.get("address"):
        places["repairs.address.country"] = str(settings.repairs["address"].get("country", ""))
    for name, address in settings.destinations.items():
        places[f"destinations.{name}.country"] = str(address.get("country", ""))
    for place, code in places.items():
        if code not in countries():
            yield {"field": place, "problem": "Write a two-letter code of ISO 3166-1, such as DE."}
    if not LOCALE.fullmatch(settings.locale):
        yield {"field": "locale", "problem": "Write a BCP 47 tag such as de or pt-BR."}


WAREHOUSE: Final = "warehouse"
"""What a policy sends to unless it says otherwise."""


def comes_back_to(
    shop: Mapping[str, Any], resolution: str, send_to: str
) -> tuple[str, Mapping[str, Any]]:
    """What kind of place goods of a return are sent to, and its address; from a shop's row. What is
    to be repaired goes to the repair point, all else where the policy says."""
    repaired = shop["repairs"].get("address") if resolution == BY_REPAIR else None
    if repaired is not None:
        return "repair_point", repaired
    address = shop["destinations"].get(send_to)
    return (WAREHOUSE, shop["return_address"]) if address is None else (send_to, address)


def _country_of(settings: ShopSettings) -> str:
    return str(settings.return_address.get("country", ""))
