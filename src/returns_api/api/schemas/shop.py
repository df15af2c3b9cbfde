"""Shapes of the shop's settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from returns_api.api.schemas.base import (
    In,
    Minor,
    Moment,
    NoBool,
    Out,
    ShopId,
    ShortText,
    TextFormat,
    example,
    example_id,
)
from returns_api.api.schemas.patches import left_out
from returns_api.domain.complaints import ANSWER_DAYS, ANSWER_DAYS_MAX
from returns_api.domain.invitations import DAYS_MAX
from returns_api.domain.repair_prices import PRICES_MAX
from returns_api.domain.shops import LOCALE
from returns_api.domain.store_credits import OWED_LASTS_MIN

Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$"), TextFormat("iso-3166-1")]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$"), TextFormat("iso-4217")]
Locale = Annotated[str, StringConstraints(pattern=f"^{LOCALE.pattern}$")]
Zone = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60, pattern="^[A-Za-z0-9_+/-]+$"),
    TextFormat("iana-time-zone"),
]
AskedAfter = Annotated[int, Field(ge=1, le=DAYS_MAX), NoBool]
ReviewUrl = Annotated[str, StringConstraints(pattern=r"^https://[!-~]{1,490}$"), TextFormat("uri")]

ADDRESS_EXAMPLE = {
    "name": "Field & Loom Returns",
    "street1": "Lagerstr. 1",
    "city": "Berlin",
    "postcode": "10115",
    "country": "DE",
}


class ReturnAddress(In):
    """Where parcels come back to."""

    name: ShortText
    street1: ShortText
    street2: ShortText | None = None
    city: ShortText
    region: ShortText | None = None
    postcode: ShortText
    country: Country
    email: ShortText | None = None
    phone: ShortText | None = None


def _nowhere() -> ReturnAddress:
    """Stands for "left out"; never read."""
    return ReturnAddress(name="-", street1="-", city="-", postcode="-", country="DE")


class RefundLimits(In):
    """What one person may refund without a second one; above it, a refund waits in `requested`.

    In minor units of the shop's currency: null sets no limit, 0 lets nothing pass alone. A refund
    in another currency always waits where a limit applies. Days are the shop's.
    """

    agent_per_order: Minor | None = 0
    agent_per_day: Minor | None = 0
    finance_per_order: Minor | None = Field(
        None, description="Admins count as finance; an order's sum is that of all persons."
    )
    finance_per_day: Minor | None = None
    shop_per_day: Minor | None = None
    return_above: Minor | None = Field(
        None, description="The refund of a return above this waits, too."
    )
    write_off_above: Minor | None = Field(
        None,
        description="What of one recovery may be written off or waived alone, all together.",
    )


LIMITS_EXAMPLE = {
    "agent_per_order": 2000,
    "agent_per_day": 10000,
    "finance_per_order": 50000,
    "finance_per_day": None,
    "shop_per_day": None,
    "return_above": None,
    "write_off_above": 5000,
}


class CreditTerms(In):
    """How long store credit lasts, in days until the end of the last one; null means for ever."""

    owed_lasts_days: Annotated[int, Field(ge=OWED_LASTS_MIN, le=36_500), NoBool] | None = Field(
        None, description="Credit for what was paid: five years at least."
    )
    granted_lasts_days: Annotated[int, Field(ge=1, le=36_500), NoBool] | None = Field(
        None, description="Credit that was not owed: goodwill, and the bonus of a return."
    )
    gateways: list[ShortText] = Field(
        default_factory=list,
        max_length=20,
        description=(
            "Gateways without a payment account, such as `gift_card`: what goes back along them"
            " becomes store credit."
        ),
    )


CREDIT_EXAMPLE = {"owed_lasts_days": None, "granted_lasts_days": 365, "gateways": ["gift_card"]}


class AfterSales(In):
    """What the shop does for its buyers after a sale."""

    complaint_answer_days: Annotated[int, Field(ge=1, le=ANSWER_DAYS_MAX), NoBool] = Field(
        ANSWER_DAYS,
        description="Business days until a complaint is answered, by the policy's calendar.",
    )
    check_in_days: AskedAfter | None = Field(
        None, description="Ask the buyer so many days after delivery whether all is well."
    )
    review_days: AskedAfter | None = Field(
        None,
        description=(
            "Invite to a review so many days after a return that ended well. In some countries the"
            " buyer has to have agreed to that."
        ),
    )
    review_url: ReviewUrl | None = Field(None, description="Where a review is written.")


AFTER_SALES_EXAMPLE = {
    "complaint_answer_days": 3,
    "check_in_days": 7,
    "review_days": 3,
    "review_url": "https://shop.example/reviews",
}


PriceCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class RepairPrice(In):
    """One position of the price list: what the buyer pays for one, taxes included."""

    kind: Literal["part", "labour", "inspection", "freight"] = Field(
        description="`inspection` and `freight` (the way back) are due if a quote is declined, too."
    )
    title: ShortText
    price: Minor


class RepairSettings(In):
    """Where goods are repaired, and what that costs where nobody covers it."""

    address: ReturnAddress | None = Field(
        None, description="The repair point; null sends them to the return address."
    )
    prices: dict[PriceCode, RepairPrice] = Field(
        default_factory=dict,
        max_length=PRICES_MAX,
        description="By code, in the shop's currency; the only prices of a repair.",
    )


REPAIRS_EXAMPLE = {
    "address": None,
    "prices": {
        "inspect": {"kind": "inspection", "title": "Inspection", "price": 1500},
        "BAT-7": {"kind": "part", "title": "Battery", "price": 3900},
        "hour": {"kind": "labour", "title": "Labour, one hour", "price": 5500},
        "parcel": {"kind": "freight", "title": "Way back", "price": 690},
    },
}


Destinations = Annotated[
    dict[Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9_-]{0,63}$")],
         ReturnAddress],
    Field(
        max_length=20,
        description=(
            "Places that the policy's `send_to` names, such as `supplier`; what is not here comes"
            " to the return address."
        ),
    ),
]  # fmt: skip


class ShopPatch(In):
    """What to change; what is left out stays. Parts such as the address are replaced whole."""

    model_config = example(
        {
            "timezone": "Europe/Berlin",
            "return_address": ADDRESS_EXAMPLE,
            "refund_limits": LIMITS_EXAMPLE,
            "store_credit": CREDIT_EXAMPLE,
            "after_sales": AFTER_SALES_EXAMPLE,
            "repairs": REPAIRS_EXAMPLE,
            "destinations": {"supplier": ADDRESS_EXAMPLE},
        }
    )

    name: ShortText = Field("", json_schema_extra=left_out)
    timezone: Zone = Field("", json_schema_extra=left_out, description="IANA name.")
    currency: Currency = Field("", json_schema_extra=left_out, description="ISO 4217.")
    country: Country = Field("", json_schema_extra=left_out, description="ISO 3166-1 alpha-2.")
    locale: Locale = Field("", json_schema_extra=left_out, description="BCP 47.")
    return_address: ReturnAddress = Field(default_factory=_nowhere, json_schema_extra=left_out)
    refund_limits: RefundLimits = Field(default_factory=RefundLimits, json_schema_extra=left_out)
    store_credit: CreditTerms = Field(default_factory=CreditTerms, json_schema_extra=left_out)
    after_sales: AfterSales = Field(default_factory=AfterSales, json_schema_extra=left_out)
    repairs: RepairSettings = Field(default_factory=RepairSettings, json_schema_extra=left_out)
    destinations: Destinations = Field(default_factory=dict, json_schema_extra=left_out)


class ShopOut(Out):
    """The shop's settings."""

    model_config = example(
        {
            "id": example_id("shp"),
            "name": "Field & Loom",
            "timezone": "Europe/Berlin",
            "currency": "EUR",
            "country": "DE",
            "locale": "de-DE",
            "status": "active",
            "return_address": {
                **ADDRESS_EXAMPLE,
                "street2": None,
                "region": None,
                "email": None,
                "phone": None,
            },
            "refund_limits": LIMITS_EXAMPLE,
            "store_credit": CREDIT_EXAMPLE,
            "after_sales": AFTER_SALES_EXAMPLE,
            "repairs": REPAIRS_EXAMPLE,
            "destinations": {},
            "created_at": "2026-11-21T09:12:44Z",
        }
    )

    id: ShopId
    name: str
    timezone: str
    currency: str
    country: str
    locale: str
    status: str
    return_address: ReturnAddress
    refund_limits: RefundLimits
    store_credit: CreditTerms
    after_sales: AfterSales
    repairs: RepairSettings
    destinations: dict[str, ReturnAddress]
    created_at: Moment
