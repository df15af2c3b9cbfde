"""``returns-api policy recompute``: stored decisions made again; reads the ids of shops."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from returns_api.cli.database import database
from returns_api.cli.output import AsJson, Failure, answer, load_settings, log_to_stderr, reported
from returns_api.cli.progress import bar
from returns_api.domain import ids

if TYPE_CHECKING:
    from returns_api.config import Settings
    from returns_api.usecases.recomputing import History


def recompute(
    shop: Annotated[str, typer.Option("--shop", help="The shop: shp_…")],
    as_json: AsJson = False,
) -> None:
    """Make every stored decision of a shop again. Exit code 1: one came out otherwise."""
    with reported(as_json):
        settings = load_settings()
        log_to_stderr(settings)
        with database(settings) as ready:
            counted = asyncio.run(_recompute(ready, shop_id(shop)))
        same = counted.identical == counted.done
        result = {
            "ok": same,
            "decisions": counted.done,
            "identical": counted.identical,
            "different": counted.done - counted.identical,
            "first_different": [str(one) for one in counted.different],
        }
        text = f"{counted.identical} of {counted.done} decisions came out byte for byte the same."
        answer(result, text, as_json=as_json)
    if not same:
        raise typer.Exit(1)


def shop_id(text: str) -> UUID:
    """Raises ``Failure`` for a text that is no shop's id."""
    found = ids.decode("shp", text)
    if found is None:
        raise Failure(f"{text}: this is not the id of a shop (shp_…).")
    return found


async def _recompute(settings: Settings, shop: UUID) -> History:
    from returns_api.usecases.recomputing import recompute_history  # noqa: PLC0415
    from returns_api.wiring import running_context  # noqa: PLC0415

    with bar("Recomputing") as tell:
        async with running_context(settings, pool_size=1) as (ctx, _):
            return await recompute_history(
                ctx, shop, progress=lambda counted: tell(counted.done, counted.total)
            )
