"""Shapes of the shop's settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from returns_api.api.schemas.base import (
    In,
    Moment,
    Out,
    ShopId,
    ShortText,
    TextFormat,
    example,
    example_id,
)
from returns_api.api.schemas.patches import left_out
from returns_api.domain.shops import LOCALE

Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$"), TextFormat("iso-3166-1")]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$"), TextFormat("iso-4217")]
Locale = Annotated[str, StringConstraints(pattern=f"^{LOCALE.pattern}$")]
Zone = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60, pattern="^[A-Za-z0-9_+/-]+$"),
    TextFormat("iana-time-zone"),
]

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


class ShopPatch(In):
    """What to change; what is left out stays. The address is replaced whole."""

    model_config = example({"timezone": "Europe/Berlin", "return_address": ADDRESS_EXAMPLE})

    name: ShortText = Field("", json_schema_extra=left_out)
    timezone: Zone = Field("", json_schema_extra=left_out, description="IANA name.")
    currency: Currency = Field("", json_schema_extra=left_out, description="ISO 4217.")
    country: Country = Field("", json_schema_extra=left_out, description="ISO 3166-1 alpha-2.")
    locale: Locale = Field("", json_schema_extra=left_out, description="BCP 47.")
    return_address: ReturnAddress = Field(default_factory=_nowhere, json_schema_extra=left_out)


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
    created_at: Moment
