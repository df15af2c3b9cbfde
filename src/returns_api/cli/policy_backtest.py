"""``returns-api policy backtest``: a draft against what really happened.

Owns which past is taken and what the draft is compared with. Refuses to own the comparison
(``domain.backtests``) and how a file is read on every processor (``policy_crowd``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from returns_api.cli.database import database
from returns_api.cli.output import AsJson, answer, load_settings, log_to_stderr, reported
from returns_api.cli.policy_files import read_policy, understood
from returns_api.cli.policy_history import shop_id
from returns_api.cli.progress import bar
from returns_api.domain import ids

if TYPE_CHECKING:
    from returns_api.config import Settings
    from returns_api.domain.backtests import Tally
    from returns_api.domain.policy import LoadedPolicy

GROUPS_SHOWN: Final = 10
"""Lines of each grouping on a terminal; ``--json`` has more."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What was counted, and what the draft was compared with, as plain data."""

    tally: Tally
    against: Mapping[str, Any]


def backtest(
    draft: Annotated[Path, typer.Option("--draft", help="The document to try, YAML or JSON.")],
    history: Annotated[
        Path | None,
        typer.Option("--history", help="Past returns, one JSON object a line; else stored ones."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="The document to compare it with.")
    ] = None,
    shop: Annotated[
        str | None, typer.Option("--shop", help="The shop (shp_…), where there are several.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try a draft on the past: what flips, in which direction, how much money moves.

    Compared with: --against, if given. Else a --history with the decisions that it records, or,
    where it records none, with the version in force in the shop. Else every stored return with the
    version that it was opened under. Exit code 1: a stored decision did not replay.
    """
    with reported(as_json), understood(as_json):
        if history is not None and against is not None and shop is not None:
            raise typer.BadParameter("Give --against or --shop with --history, not both.")
        loaded = read_policy(draft)
        other = None if against is None else read_policy(against)
        if history is None:
            done = _of_stored(shop, loaded, other)
        else:
            done = _of_file(history, shop, loaded, other)
        report = done.tally.report()
        ok = not report["differing"]
        result = {
            "ok": ok,
            "draft": draft,
            "digest": loaded.digest,
            "against": done.against,
            **report,
        }
        answer(result, _table(report, done.against["text"]), as_json=as_json)
    if not ok:
        raise typer.Exit(1)


def _of_file(
    history: Path, shop: str | None, draft: LoadedPolicy, other: LoadedPolicy | None
) -> _Done:
    from returns_api.cli.policy_crowd import records_decisions, tally_file  # noqa: PLC0415

    before: bytes | None
    if other is not None:
        before, told = other.canonical, _document(other)
    elif shop is None and records_decisions(history):
        before, told = None, {"kind": "recorded", "text": "the decisions that the history records"}
    else:
        before, told = _in_force(shop, history)
    size = history.stat().st_size if history.is_file() else 0
    with bar("Comparing") as tell:
        tally = tally_file(history, before, draft.canonical, lambda done: tell(done, size))
    return _Done(tally, told)


def _of_stored(shop: str | None, draft: LoadedPolicy, other: LoadedPolicy | None) -> _Done:
    settings = _settings("Give --history")
    told = {"kind": "as_opened", "text": "the versions that the returns were opened under"}
    with database(settings) as ready:
        tally = asyncio.run(_stored(ready, shop, draft, other))
    return _Done(tally, told if other is None else _document(other))


def _document(other: LoadedPolicy) -> dict[str, Any]:
    name = other.document.name
    return {"kind": "document", "digest": other.digest, "text": f"the document “{name}”"}


def _in_force(shop: str | None, history: Path) -> tuple[bytes, dict[str, Any]]:
    settings = _settings(f"{history} records no decisions: give --against")
    with database(settings) as ready:
        row = asyncio.run(_version_in_force(ready, shop))
    version = ids.encode("pv", row["id"])
    text = f"version {row['number']}, which is in force"
    return bytes(row["canonical"]), {
        "kind": "in_force",
        "policy_version": version,
        "digest": row["digest"],
        "text": text,
    }


def _settings(instead: str) -> Settings:
    """The settings, where there is a database already: this command makes none."""
    settings = load_settings()
    if settings.database_url is None and not (settings.data_dir / "db").is_dir():
        raise typer.BadParameter(f"{instead}, or set RETURNS_API_DATABASE_URL: no shop is stored.")
    log_to_stderr(settings)
    return settings


async def _version_in_force(settings: Settings, shop: str | None) -> Mapping[str, Any]:
    from returns_api.domain.errors import NotFound  # noqa: PLC0415
    from returns_api.usecases.policies import policy_in_force  # noqa: PLC0415
    from returns_api.wiring import running_context  # noqa: PLC0415

    async with running_context(settings, pool_size=1) as (ctx, _):
        try:
            row, _ = await policy_in_force(ctx, await _shop(ctx, shop))
        except NotFound:
            raise typer.BadParameter("The shop has published no policy: give --against.") from None
        return dict(row)


async def _stored(
    settings: Settings, shop: str | None, draft: LoadedPolicy, other: LoadedPolicy | None
) -> Tally:
    from returns_api.domain.policy import compile_policy  # noqa: PLC0415
    from returns_api.usecases.backtests import stream_history  # noqa: PLC0415
    from returns_api.wiring import running_context  # noqa: PLC0415

    against = None if other is None else compile_policy(other)
    with bar("Comparing") as tell:
        async with running_context(settings, pool_size=1) as (ctx, _):
            return await stream_history(
                ctx, await _shop(ctx, shop), compile_policy(draft), against, progress=tell
            )


async def _shop(ctx: Any, shop: str | None) -> UUID:
    """The shop that is named, or the only one. Raises ``Failure`` for a text that is no id."""
    from returns_api.usecases.audits import all_shops  # noqa: PLC0415

    if shop is not None:
        return shop_id(shop)
    shops = await all_shops(ctx)
    if len(shops) != 1:
        raise typer.BadParameter(f"There are {len(shops)} shops: name one with --shop.")
    return shops[0]


def _table(report: Mapping[str, Any], against: str) -> str:
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
    lines.append(f"compared with {against}")
    lines.append(
        f"{report['returns']} returns, {report['lines']} lines: {report['flipped']} flipped; "
        f"money in minor units: {money or 'none moves'}."
    )
    return "\n".join(lines)
