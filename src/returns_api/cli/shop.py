"""``returns-api create-shop``: a new shop and its first admin key, straight into the database.

The only thing that cannot be done over the API, since every key belongs to a shop.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from returns_api.cli.database import database
from returns_api.cli.output import AsJson, Failure, answer, load_settings, log_to_stderr, reported

Name = Annotated[str, typer.Option(help="The shop's name.")]
Currency = Annotated[str, typer.Option(help="ISO 4217, such as EUR.")]
Country = Annotated[str, typer.Option(help="ISO 3166-1 alpha-2, such as DE.")]
Timezone = Annotated[str, typer.Option(help="IANA zone, such as Europe/Berlin.")]
Locale = Annotated[str, typer.Option(help="Language of the shop's texts, such as de-DE.")]
Street = Annotated[str, typer.Option(help="Where returns go: street and number.")]
City = Annotated[str, typer.Option(help="Where returns go: city.")]
Postcode = Annotated[str, typer.Option(help="Where returns go: postcode.")]


def create_shop(
    name: Name,
    currency: Currency,
    country: Country,
    timezone: Timezone,
    street: Street,
    city: City,
    postcode: Postcode,
    locale: Locale = "en",
    as_json: AsJson = False,
) -> None:
    """Make a shop; prints its id and the admin key that can make all others, this once."""
    with reported(as_json):
        settings = load_settings()
        log_to_stderr(settings)
        address = {
            "name": name,
            "street1": street,
            "street2": None,
            "city": city,
            "region": None,
            "postcode": postcode,
            "country": country,
            "email": None,
            "phone": None,
        }
        with database(settings) as ready:
            made = asyncio.run(
                _create(
                    ready,
                    name=name,
                    currency=currency,
                    country=country,
                    timezone=timezone,
                    locale=locale,
                    return_address=address,
                )
            )
        text = f"Shop {made['shop']}\nAdmin key, shown this once: {made['admin_key']}"
        answer({"ok": True, **made}, text, as_json=as_json)


async def _create(settings: Any, **values: Any) -> dict[str, str]:
    from returns_api.domain import ids  # noqa: PLC0415 - other commands make no shops
    from returns_api.domain.errors import Invalid  # noqa: PLC0415
    from returns_api.domain.shops import ShopSettings  # noqa: PLC0415
    from returns_api.usecases.shops import create_shop as create  # noqa: PLC0415
    from returns_api.wiring import running_context  # noqa: PLC0415

    async with running_context(settings, pool_size=2) as (ctx, _):
        try:
            made = await create(ctx, ShopSettings(**values))
        except Invalid as wrong:
            raise Failure(wrong.detail) from None
    return {"shop": ids.encode("shp", made.id), "admin_key": made.key.token}


Shop = Annotated[str, typer.Option(help="The shop's id, shp_…")]
Label = Annotated[str, typer.Option(help="Whose key it is.")]


def create_platform_key(shop: Shop, label: Label, as_json: AsJson = False) -> None:
    """Make an arbiter's key for a shop, which no key of its own can make; shown this once."""
    with reported(as_json):
        settings = load_settings()
        log_to_stderr(settings)
        with database(settings) as ready:
            made = asyncio.run(_platform_key(ready, shop, label))
        text = f"Platform key, shown this once: {made['platform_key']}"
        answer({"ok": True, **made}, text, as_json=as_json)


async def _platform_key(settings: Any, shop: str, label: str) -> dict[str, str]:
    from returns_api.domain import ids  # noqa: PLC0415 - other commands make no keys
    from returns_api.domain.errors import NotFound  # noqa: PLC0415
    from returns_api.usecases.keys import create_platform_key as create  # noqa: PLC0415
    from returns_api.wiring import running_context  # noqa: PLC0415

    found = ids.decode("shp", shop)
    if found is None:
        raise Failure("This is not the id of a shop.")
    async with running_context(settings, pool_size=2) as (ctx, _):
        try:
            made = await create(ctx, found, label)
        except NotFound as wrong:
            raise Failure(wrong.detail) from None
    return {"shop": shop, "platform_key": made.token}
