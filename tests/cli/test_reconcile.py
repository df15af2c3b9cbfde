"""``returns-api reconcile`` against a running service whose worker is this test."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg

from returns_api.wiring import running_context
from returns_api.worker.jobs import KINDS
from returns_api.worker.sweep import sweep
from tests.support.commands import last_json, run
from tests.support.live import LiveServer
from tests.support.living import server, world
from tests.support.world import World

__all__ = ["server", "world"]

HEADER = "kind,id,payment,reference,amount,currency,status,at\n"


async def carried_on(server: LiveServer, *words: str) -> Any:
    """The command's outcome, while due reconciliations are carried on."""
    command = asyncio.create_task(asyncio.to_thread(run, *words))
    async with running_context(server.settings, pool_size=2) as (ctx, _):
        while not command.done():
            await sweep(ctx, {"reconcile": KINDS["reconcile"]})
            await asyncio.sleep(0.1)
    return await command


async def test_a_settlement_file_is_compared_and_told(
    server: LiveServer, world: World, database_url: str, tmp_path: Path
) -> None:
    owner = await asyncpg.connect(database_url)
    payment = await owner.fetchval(
        "SELECT provider_payment_id FROM payments WHERE shop_id = $1 AND provider_payment_id"
        " IS NOT NULL LIMIT 1",
        world.ours.id,
    )
    await owner.close()
    file = tmp_path / "settlement.csv"
    rows = (("re_1", payment), ("re_2", "pi_none"))
    lines = [f"refund,{name},{of},,5,EUR,succeeded,2026-11-20T10:00:00Z\n" for name, of in rows]
    file.write_text(HEADER + "".join(lines), encoding="utf-8")
    key = world.ours.keys["finance"]
    words = ["reconcile", "stripe", "--statement", str(file), "--url", server.url, "--key", key]
    done = await carried_on(server, *words, "--json")
    found = last_json(done)
    assert (done.returncode, found["ok"], found["unmatched"]) == (0, True, 1), done.stderr
    assert [each["kind"] for each in found["differences"]] == ["missing_here"]
    assert found["differences"][0]["applied"]
    again = await carried_on(server, *words)
    assert again.returncode == 0
    assert "2 movements compared, 0 differ" in again.stdout


async def test_what_is_left_for_a_person_is_exit_code_1(
    server: LiveServer, world: World, tmp_path: Path
) -> None:
    key = world.ours.keys["finance"]
    own = ["--url", server.url, "--key", key, "--json"]
    away = await carried_on(server, "reconcile", "stripe", "--wait", "1", *own)
    assert away.returncode == 1
    assert "it goes on there" in last_json(away)["error"]
    file = tmp_path / "settlement.csv"
    file.write_text("kind,id\n", encoding="utf-8")
    wrong = run("reconcile", "stripe", "--statement", str(file), *own)
    assert (wrong.returncode, last_json(wrong)["ok"]) == (1, False)
    assert "no column" in last_json(wrong)["error"]
