"""The demo shop: made once, found again at every start with the same keys.

What cannot be read back from the database (keys, the secrets that sign webhooks) is kept in
``data_dir/demo.json``, mode 0600. Where that file is gone, or names a shop that this database does
not know, a new shop is made: nothing here looks into shops that it did not make.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx

from returns_api.config import Settings
from returns_api.domain import ids
from returns_api.domain.access import Role
from returns_api.domain.errors import NotFound, Unauthenticated
from returns_api.domain.events import SYSTEM
from returns_api.domain.shops import ShopSettings
from returns_api.usecases import connections, policies
from returns_api.usecases.connections import ConnectionValues
from returns_api.usecases.context import Context
from returns_api.usecases.credentials import authenticate, issue
from returns_api.usecases.shops import create_shop
from returns_api.wiring import running_context

FILE: Final = "demo.json"
LABEL: Final = "demo"
DOMAIN: Final = "field-and-loom.myshopify.com"
ROLES: Final = (Role.ADMIN, Role.PUBLISHABLE, Role.AGENT, Role.WAREHOUSE, Role.FINANCE)
SOURCES: Final = ("shopify", "stripe", "easypost")
CONTROL_SECONDS: Final = 10.0

SETTINGS: Final = ShopSettings(
    name="Field & Loom (demo)",
    timezone="Europe/Berlin",
    currency="EUR",
    country="DE",
    locale="de-DE",
    return_address={
        "name": "Field & Loom Returns",
        "street1": "Lagerstr. 1",
        "street2": None,
        "city": "Berlin",
        "region": None,
        "postcode": "10115",
        "country": "DE",
        "email": None,
        "phone": None,
    },
)


@dataclass(frozen=True, slots=True)
class DemoShop:
    """``keys`` by role; ``signing`` signs webhooks by source; ``accounts`` are API secrets."""

    shop: str
    keys: Mapping[str, str] = field(repr=False)
    signing: Mapping[str, str] = field(repr=False)
    accounts: Mapping[str, str] = field(repr=False)


async def seed(settings: Settings) -> dict[str, Any]:
    """Make the demo shop or find it again; returns what a user needs to play with it.

    The database must be migrated, and the bank and the carrier of ``settings`` must answer.
    """
    async with running_context(settings, pool_size=2) as (ctx, _):
        made = await ensure_shop(ctx, _read(settings.data_dir))
        await furnish(ctx, settings, made, demo_policy())
    _write(settings.data_dir, made)
    return {
        "shop": made.shop,
        "keys": dict(made.keys),
        "hooks": {source: hook_url(settings.base_url, made.shop, source) for source in SOURCES},
        "shopify_secret": made.signing["shopify"],
        "bank_account": made.accounts["stripe"],
    }


async def furnish(ctx: Context, settings: Settings, made: DemoShop, policy: str) -> None:
    """Connect a shop to its platform, bank and carrier, which hear where to tell what happens, and
    publish its first policy. Again, it changes nothing."""
    await _connect(ctx, settings, made)
    await _publish(ctx, made, policy)
    await _listen(settings, made)


def hook_url(base_url: str, shop: str, source: str) -> str:
    """Where the connection ``source`` of a shop sends its webhooks."""
    return f"{base_url}/v1/hooks/{shop}/{source}"


def demo_policy() -> str:
    """The example policy of this name: a link in the checkout, a file in a built package."""
    return (files("returns_api.demo") / "policy.yaml").read_text(encoding="utf-8")


async def ensure_shop(ctx: Context, kept: DemoShop | None) -> DemoShop:
    """``kept`` with every key that still works and new ones for the rest, or a new shop."""
    if kept is None or not await _works(ctx, kept.keys.get(Role.ADMIN.value, "")):
        new = await create_shop(ctx, SETTINGS)
        kept = DemoShop(
            ids.encode("shp", new.id),
            {Role.ADMIN.value: new.key.token},
            {source: f"whsec_{secrets.token_hex(16)}" for source in SOURCES},
            {"stripe": f"sk_demo_{secrets.token_hex(8)}", "easypost": f"ez_{secrets.token_hex(8)}"},
        )
    keys = dict(kept.keys)
    for role in ROLES:
        if not await _works(ctx, keys.get(role.value, "")):
            keys[role.value] = await _new_key(ctx, shop_id(kept), role)
    return DemoShop(kept.shop, keys, kept.signing, kept.accounts)


def shop_id(made: DemoShop) -> UUID:
    """The shop's own id behind the public one."""
    found = ids.decode("shp", made.shop)
    assert found is not None
    return found


async def _works(ctx: Context, key: str) -> bool:
    try:
        await authenticate(ctx, key)
    except Unauthenticated:
        return False
    return True


async def _new_key(ctx: Context, shop: UUID, role: Role) -> str:
    async with ctx.database.transaction(shop) as tx:
        return (await issue(tx, ctx, role=role, label=LABEL)).token


async def _connect(ctx: Context, settings: Settings, made: DemoShop) -> None:
    """The three outside accounts; written again only where an address changed since."""
    wanted = {
        "shopify": ("shop", DOMAIN, f"https://{DOMAIN}", ()),
        "stripe": ("payments", "acct_demo", settings.bank_url, ("shopify_payments", "stripe")),
        "easypost": ("carrier", "demo", settings.carrier_url, ()),
    }
    for source, (kind, account, url, gateways) in wanted.items():
        values = ConnectionValues(
            kind=kind,
            adapter=source,
            account=account,
            base_url=str(url),
            gateways=gateways,
            secret=made.accounts.get(source),
            webhook_secrets=(made.signing[source],),
        )
        await _put(ctx, shop_id(made), source, values)


async def _put(ctx: Context, shop: UUID, source: str, values: ConnectionValues) -> None:
    try:
        current = await connections.view_connection(ctx, shop, source)
    except NotFound:
        version = None
    else:
        if current["base_url"] == values.base_url and current["active"]:
            return
        version = current["version"]
    await connections.put_connection(ctx, shop, SYSTEM, source, values, version)


async def _publish(ctx: Context, made: DemoShop, policy: str) -> None:
    shop = shop_id(made)
    try:
        await policies.policy_in_force(ctx, shop)
    except NotFound:
        draft = await policies.draft_policy(ctx, shop, SYSTEM, policy)
        await policies.publish_policy(
            ctx, shop, SYSTEM, draft["id"], effective_from=None, acknowledge="the demo's own policy"
        )


async def _listen(settings: Settings, made: DemoShop) -> None:
    """Tell the bank and the carrier where to announce what happens; again changes nothing."""
    places = {"stripe": settings.bank_url, "easypost": settings.carrier_url}
    async with httpx.AsyncClient(timeout=CONTROL_SECONDS, trust_env=False) as http:
        for source, url in places.items():
            answer = await http.post(
                f"{url}/_control/webhooks",
                json={
                    "url": hook_url(settings.base_url, made.shop, source),
                    "secret": made.signing[source],
                    "account": made.accounts[source],
                },
            )
            answer.raise_for_status()


def _read(data_dir: Path) -> DemoShop | None:
    """None where nothing usable is kept: a new shop does no harm, a guess could."""
    try:
        return DemoShop(**json.loads((data_dir / FILE).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _write(data_dir: Path, made: DemoShop) -> None:
    """Whole or not at all, readable by its owner alone."""
    building = data_dir / f"{FILE}.new"
    building.unlink(missing_ok=True)
    handle = os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(made), file, indent=2)
    building.replace(data_dir / FILE)
