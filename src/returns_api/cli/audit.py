"""``returns-api audit``: every promise about money, recomputed over the whole database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from returns_api.cli.database import database
from returns_api.cli.output import AsJson, answer, load_settings, log_to_stderr, reported
from returns_api.cli.policy_history import shop_id
from returns_api.cli.progress import bar
from returns_api.domain import ids

if TYPE_CHECKING:
    from uuid import UUID

    from returns_api.config import Settings
    from returns_api.usecases.audits import Audited

SHOWN: Final = 20
"""Breaches of each shop on a terminal; ``--json`` has up to 200."""


def audit(
    shop: Annotated[str | None, typer.Option("--shop", help="Only this shop: shp_…")] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute counters, ledger, lifecycles and chain; exit code 1 names every breach."""
    with reported(as_json):
        settings = load_settings()
        log_to_stderr(settings)
        only = None if shop is None else shop_id(shop)
        with database(settings) as ready:
            found = asyncio.run(_audit(ready, only))
        breaches = sum(one.tally.breaches for one in found)
        result = {
            "ok": not breaches,
            "shops": len(found),
            "looked_at": sum(one.done for one in found),
            "breaches": breaches,
            "by_shop": [_told(one) for one in found],
        }
        answer(result, _text(found, breaches), as_json=as_json)
    if breaches:
        raise typer.Exit(1)


async def _audit(settings: Settings, only: UUID | None) -> list[Audited]:
    from returns_api.usecases.audits import all_shops, audit_shop  # noqa: PLC0415
    from returns_api.wiring import running_context  # noqa: PLC0415

    with bar("Auditing") as tell:
        async with running_context(settings, pool_size=1) as (ctx, _):
            shops = [only] if only is not None else await all_shops(ctx)
            return [
                await audit_shop(ctx, shop, progress=lambda one: tell(one.done, one.total))
                for shop in shops
            ]


def _told(one: Audited) -> dict[str, Any]:
    return {
        "shop": ids.encode("shp", one.shop),
        "looked_at": one.done,
        "breaches": one.tally.breaches,
        "chain": {"entries": one.position, "seal": one.digest.hex()},
        **one.tally.to_json(),
    }


def _text(found: list[Audited], breaches: int) -> str:
    lines = []
    for one in found:
        for finding in one.tally.findings[:SHOWN]:
            told = ", ".join(f"{name} {value}" for name, value in finding["detail"].items())
            name = f"{finding['invariant']} {finding['check']}"
            lines.append(f"{ids.encode('shp', one.shop)}: {name}: {finding['subject']} ({told})")
    looked = sum(one.done for one in found)
    lines.append(f"{len(found)} shops, {looked} orders, events and entries: {breaches} breaches.")
    return "\n".join(lines)
