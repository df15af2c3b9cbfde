"""``returns-api policy recompute`` and ``backtest``: policies against what really happened."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from returns_api.cli.database import database
from returns_api.cli.output import AsJson, Failure, answer, load_settings, log_to_stderr, reported
from returns_api.cli.policy_files import read_policy, understood
from returns_api.cli.progress import bar
from returns_api.domain import ids

if TYPE_CHECKING:
    from returns_api.config import Settings
    from returns_api.domain.backtests import Tally
    from returns_api.domain.policy import LoadedPolicy
    from returns_api.usecases.recomputing import History

GROUPS_SHOWN: Final = 10
"""Lines of each grouping on a terminal; ``--json`` has more."""


def backtest(
    draft: Annotated[Path, typer.Option("--draft", help="The document to try, YAML or JSON.")],
    against: Annotated[
        Path | None, typer.Option("--against", help="The document to compare it with.")
    ] = None,
    history: Annotated[
        Path | None, typer.Option("--history", help="Past returns, one JSON object a line.")
    ] = None,
    shop: Annotated[
        str | None, typer.Option("--shop", help="The stored returns of this shop: shp_…")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try a draft on the past: what flips, in which direction, how much money moves.

    Either --history with --against, or --shop: then each stored return is compared with the
    version that it was opened under, and exit code 1 says that one did not replay.
    """
    with reported(as_json), understood(as_json):
        if (history is None) == (shop is None) or (history is None) != (against is None):
            raise typer.BadParameter("Give --history and --against, or --shop alone.")
        loaded = read_policy(draft)
        if history is not None and against is not None:
            tally = _of_file(history, read_policy(against).canonical, loaded.canonical)
        else:
            settings = load_settings()
            log_to_stderr(settings)
            with database(settings) as ready:
                tally = asyncio.run(_of_shop(ready, shop_id(shop or ""), loaded))
        report = tally.report()
        ok = not report["differing"]
        result = {"ok": ok, "draft": draft, "digest": loaded.digest, **report}
        answer(result, _table(report), as_json=as_json)
    if not ok:
        raise typer.Exit(1)


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


def _of_file(history: Path, before: bytes, after: bytes) -> Tally:
    from returns_api.cli.policy_crowd import tally_file  # noqa: PLC0415

    size = history.stat().st_size if history.is_file() else 0
    with bar("Comparing") as tell:
        return tally_file(history, before, after, lambda done: tell(done, size))


async def _of_shop(settings: Settings, shop: UUID, draft: LoadedPolicy) -> Tally:
    from returns_api.domain.policy import compile_policy  # noqa: PLC0415
    from returns_api.usecases.backtests import stream_history  # noqa: PLC0415
    from returns_api.wiring import running_context  # noqa: PLC0415

    with bar("Comparing") as tell:
        async with running_context(settings, pool_size=1) as (ctx, _):
            return await stream_history(ctx, shop, compile_policy(draft), progress=tell)


def _table(report: Mapping[str, Any]) -> str:
    """The groups and the most affected, then the figures."""
    lines = []
    for grouping, groups in report["by"].items():
        lines.append(f"by {grouping}")
        for one in groups[:GROUPS_SHOWN]:
            turns = ", ".join(f"{count} {turn}" for turn, count in sorted(one["turns"].items()))
            moved = ", ".join(f"{minor:+} {name}" for name, minor in sorted(one["money"].items()))
            lines.append(f"  {one['name']}: {one['lines']} lines; {turns or 'same'}; {moved or 0}")
    lines.append("most affected")
    for one in report["most_affected"]:
        turns = ", ".join(line["turn"] for line in one["lines"])
        lines.append(f"  {one['return']}: {one['delta_minor']:+} {one['currency']} ({turns})")
    money = ", ".join(
        f"{name} {moved['more_minor']:+} and {-moved['less_minor']:+}, net {moved['net_minor']:+}"
        for name, moved in report["money"].items()
    )
    lines.append(
        f"{report['returns']} returns, {report['lines']} lines: {report['flipped']} flipped; "
        f"money in minor units: {money or 'none moves'}."
    )
    return "\n".join(lines)


async def _recompute(settings: Settings, shop: UUID) -> History:
    from returns_api.usecases.recomputing import recompute_history  # noqa: PLC0415
    from returns_api.wiring import running_context  # noqa: PLC0415

    with bar("Recomputing") as tell:
        async with running_context(settings, pool_size=1) as (ctx, _):
            return await recompute_history(
                ctx, shop, progress=lambda counted: tell(counted.done, counted.total)
            )
